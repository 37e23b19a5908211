"""Where the service answers, and the key to it: given, or else found in the environment."""

import os
from dataclasses import dataclass, field

import httpx

from adaptwin_core.client.errors import NoAddress
from adaptwin_core.domain.service_variables import KEY, URL


@dataclass(frozen=True)
class Address:
    """The address of a service, without a slash at its end, and a key."""

    url: str
    key: str = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


def address_of(url: str | None, key: str | None) -> Address:
    """Return the address and key that are given, or else those in ADAPTWIN_URL and ADAPTWIN_KEY.

    Raises:
        NoAddress: one of them is missing, or cannot be one.
    """
    url = (url or os.environ.get(URL, "")).strip().rstrip("/")
    key = (key or os.environ.get(KEY, "")).strip()
    if not url:
        raise NoAddress(f"the address of the service is not known: give `url`, or set {URL}")
    if not key:
        raise NoAddress(f"there is no key to the service: give `key`, or set {KEY}")
    if not _is_web_address(url):
        raise NoAddress(f"{url} is not an address: it must look like http://localhost:8000")
    if not (key.isascii() and key.isprintable()):
        raise NoAddress("the key has characters that no key has: copy it again")
    return Address(url, key)


def _is_web_address(url: str) -> bool:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return False
    return parsed.scheme in {"http", "https"} and bool(parsed.host)

"""Where a webhook's URL leads. A name is looked up once, and only the addresses that were checked are connected to."""

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

import httpx

from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.domain.networks import Address, Network, is_public, is_within

CODE: Final = "invalid_webhook_url"
Resolve = Callable[[str, int], Sequence[Address]]


def resolve(host: str, port: int) -> Sequence[Address]:
    """Return the addresses of a host, as this machine knows them. Raises OSError or UnicodeError if there are none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ip_address(place[0]) for *_, place in found]


@dataclass(frozen=True)
class Target:
    """A URL that was checked, and the addresses that its host had then."""

    url: httpx.URL
    addresses: tuple[Address, ...]


@dataclass(frozen=True)
class Targets:
    """Finds targets. `private_networks` may be reached beside the public internet."""

    private_networks: tuple[Network, ...]
    resolve: Resolve = resolve

    def find(self, text: str) -> Target:
        """Return the target of a URL.

        Raises:
            InvalidInput: it is no URL that the service may send to. A host may have no address, or a private one. Both
                cases get the same words, so that nobody learns private names.
        """
        url = _parsed(text)
        host = url.raw_host.decode("ascii")
        try:
            addresses = tuple(dict.fromkeys(self.resolve(host, _port(url))))
        except (OSError, UnicodeError, ValueError):
            addresses = ()
        if not addresses or not all(self._may_reach(address) for address in addresses):
            raise InvalidInput(
                f"{url.host} has no address, or one that is not of the public internet: give a public https address, "
                "or have the operator allow the network in ADAPTWIN_WEBHOOK_PRIVATE_NETWORKS",
                code=CODE,
            )
        if url.scheme == "http" and not all(is_within(address, self.private_networks) for address in addresses):
            raise InvalidInput("over the internet events are sent by https only: give an https address", code=CODE)
        return Target(url, addresses)

    def _may_reach(self, address: Address) -> bool:
        return is_public(address) or is_within(address, self.private_networks)


def _parsed(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
        host = url.host  # UnicodeError: it begins with xn-- and is no punycode
    except (httpx.InvalidURL, UnicodeError) as fault:
        raise InvalidInput(f"this is no URL: {fault}", code=CODE) from fault
    if url.scheme not in {"https", "http"} or not host:
        raise InvalidInput("give an address that begins with https:// and names a host", code=CODE)
    if not 0 < _port(url) < 1 << 16:
        raise InvalidInput(f"{url.port} is no port: give one from 1 to 65535, or none", code=CODE)
    if url.userinfo:
        raise InvalidInput(
            "leave user name and password out of the URL: the signature tells the receiver who sends", code=CODE
        )
    return url


def _port(url: httpx.URL) -> int:
    usual = 80 if url.scheme == "http" else 443
    return usual if url.port is None else url.port

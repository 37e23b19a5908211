"""Finds the service that a command talks to: by its options, by the environment, or by the folder of `adaptwin up`."""

import os
from pathlib import Path
from typing import Final, NamedTuple

from adaptwin_core.cli.exit_codes import CommandFailed, ExitCode
from adaptwin_core.domain.service_variables import KEY, URL
from adaptwin_core.local.published import published

USUAL_FOLDER: Final = Path("var")


class ServiceAddress(NamedTuple):
    url: str
    key: str


def find_address(url: str | None, key: str | None, data_dir: Path | None) -> ServiceAddress:
    """Return the address and the key. An option comes first, then the environment, then the usual folder.

    The key in a folder is only used for the address in it, so that it is never sent to somebody else's service.

    Raises:
        CommandFailed: one of them is nowhere to be found.
    """
    named = published(data_dir) if data_dir is not None else None
    if named is not None and named.url is None and url is None:
        raise CommandFailed(
            f"{data_dir} holds no address of a service: start `adaptwin up --data-dir {data_dir}`, or give --url",
            ExitCode.WRONG_USAGE,
        )
    folder = named or published(USUAL_FOLDER)
    environment_url, environment_key = (os.environ.get(name) or None for name in (URL, KEY))
    found_url = url or (named.url if named else None) or environment_url or folder.url
    if found_url is None:
        raise CommandFailed(
            f"there is no service to talk to: start `adaptwin up` in this folder, give --url and --key, or set "
            f"{URL} and {KEY}",
            ExitCode.WRONG_USAGE,
        )
    folder_key = folder.key if found_url.rstrip("/") == folder.url else None
    found_key = key or (folder_key if named else None) or environment_key or folder_key
    if found_key is None:
        raise CommandFailed(f"there is no key to {found_url}: give --key, or set {KEY}", ExitCode.WRONG_USAGE)
    return ServiceAddress(found_url, found_key)

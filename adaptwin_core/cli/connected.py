"""A client of the service for one command. What goes wrong becomes one sentence and an exit status."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from adaptwin_core.cli.exit_codes import CommandFailed, ExitCode
from adaptwin_core.cli.service_address import find_address

if TYPE_CHECKING:
    from adaptwin_core.client import Client


@contextmanager
def connected(url: str | None, key: str | None, data_dir: Path | None) -> Iterator["Client"]:
    """Give a client of the service that the options name.

    Raises:
        CommandFailed: the service is not known, does not answer or refuses, or what it was to make failed.
    """
    from pydantic import ValidationError

    from adaptwin_core.client import Client, ClientError, Patience
    from adaptwin_core.domain.refusals import sentences

    address = find_address(url, key, data_dir)
    try:
        # The client is patient, which suits a transfer. A person who gave a wrong address is told at once.
        with Client(*address, patience=Patience(num_tries=2, first_s=0.2)) as service:
            service.ready()
        with Client(*address) as service:
            yield service
    except ClientError as fault:
        raise CommandFailed(_told(fault), _code_of(fault)) from fault
    except ValidationError as fault:
        raise CommandFailed("; ".join(sentences(fault.errors(include_url=False))), ExitCode.NOT_DONE) from fault


def _code_of(fault: Exception) -> ExitCode:
    from adaptwin_core.client import Busy, Failed, NoAddress, NotUnderstood, ServiceError, Unreachable

    match fault:
        case NoAddress():
            return ExitCode.WRONG_USAGE
        case Busy() | Unreachable() | NotUnderstood():
            return ExitCode.NOT_REACHED
        case ServiceError():
            return ExitCode.REFUSED
        case Failed():
            return ExitCode.FAILED
        case _:
            return ExitCode.NOT_DONE


def _told(fault: Exception) -> str:
    from adaptwin_core.client import ServiceError

    refused = fault.errors if isinstance(fault, ServiceError) else ()
    return "; ".join([str(fault), *(f"{field.location} {field.message}" for field in refused)])

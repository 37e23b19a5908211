"""How often and how long the client tries again."""

import random
from dataclasses import dataclass

import anyio
import httpx

from adaptwin_core.client.errors import Busy, ServiceError, Unreachable

BREAKS = (httpx.TransportError, Busy)  # what another try may mend
MOST_PATIENCE_S = 300.0  # a longer Retry-After is told to the caller instead


@dataclass(frozen=True)
class Patience:
    """Tries without any progress before the client gives up, and the waits between them, which double.

    The defaults wait a minute or two in all.
    """

    num_tries: int = 10
    first_s: float = 0.5
    longest_s: float = 30.0


PATIENCE = Patience()


class Tries:
    """The tries of one piece of work. Whatever moves it forward begins the count anew."""

    def __init__(self, patience: Patience, url: str) -> None:
        self._patience, self._url, self._num_failed = patience, url, 0

    def moved(self) -> None:
        self._num_failed = 0

    async def wait(self, fault: httpx.TransportError | ServiceError) -> None:
        """Wait until it is time for the next try.

        Raises:
            Unreachable: that was the last try, and no answer came.
            ServiceError: that was the last try, and this is what the service said.
        """
        self._num_failed += 1
        asked_s = (fault.retry_after_s or 0.0) if isinstance(fault, Busy) else 0.0
        if self._num_failed >= self._patience.num_tries or asked_s > MOST_PATIENCE_S:
            raise given_up(fault, self._url) from fault
        doubled_s = self._patience.first_s * 2.0 ** (self._num_failed - 1)
        spread = random.uniform(0.5, 1.0)  # noqa: S311  # so that many clients do not come back at once
        await anyio.sleep(max(asked_s, spread * min(doubled_s, self._patience.longest_s)))


def given_up(fault: httpx.TransportError | ServiceError, url: str) -> ServiceError | Unreachable:
    """Return what the caller is told of the last fault."""
    if isinstance(fault, ServiceError):
        return fault
    what = str(fault) or type(fault).__name__
    return Unreachable(f"{url} does not answer ({what}): check the address and the network, then try again")

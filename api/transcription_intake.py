"""How many recordings one process takes in at once. Each is in memory until it is stored."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from adaptwin_core.domain.errors import LimitExceeded, Unavailable
from adaptwin_core.domain.scope import TenantScope

MOST_AT_ONCE: Final = 8


class Intake:
    """Counts the recordings that are being taken in. It is used in the thread of the event loop alone."""

    def __init__(self) -> None:
        self._tenant_ids: list[str] = []  # one for each recording

    @contextmanager
    def one_more(self, scope: TenantScope, *, most_of_one: int) -> Iterator[None]:
        """Count one more recording until the context ends.

        Args:
            most_of_one: how many recordings of one tenant are taken in at once.

        Raises:
            LimitExceeded: the tenant is sending so many already.
            Unavailable: all tenants together are sending as many as the process takes in.
        """
        if self._tenant_ids.count(scope.tenant_id) >= most_of_one:
            raise LimitExceeded(
                f"you are sending {most_of_one} recordings already: wait until one has arrived", code="too_many"
            )
        if len(self._tenant_ids) >= MOST_AT_ONCE:
            raise Unavailable(f"{MOST_AT_ONCE} recordings are being sent already: try again in a moment")
        self._tenant_ids.append(scope.tenant_id)
        try:
            yield
        finally:
            self._tenant_ids.remove(scope.tenant_id)

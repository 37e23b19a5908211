"""The joins of one process."""

import asyncio
import threading
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

from adaptwin_core.domain.scope import TenantScope
from api.tus_final import Joins
from tests.service_under_test import idle_service

OWNER = TenantScope("t_1")


@dataclass
class Joiner:
    """Notes what is joined, and how many at once."""

    joined: Counter[str] = field(default_factory=Counter)
    num_now: int = 0
    most: int = 0
    _lock: Any = field(default_factory=threading.Lock)

    def join(self, _: TenantScope, upload_id: str) -> None:
        with self._lock:
            self.num_now += 1
            self.most = max(self.most, self.num_now)
            self.joined[upload_id] += 1
        time.sleep(0.01)
        with self._lock:
            self.num_now -= 1
        if upload_id == "up_bad":
            raise OSError("the disk is full")


def test_uploads_are_joined_one_at_a_time_and_each_once() -> None:
    joiner = Joiner()
    ids = ["up_bad", *(f"up_{number}" for number in range(8))]

    async def ask() -> None:
        joins = Joins(replace(idle_service(), joiner=joiner))  # type: ignore[arg-type]
        await asyncio.gather(*(joins.join(OWNER, upload_id) for upload_id in ids * 3))  # as a client that asks again
        assert joiner.joined == dict.fromkeys(ids, 1)
        await joins.join(OWNER, "up_bad")

    asyncio.run(ask())
    assert joiner.most == 1
    assert joiner.joined["up_bad"] == 2  # what failed may be tried again

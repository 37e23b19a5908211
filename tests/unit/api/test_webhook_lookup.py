"""Looking up where a webhook leads ends in time, and leaves other requests alone."""

import asyncio
import threading
import time
from collections.abc import Sequence
from ipaddress import ip_address

import pytest

from adaptwin_core.domain.errors import InvalidInput, Unavailable
from adaptwin_core.domain.networks import Address
from adaptwin_core.service.webhook_targets import Targets
from api import webhook_lookup
from api.webhook_lookup import MOST_AT_ONCE, looked_up

URL = "https://hooks.example.com/in"
PUBLIC = ip_address("93.184.215.14")


def test_what_is_found_or_refused_is_told() -> None:
    found = asyncio.run(looked_up(Targets((), lambda _host, _port: [PUBLIC]), URL))
    assert found.addresses == (PUBLIC,)
    with pytest.raises(InvalidInput, match="has no address"):
        asyncio.run(looked_up(Targets((), lambda _host, _port: []), URL))


def test_a_slow_name_service_is_given_up_and_asked_by_few_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_lookup, "DEADLINE_S", 0.2)
    answers = threading.Event()
    num_asked = 0

    def hangs(_host: str, _port: int) -> Sequence[Address]:
        nonlocal num_asked
        num_asked += 1
        answers.wait(30)
        return [PUBLIC]

    async def ask() -> list[object]:
        many = [looked_up(Targets((), hangs), URL) for _ in range(3 * MOST_AT_ONCE)]
        return list(await asyncio.gather(*many, return_exceptions=True))

    began = time.monotonic()
    try:
        ended = asyncio.run(ask())
    finally:
        answers.set()
    assert time.monotonic() - began < 5
    assert [type(error) for error in ended] == [Unavailable] * 3 * MOST_AT_ONCE
    assert "try again" in str(ended[0])
    found = asyncio.run(looked_up(Targets((), lambda _host, _port: [PUBLIC]), URL))
    assert (found.addresses, num_asked) == ((PUBLIC,), MOST_AT_ONCE)

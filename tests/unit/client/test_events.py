"""Each event of a job is told once, in order, over as many connections as it takes."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from adaptwin_core.client import NotUnderstood, ServiceError, Unreachable, events
from adaptwin_core.client.events import follow, messages
from adaptwin_core.rest.jobs import EventOut
from tests.unit.client.answering import Script, connected, found, problem

pytestmark = pytest.mark.anyio
NOW = "2026-01-01T00:00:00Z"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "RECONNECT_S", 0.001)


def event(number: int, message: str = "") -> dict[str, Any]:
    return {"id": number, "created_at": NOW, "kind": "task", "message": message, "data": {}}


def sse(number: int) -> bytes:
    return f"event: task\nid: {number}\ndata: {json.dumps(event(number))}\n\n".encode()


def job(state: str) -> dict[str, Any]:
    times = {"created_at": NOW, "started_at": None, "finished_at": None}
    of = {"dataset_id": "ds_1", "general_dataset_id": None, "name": None, "accept_little": False}
    lists: dict[str, Any] = {"base_models": ["tiny"], "models": [], "stages": []}
    none = {"stage": None, "error": None, "model_id": None, "verdict": None, "choice": None}
    return {"id": "job_1", "state": state, **lists, **times, **of, **none}


class Job:
    """A job of five events. Each stream carries the next bytes of `streams`, and breaks off if they end with None."""

    def __init__(self, streams: list[list[bytes | None]]) -> None:
        self._streams = streams
        self.after: list[str] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.headers.get("Accept") == "text/event-stream":
            self.after.append(request.headers["Last-Event-ID"])
            return httpx.Response(200, content=self._body(self._streams.pop(0)))
        if request.url.path.endswith("/events"):
            after = int(request.url.params["after"])
            rest = [event(number) for number in range(after + 1, 6) if not self._streams]
            return found({"items": rest, "has_more": False})
        return found(job("running" if self._streams else "succeeded"))

    async def _body(self, blocks: list[bytes | None]) -> AsyncIterator[bytes]:
        for block in blocks:
            if block is None:
                raise httpx.ReadError("cut")
            yield block


async def told(service: Job, after: int = 0) -> list[int]:
    return [one.id async for one in follow(connected(service), "job_1", after)]


async def test_events_go_on_after_the_last_one_seen() -> None:
    broken = sse(3)[:20]
    service = Job([[sse(1), sse(2) + broken, None], [None], [b": ping\n\n", sse(3), sse(4) + sse(5)]])
    assert await told(service) == [1, 2, 3, 4, 5]
    assert service.after == ["0", "2", "2"]


async def test_a_stream_that_a_proxy_ends_is_not_the_end_of_the_job() -> None:
    service = Job([[sse(1)], [], [sse(2), sse(3)]])
    assert await told(service) == [1, 2, 3, 4, 5]
    assert service.after == ["0", "1", "1"]


async def test_it_can_begin_later() -> None:
    assert await told(Job([[sse(5)]]), after=4) == [5]


async def test_a_sign_of_life_is_progress() -> None:
    alive: list[bytes | None] = [b": ping\n\n", None]
    assert await told(Job([*(list(alive) for _ in range(20)), []])) == [1, 2, 3, 4, 5]


async def test_silence_is_not_followed_for_ever() -> None:
    with pytest.raises(Unreachable):
        await told(Job([[None] for _ in range(20)]))


async def test_a_job_that_is_not_there_is_told() -> None:
    with pytest.raises(ServiceError, match="not_found"):
        await anext(follow(Script(problem(404, "not_found")).connection, "job_1"))


async def test_what_is_no_event_is_told() -> None:
    with pytest.raises(NotUnderstood, match="EventOut"):
        await told(Job([[b"data: {}\n\n"]]))


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_data_may_be_cut_anywhere_and_hold_any_text(size: int) -> None:
    text = json.dumps(event(1, "a\u2028b\x85ü"), ensure_ascii=False)
    raw = f"id: 1\r\ndata: {text}\r\n\r\ndata:{{\ndata: }}\n\ndata: half".encode()

    async def blocks() -> AsyncIterator[bytes]:
        for start in range(0, len(raw), size):
            yield raw[start : start + size]

    first, second = [data async for data in messages(httpx.Response(200, content=blocks()))]
    assert EventOut.model_validate_json(first).message == "a\u2028b\x85ü"
    assert second == b"{\n}"

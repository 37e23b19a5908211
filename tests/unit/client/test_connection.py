"""What is tried again, what is not, and what the caller is told."""

import httpx
import pytest

from adaptwin_core.client import Busy, NotUnderstood, ServiceError, Unreachable
from adaptwin_core.client.answers import retry_after_s
from adaptwin_core.rest.base import Page
from adaptwin_core.rest.datasets import DatasetOut, DatasetSummary, NewDataset
from adaptwin_core.rest.models import NewExport
from tests.unit.client.answering import Script, found, problem

pytestmark = pytest.mark.anyio
SUMMARY = {"id": "ds_1", "name": "Ada", "state": "open", "created_at": "2026-01-01T00:00:00Z"}
DATASET = {**SUMMARY, "digest": None, "report": None, "error": None}
BROKEN = httpx.ReadError("cut")


async def test_a_broken_question_is_asked_again() -> None:
    script = Script(BROKEN, problem(503, "unavailable", Retry_After="0"), httpx.Response(502), found(DATASET))
    dataset = await script.connection.get("/v1/datasets/ds_1", DatasetOut)
    assert dataset.name == "Ada"
    assert len(script.requests) == 4


async def test_a_new_server_may_say_more() -> None:
    report = {
        "seconds": 1.0, "clips": 1, "labelled": 1, "splits": {"train": 1.0}, "rejects": [], "warnings": [],
        "parts": {}, "mood": "good",
    }  # fmt: skip
    script = Script(found({**DATASET, "colour": "red", "report": report}))
    dataset = await script.connection.get("/v1/datasets/ds_1", DatasetOut)
    assert dataset.report is not None
    assert dataset.report.clips == 1


async def test_a_request_that_may_have_been_done_is_not_sent_again() -> None:
    script = Script(BROKEN)
    with pytest.raises(Unreachable, match="cut"):
        await script.connection.post("/v1/datasets", DatasetOut, NewDataset(name="Ada"))
    assert len(script.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [problem(503, "unavailable", Retry_After="0"), problem(503, "unavailable"), httpx.Response(502)],
    ids=["database_lost_with_retry_after", "database_lost", "proxy"],
)
async def test_an_answer_that_does_not_tell_whether_it_was_done_is_not_followed_by_another_try(
    answer: httpx.Response,
) -> None:
    script = Script(answer)
    with pytest.raises(Busy):
        await script.connection.post("/v1/datasets", DatasetOut, NewDataset(name="Ada"))
    assert len(script.requests) == 1


async def test_a_request_that_may_be_done_twice_is_sent_again() -> None:
    script = Script(problem(503, "unavailable", Retry_After="0"), found(DATASET))
    assert await script.connection.post("/v1/datasets", DatasetOut, NewDataset(name="Ada"), may_repeat=True)


@pytest.mark.parametrize(
    "fault",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("slow"),
        problem(429, "slow_down", Retry_After="0"),
        problem(503, "no_worker", Retry_After="0"),
    ],
)
async def test_a_request_that_surely_was_not_done_is(fault: httpx.Response | Exception) -> None:
    script = Script(fault, found(DATASET))
    assert await script.connection.post("/v1/datasets", DatasetOut, NewDataset(name="Ada"))


async def test_only_what_was_set_is_sent() -> None:
    script = Script(found(DATASET))
    await script.connection.post("/v1/x", DatasetOut, NewExport(format="dense"))
    assert script.requests[0].content == b'{"format":"dense"}'


async def test_the_client_gives_up_in_the_end() -> None:
    script = Script(*[BROKEN] * 4)
    with pytest.raises(Unreachable, match=r"http://service\.test does not answer \(cut\)"):
        await script.connection.get("/v1/datasets/ds_1", DatasetOut)
    assert len(script.requests) == 4


async def test_a_wait_that_is_too_long_is_told_at_once() -> None:
    script = Script(problem(503, "unavailable", Retry_After="4000"))
    with pytest.raises(Busy, match="unavailable") as told:
        await script.connection.get("/v1/datasets/ds_1", DatasetOut)
    assert told.value.retry_after_s == 4000


async def test_a_quota_is_not_waited_for() -> None:
    script = Script(problem(429, "too_many_uploads", "finish some first"))
    with pytest.raises(ServiceError, match="finish some first") as told:
        await script.connection.get("/v1/datasets/ds_1", DatasetOut)
    assert not isinstance(told.value, Busy)


async def test_a_refusal_carries_the_problem_document() -> None:
    refused = {"location": "body.name", "code": "missing", "message": "must be given"}
    body = {"type": "urn", "title": "No", "status": 422, "code": "validation_failed", "detail": "say a name"}
    script = Script(httpx.Response(422, json={**body, "errors": [refused]}))
    with pytest.raises(ServiceError) as told:
        await script.connection.get("/v1/datasets/ds_1", DatasetOut)
    assert (told.value.status, told.value.code, told.value.detail) == (422, "validation_failed", "say a name")
    assert [field.location for field in told.value.errors] == ["body.name"]


async def test_a_refusal_of_somebody_else_is_shown() -> None:
    script = Script(httpx.Response(403, text="<html>\n not   you </html>"))
    with pytest.raises(ServiceError, match="http_403: the answer is 403 Forbidden: <html> not you </html>"):
        await script.connection.get("/v1/datasets/ds_1", DatasetOut)


@pytest.mark.parametrize("body", ["<html>", "{}", '{"items": 3}'])
async def test_another_server_is_noticed(body: str) -> None:
    with pytest.raises(NotUnderstood, match="check that the address is that of AdaPTwin"):
        await Script(httpx.Response(200, text=body)).connection.get("/v1/datasets/ds_1", DatasetOut)


async def test_what_a_broken_try_deleted_is_deleted() -> None:
    script = Script(BROKEN, problem(410, "gone"))
    await script.connection.delete("/v1/models/mdl_1")
    assert script.asked == ["DELETE /v1/models/mdl_1"] * 2
    with pytest.raises(ServiceError, match="gone"):
        await Script(problem(410, "gone")).connection.delete("/v1/models/mdl_1")


async def test_a_list_is_read_to_its_end() -> None:
    pages = [{"items": [{**SUMMARY, "id": f"ds_{i}"}], "has_more": i > 1} for i in (3, 2, 1)]
    script = Script(*map(found, pages))
    assert [one.id for one in await script.connection.all("/v1/datasets", Page[DatasetSummary])] == [
        "ds_3", "ds_2", "ds_1",
    ]  # fmt: skip
    assert [request.url.params.get("after") for request in script.requests] == [None, "ds_3", "ds_2"]


@pytest.mark.parametrize(
    ("text", "seconds"), [("7", 7.0), ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0), ("", None), ("soon", None)]
)
async def test_retry_after_is_read(text: str, seconds: float | None) -> None:
    assert retry_after_s(httpx.Response(503, headers={"Retry-After": text})) == seconds

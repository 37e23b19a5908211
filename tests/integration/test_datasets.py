"""A dataset's life over REST, with the worker's part played by the service functions a worker calls."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from sqlalchemy import select, text

from adaptwin_core.domain.dataset_report import DatasetReport
from adaptwin_core.domain.errors import Conflict, CorruptBlob
from adaptwin_core.domain.stages import Queue, Stage
from adaptwin_core.service import broker
from adaptwin_core.service.dataset_tasks import Ingested, IngestTask
from adaptwin_core.store.blobs import BlobRef
from adaptwin_core.store.queries import datasets, erasure
from adaptwin_core.store.tables import Outbox, Task, Upload
from tests.integration import world
from tests.integration.api_world import add_ready_dataset
from tests.integration.conftest import ApiProcess, Principal
from tests.integration.tus_client import TUS, create, created, new_dataset, upload
from tests.service_under_test import get_blobs, unit_of_work
from tests.waiting import wait_until

REPORT: dict[str, Any] = {
    "seconds": 3.5,
    "clips": 3,
    "labelled": 2,
    "labelled_train": 2,
    "recordings": 3,
    "splits": {"train": 2.0, "valid": 0.5, "test": 1.0},
    "parts": {
        "train": {
            "clips": 2,
            "labelled": 2,
            "silent": 1,
            "labelled_seconds": 1.0,
            "unlabelled_seconds": 0.0,
            "words": 2,
            "characters": 9,
        },
        "valid": {
            "clips": 0,
            "labelled": 0,
            "silent": 0,
            "labelled_seconds": 0.0,
            "unlabelled_seconds": 0.0,
            "words": 0,
            "characters": 0,
        },
        "test": {
            "clips": 1,
            "labelled": 0,
            "silent": 0,
            "labelled_seconds": 0.0,
            "unlabelled_seconds": 1.0,
            "words": 0,
            "characters": 0,
        },
    },
    "rejects": [{"name": "notes.pdf", "code": "not_audio", "reason": "this is no audio"}],
    "warnings": [{"code": "clipped", "message": "too loud", "count": 1, "examples": ["a.wav"]}],
    "notes": [{"name": "metadata.csv", "code": "text_column", "message": "the text is its second column"}],
}

FOUND = DatasetReport.model_validate(REPORT)


def _seal(who: Principal, dataset_id: str) -> Any:
    return who.client.post(f"/v1/datasets/{dataset_id}/seal")


def _ingest(who: Principal, dataset_id: str, folder: Path, words: str = "hello") -> str:
    """Do what a worker does at the end of an ingest; return the manifest's SHA-256."""
    clips = [
        {
            "id": f"clip-{i}",
            "recording": "a.wav",
            "text": words if i else None,
            "split": "train",
            "shard": "shard-0000.flac",
            "start": i * 8000,
            "num_samples": 8000,
        }
        for i in range(3)
    ]
    manifest = folder / "corpus.json"
    manifest.write_text(json.dumps({"clips": clips}))
    ref = get_blobs().put(manifest, scope=who.scope.tenant_id)
    with unit_of_work() as session:
        files = {"corpus.json": ref}
        task = IngestTask(session, datasets.locked(session, dataset_id), get_blobs())
        task.done(Ingested("d" * 64, FOUND, files))
    return ref.sha256


def test_from_open_to_ready(owner: Principal, tmp_path: Path):
    dataset_id = new_dataset(owner, "Ada’s voice")
    upload(owner, dataset_id, b"RIFF...", "a.wav")
    sealed = _seal(owner, dataset_id)
    assert (sealed.status_code, sealed.json()["state"]) == (202, "probing")
    with unit_of_work() as session:
        task = session.scalars(select(Task)).one()
        message = session.scalars(select(Outbox)).one()
    assert (task.stage, task.dataset_id) == (Stage.INGEST, dataset_id)
    assert (message.topic, message.queue, message.args) == (broker.TASK_RUN, Queue.AUDIO, [task.id])
    assert owner.client.get(f"/v1/datasets/{dataset_id}/clips").json()["code"] == "dataset_not_ready"
    _ingest(owner, dataset_id, tmp_path)
    shown = owner.client.get(f"/v1/datasets/{dataset_id}").json()
    assert (shown["state"], shown["name"], shown["report"]) == ("ready", "Ada’s voice", REPORT)
    first = owner.client.get(f"/v1/datasets/{dataset_id}/clips", params={"limit": 2}).json()
    assert [clip["id"] for clip in first["items"]] == ["clip-0", "clip-1"]
    assert first["has_more"]
    rest = owner.client.get(f"/v1/datasets/{dataset_id}/clips", params={"after": "clip-1"}).json()
    assert rest["items"] == [{"id": "clip-2", "recording": "a.wav", "split": "train", "seconds": 0.5, "text": "hello"}]
    assert not rest["has_more"]


def test_the_announcement_reaches_the_queue_by_itself(owner: Principal, redis_url: str):
    dataset_id = new_dataset(owner)
    upload(owner, dataset_id, b"x")
    assert _seal(owner, dataset_id).status_code == 202
    with redis.Redis.from_url(redis_url) as queue:
        wait_until(lambda: queue.llen(Queue.AUDIO), 10, "the announcement")


def test_a_dataset_is_sealed_only_whole(owner: Principal):
    dataset_id = new_dataset(owner)
    assert _seal(owner, dataset_id).json()["code"] == "dataset_empty"
    part = created(owner, dataset_id, 3, "part.wav")
    refused = _seal(owner, dataset_id)
    assert (refused.status_code, refused.json()["code"]) == (409, "uploads_incomplete")
    assert "part.wav" in refused.json()["detail"]
    owner.client.delete(part, headers=TUS)
    upload(owner, dataset_id, b"one", "a.wav")
    assert _seal(owner, dataset_id).status_code == 202
    assert _seal(owner, dataset_id).json()["code"] == "illegal_state"
    late = create(owner, dataset_id, 3, "late.wav")
    assert (late.status_code, late.json()["code"]) == (409, "dataset_sealed")


@pytest.mark.parametrize("twin", ["talk/ü.wav", "talk/u\u0308.wav", "./talk/ü.wav", "C:\\talk\\ü.wav", "/talk//ü.wav"])
def test_a_name_is_given_once_in_a_dataset(owner: Principal, twin: str):
    dataset_id = new_dataset(owner)
    first = upload(owner, dataset_id, b"one", "talk/ü.wav")
    refused = create(owner, dataset_id, 3, twin)
    assert (refused.status_code, refused.json()["code"]) == (409, "duplicate_file_name")
    assert first.rsplit("/", 1)[1] in refused.json()["detail"]
    upload(owner, dataset_id, b"two", "walk/ü.wav")
    upload(owner, new_dataset(owner), b"one", "talk/ü.wav")
    owner.client.delete(first, headers=TUS)
    upload(owner, dataset_id, b"one", twin)


def test_of_many_who_give_one_name_at_once_one_succeeds(owner: Principal):
    dataset_id = new_dataset(owner)
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda _: create(owner, dataset_id, 3, "a.wav").status_code, range(8)))
    assert sorted(codes) == [201] + [409] * 7


def test_the_name_of_an_expired_upload_is_free(owner: Principal):
    dataset_id = new_dataset(owner)
    created(owner, dataset_id, 3, "a.wav")
    with unit_of_work() as session:
        session.scalars(select(Upload)).one().expires_at = datetime.now(UTC) - timedelta(seconds=1)
    created(owner, dataset_id, 3, "a.wav")


def test_an_upload_whose_last_step_was_lost_is_finished_by_the_seal(api: ApiProcess, owner: Principal):
    dataset_id = new_dataset(owner)
    path = created(owner, dataset_id, 3)
    folder = api.data_dir / "uploads"
    folder.mkdir(exist_ok=True)
    (folder / path.rsplit("/", 1)[1]).write_bytes(b"abc")
    with unit_of_work() as session:
        session.scalars(select(Upload)).one().offset = 3
    assert _seal(owner, dataset_id).status_code == 202


def test_why_a_dataset_failed_is_told(owner: Principal):
    dataset_id = new_dataset(owner)
    upload(owner, dataset_id, b"x")
    _seal(owner, dataset_id)
    with unit_of_work() as session:
        task = IngestTask(session, datasets.locked(session, dataset_id), get_blobs())
        task.failed({"code": "no_audio", "message": "no file holds speech"})
    shown = owner.client.get(f"/v1/datasets/{dataset_id}").json()
    assert (shown["state"], shown["error"]["code"]) == ("failed", "no_audio")


def _everything(who: Principal, dataset_id: str, upload_path: str) -> dict[str, httpx.Response]:
    """Ask a dataset for all that it may be asked for."""
    world.add_base()
    job = {"dataset_id": dataset_id, "base_model": world.BASE_ID}
    return {
        "seal": _seal(who, dataset_id),
        "clips": who.client.get(f"/v1/datasets/{dataset_id}/clips"),
        "upload": create(who, dataset_id, 3, "more.wav"),
        "remove": who.client.delete(upload_path, headers=TUS),
        "job": who.client.post("/v1/jobs", json=job),
    }


def test_a_failed_dataset_says_why_and_what_to_do(owner: Principal):
    dataset_id = new_dataset(owner)
    path = upload(owner, dataset_id, b"x")
    _seal(owner, dataset_id)
    with unit_of_work() as session:
        task = IngestTask(session, datasets.locked(session, dataset_id), get_blobs())
        task.failed({"code": "no_audio", "message": "no file holds speech"})
    for what, answer in _everything(owner, dataset_id, path).items():
        assert (answer.status_code, answer.json()["code"]) == (409, "dataset_failed"), what
        assert "no file holds speech" in answer.json()["detail"], what
        assert "make a new one" in answer.json()["detail"], what


def test_a_deleted_dataset_is_gone(owner: Principal):
    dataset_id = new_dataset(owner)
    path = upload(owner, dataset_id, b"x")
    assert owner.client.delete(f"/v1/datasets/{dataset_id}").status_code == 204
    answers = _everything(owner, dataset_id, path)
    answers |= {method: owner.client.request(method, f"/v1/datasets/{dataset_id}") for method in ("GET", "DELETE")}
    for what, answer in answers.items():
        assert (answer.status_code, answer.json()["code"]) == (410, "gone"), what
        assert "deleted" in answer.json()["detail"], what


def test_a_dataset_that_is_not_ready_says_what_to_wait_for(owner: Principal):
    dataset_id = new_dataset(owner)
    path = upload(owner, dataset_id, b"x")
    job = {"dataset_id": dataset_id, "base_model": world.BASE_ID}
    world.add_base()
    for asked in (owner.client.post("/v1/jobs", json=job), owner.client.get(f"/v1/datasets/{dataset_id}/clips")):
        assert asked.json()["code"] == "dataset_not_ready"
        assert "seal it" in asked.json()["detail"]
    _seal(owner, dataset_id)
    answers = _everything(owner, dataset_id, path)
    codes = {what: answer.json()["code"] for what, answer in answers.items()}
    assert codes == {
        "seal": "illegal_state",
        "clips": "dataset_not_ready",
        "upload": "dataset_sealed",
        "remove": "dataset_sealed",
        "job": "dataset_not_ready",
    }
    for what in ("seal", "clips", "job"):
        assert "is being read: wait until it is ready" in answers[what].json()["detail"]


def test_deleting_removes_the_bytes_but_not_those_another_stands_on(owner: Principal, tmp_path: Path):
    ids = [new_dataset(owner, name) for name in ("one", "two")]
    for dataset_id in ids:
        upload(owner, dataset_id, b"same bytes")
        _seal(owner, dataset_id)
        corpus = _ingest(owner, dataset_id, tmp_path)
    with unit_of_work() as session:
        raw = session.scalars(select(Upload.sha256)).first() or ""
    tenant = owner.scope.tenant_id
    assert owner.client.delete(f"/v1/datasets/{ids[0]}").status_code == 204
    assert get_blobs().exists(raw, scope=tenant)
    assert get_blobs().exists(corpus, scope=tenant)
    assert owner.client.delete(f"/v1/datasets/{ids[1]}").status_code == 204
    assert not get_blobs().exists(raw, scope=tenant)
    assert not get_blobs().exists(corpus, scope=tenant)
    assert owner.client.get(f"/v1/datasets/{ids[0]}").status_code == 410
    assert owner.client.get("/v1/datasets").json()["items"] == []


def test_what_is_erased_is_not_erased_again(owner: Principal, tmp_path: Path):
    ids = [new_dataset(owner, name) for name in ("new", "old")]
    for dataset_id in ids:
        upload(owner, dataset_id, b"speech")
        _seal(owner, dataset_id)
        _ingest(owner, dataset_id, tmp_path)
        assert owner.client.delete(f"/v1/datasets/{dataset_id}").status_code == 204
    with unit_of_work() as session:  # older versions wrote JSON's null where nothing is left
        session.execute(text("UPDATE dataset SET files = 'null' WHERE id = :id"), {"id": ids[1]})
        assert erasure.unerased_datasets(session, limit=9) == []


def test_a_dataset_in_use_is_kept(owner: Principal, tmp_path: Path):
    job_id = world.submit(owner.scope, tmp_path)
    dataset_id = world.job_row(job_id).dataset_id
    refused = owner.client.delete(f"/v1/datasets/{dataset_id}")
    assert (refused.status_code, refused.json()["code"]) == (409, "dataset_in_use")
    assert owner.client.post(f"/v1/jobs/{job_id}/cancel").status_code == 202
    assert owner.client.delete(f"/v1/datasets/{dataset_id}").status_code == 204
    assert owner.client.get(f"/v1/jobs/{job_id}").status_code == 200


def test_an_ingest_of_a_deleted_dataset_writes_nothing(owner: Principal, tmp_path: Path):
    dataset_id = new_dataset(owner)
    upload(owner, dataset_id, b"x")
    _seal(owner, dataset_id)
    assert owner.client.delete(f"/v1/datasets/{dataset_id}").status_code == 204
    with pytest.raises(Conflict):
        _ingest(owner, dataset_id, tmp_path)
    with unit_of_work() as session:
        assert session.scalars(select(Task.state)).one() == "cancelled"


def test_a_corpus_whose_bytes_are_gone_is_not_ready(owner: Principal):
    dataset_id = new_dataset(owner)
    upload(owner, dataset_id, b"x")
    _seal(owner, dataset_id)
    files = {"corpus.json": BlobRef("0" * 64, 3)}
    with unit_of_work() as session:
        task = IngestTask(session, datasets.locked(session, dataset_id), get_blobs())
        with pytest.raises(CorruptBlob):
            task.done(Ingested("d" * 64, FOUND, files))


def test_pages_go_from_new_to_old(owner: Principal):
    names = [f"speaker {i}" for i in range(5)]
    for name in names:
        new_dataset(owner, name)
    seen, after = [], None
    while True:
        params = {"limit": "2"} | ({"after": after} if after else {})
        page = owner.client.get("/v1/datasets", params=params).json()
        seen += [item["name"] for item in page["items"]]
        if not page["has_more"]:
            break
        after = page["items"][-1]["id"]
    assert seen == names[::-1]


def test_a_list_shows_one_state(owner: Principal, tmp_path: Path):
    open_id, ready_id, deleted_id = new_dataset(owner), add_ready_dataset(owner, tmp_path), new_dataset(owner)
    assert owner.client.delete(f"/v1/datasets/{deleted_id}").status_code == 204
    for state, ids in (("open", [open_id]), ("ready", [ready_id]), ("failed", [])):
        page = owner.client.get("/v1/datasets", params={"state": state}).json()
        assert ([item["id"] for item in page["items"]], page["has_more"]) == (ids, False)
    assert [item["id"] for item in owner.client.get("/v1/datasets").json()["items"]] == [ready_id, open_id]

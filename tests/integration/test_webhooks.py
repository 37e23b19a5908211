"""Webhooks from the change that they announce to a real receiver, which checks the signatures."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from sqlalchemy import func, select, update
from standardwebhooks import Webhook as Verifier

from adaptwin_core.client import Client, WebhookChange
from adaptwin_core.domain.dataset_report import DatasetReport
from adaptwin_core.domain.networks import Address, parse_networks
from adaptwin_core.domain.states import DatasetState, DeliveryState
from adaptwin_core.domain.webhooks import PAUSES_S, EventType
from adaptwin_core.ml.stages.task_result import TaskResult
from adaptwin_core.service import broker, sweeper, webhooks
from adaptwin_core.service.dataset_tasks import Ingested, IngestTask
from adaptwin_core.service.webhook_courier import Courier
from adaptwin_core.service.webhook_events import announce
from adaptwin_core.service.webhook_targets import Targets
from adaptwin_core.store.killpoints import EXIT_CODE
from adaptwin_core.store.queries import courier as courier_queries
from adaptwin_core.store.tables import Dataset, Outbox, WebhookDelivery
from tests.arch.pages import tokens
from tests.integration import world
from tests.integration.conftest import WEBHOOK_NETWORK, ApiProcess, Principal
from tests.receiving import Receiver, receiving
from tests.running_service import free_port
from tests.service_under_test import changed, flush, get_settings, service, unit_of_work
from tests.waiting import wait_until
from worker.context import StageContext
from worker.runner import StageBody

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "webhooks.md"
NETWORKS = parse_networks(WEBHOOK_NETWORK)


@pytest.fixture(autouse=True)
def _reaches_this_machine(api: ApiProcess) -> Iterator[None]:
    with changed(webhook_private_networks=NETWORKS):
        yield


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@dataclass(frozen=True)
class Hook:
    """A webhook of a principal, as they see it."""

    who: Principal
    id: str
    secret: str

    @property
    def path(self) -> str:
        return f"/v1/webhooks/{self.id}"

    def shown(self) -> dict[str, Any]:
        found: dict[str, Any] = self.who.client.get(self.path).json()
        return found

    def log(self, **params: str) -> list[dict[str, Any]]:
        """Return what was sent, newest first."""
        answer = self.who.client.get(f"{self.path}/deliveries", params=params)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["items"]
        return found


def made(who: Principal, url: str, *events: str) -> Hook:
    answer = who.client.post("/v1/webhooks", json={"url": url} | ({"events": list(events)} if events else {}))
    assert answer.status_code == 201, answer.text
    shown = answer.json()
    assert answer.headers["Location"] == f"/v1/webhooks/{shown['id']}"
    return Hook(who, shown["id"], shown["secret"])


def pending() -> list[str]:
    """Return the ids of deliveries that wait, due or not."""
    query = select(WebhookDelivery.id).where(WebhookDelivery.state == DeliveryState.PENDING)
    with unit_of_work() as session:
        return list(session.scalars(query.order_by(WebhookDelivery.id)))


def deliver(courier: Courier | None = None) -> None:
    """Do what a worker does when a message rings for each delivery that waits."""
    for delivery_id in pending():
        (courier or service().courier).deliver(service().database, delivery_id)


def let_pauses_end() -> None:
    with unit_of_work() as session:
        session.execute(update(WebhookDelivery).values(due_at=func.now()))


def tell(who: Principal, event_type: EventType = EventType.JOB_FAILED, **ids: str) -> None:
    with unit_of_work() as session:
        announce(session, who.scope, event_type, **ids)


def test_the_end_of_a_job_arrives_signed(owner: Principal, stranger: Principal, receiver: Receiver, tmp_path: Path):
    hook, other = made(owner, receiver.url, "job.succeeded"), made(stranger, receiver.url)
    job_id = world.submit(owner.scope, tmp_path)
    world.run_all()
    deliver()
    (request,) = receiver.received
    event = Verifier(hook.secret).verify(request.body, dict(request.headers))
    job = owner.client.get(f"/v1/jobs/{job_id}").json()
    assert event["type"] == "job.succeeded"
    assert event["data"] == {name: job[name] for name in ("dataset_id", "model_id")} | {"job_id": job_id}
    assert event["timestamp"].endswith("Z")
    assert request.headers["Content-Type"] == "application/json"
    (delivery,) = hook.log()
    assert delivery["event"] == event
    assert delivery["event_id"] == request.headers["webhook-id"]
    assert (delivery["state"], delivery["num_tries"], delivery["last_status"]) == ("delivered", 1, 204)
    assert (delivery["last_error"], delivery["next_try_at"]) == (None, None)
    assert other.log() == []
    deliver()
    assert len(receiver.received) == 1


def test_every_end_is_told_by_its_type(owner: Principal, receiver: Receiver, tmp_path: Path):
    hook = made(owner, receiver.url)
    job_id = world.submit(owner.scope, tmp_path)
    world.run_all()
    model_id = owner.client.get(f"/v1/jobs/{job_id}").json()["model_id"]
    offered, refused = {"is_offered": True, "why": None}, {"is_offered": False, "why": "it hears worse"}
    for form, verdict in (("dense", offered), ("ct2-int8", refused), ("onnx-int8", None)):
        owner.client.post(f"/v1/models/{model_id}/exports", json={"format": form})
        world.run_all(_exporting(verdict))
    cancelled_id = world.submit(owner.scope, tmp_path)
    owner.client.post(f"/v1/jobs/{cancelled_id}/cancel")
    other_id = world.add_dataset(owner.scope, tmp_path, "nothing of which is known")
    failed_id = world.submit(owner.scope, tmp_path, dataset_id=other_id)
    world.run_all(_exporting(None))
    exports = [("ready", "dense"), ("refused", "ct2-int8"), ("failed", "onnx-int8")]
    told = [(delivery["type"], delivery["event"]["data"]) for delivery in reversed(hook.log())]
    dataset_ids = {
        job: owner.client.get(f"/v1/jobs/{job}").json()["dataset_id"] for job in (job_id, cancelled_id, failed_id)
    }
    assert told == [
        ("job.succeeded", {"job_id": job_id, "dataset_id": dataset_ids[job_id], "model_id": model_id}),
        *((f"export.{how}", {"model_id": model_id, "format": form}) for how, form in exports),
        ("job.cancelled", {"job_id": cancelled_id, "dataset_id": dataset_ids[cancelled_id]}),
        ("job.failed", {"job_id": failed_id, "dataset_id": dataset_ids[failed_id]}),
    ]


def _exporting(verdict: dict[str, Any] | None) -> StageBody:
    """Return a stage body that makes an export with this verdict, or fails."""

    def body(ctx: StageContext) -> TaskResult:
        if verdict is None:
            raise ValueError("it broke")
        out = ctx.out / "model.bin"
        out.write_text("weights")
        return TaskResult({"model.bin": out}, verdict)

    return body


def test_the_end_of_reading_speech_is_told(owner: Principal, receiver: Receiver, tmp_path: Path):
    hook = made(owner, receiver.url)
    dataset_ids = [world.add_dataset(owner.scope, tmp_path, words) for words in ("good", "bad")]
    with unit_of_work() as session:
        session.execute(update(Dataset).values(state=DatasetState.PROBING))
        good, bad = (session.get_one(Dataset, dataset_id) for dataset_id in dataset_ids)
        report = DatasetReport.model_validate(world.REPORT)
        IngestTask(session, good, service().blobs).done(Ingested("0", report, good.files or {}))
        IngestTask(session, bad, service().blobs).failed({"code": "no_audio", "message": "send audio"})
    told = {delivery["type"]: delivery["event"]["data"]["dataset_id"] for delivery in hook.log()}
    assert told == {"dataset.ready": dataset_ids[0], "dataset.failed": dataset_ids[1]}


def test_what_is_not_committed_is_not_told(owner: Principal, receiver: Receiver):
    made(owner, receiver.url)
    with unit_of_work() as session:
        announce(session, owner.scope, EventType.JOB_FAILED, job_id="job_1")
        session.flush()
        session.rollback()
    assert pending() == []


def test_a_failed_try_is_repeated_after_a_pause(owner: Principal, receiver: Receiver):
    hook = made(owner, receiver.url)
    receiver.statuses = [500, 302, 204]
    tell(owner)
    deliver()
    (delivery,) = hook.log()
    assert (delivery["state"], delivery["num_tries"], delivery["last_status"]) == ("pending", 1, 500)
    assert delivery["last_error"] == "the receiver answered 500"
    deliver()  # too early: a repeated message does nothing
    assert len(receiver.received) == 1
    with unit_of_work() as session:
        pause = session.scalar(select(func.max(Outbox.due_at) - func.now()))
    assert timedelta(seconds=PAUSES_S[0] - 2) < pause < timedelta(seconds=PAUSES_S[0] + 2)
    let_pauses_end()
    deliver()
    assert "redirects are not followed" in hook.log()[0]["last_error"]
    let_pauses_end()
    deliver()
    (delivery,) = hook.log()
    assert (delivery["state"], delivery["num_tries"], delivery["last_status"]) == ("delivered", 3, 204)
    assert len({request.headers["webhook-id"] for request in receiver.received}) == 1
    for request in receiver.received:
        Verifier(hook.secret).verify(request.body, dict(request.headers))


def test_it_is_given_up_after_the_last_try(owner: Principal, receiver: Receiver):
    hook = made(owner, receiver.url)
    receiver.statuses = [503]
    tell(owner)
    with unit_of_work() as session:
        session.execute(update(WebhookDelivery).values(num_tries=len(PAUSES_S) - 1))
    deliver()
    assert hook.log()[0]["state"] == "pending"
    let_pauses_end()
    deliver()
    (delivery,) = hook.log(state="failed")
    assert (delivery["num_tries"], delivery["last_status"]) == (len(PAUSES_S) + 1, 503)
    assert delivery["finished_at"] is not None
    assert hook.shown()["is_enabled"] is True


def test_a_receiver_that_wants_no_more_gets_no_more_until_it_is_enabled(owner: Principal, receiver: Receiver):
    hook = made(owner, receiver.url)
    receiver.statuses = [410, 204]
    tell(owner)
    tell(owner)
    deliver()
    assert len(receiver.received) == 1
    assert hook.shown()["is_enabled"] is False
    first, second = sorted(hook.log(), key=lambda delivery: delivery["last_status"] is None)
    assert (first["state"], first["last_status"]) == ("failed", 410)
    assert (second["state"], second["last_error"]) == ("failed", "the webhook is disabled")
    tell(owner)
    assert pending() == []
    assert owner.client.post(f"{hook.path}/test").json()["code"] == "illegal_state"
    assert owner.client.patch(hook.path, json={"is_enabled": True}).json()["is_enabled"] is True
    assert owner.client.post(f"{hook.path}/deliveries/{first['id']}/resend").status_code == 202
    deliver()
    assert receiver.received[1].headers["webhook-id"] == first["event_id"]


def test_what_an_old_address_answers_does_not_disable_the_new_one(owner: Principal, receiver: Receiver, redis_url: str):
    hook = made(owner, receiver.url)
    tell(owner)
    receiver.statuses = [410, 204]
    new_url = f"http://127.0.0.1:{receiver.port}/new"

    def changes(_host: str, _port: int) -> list[Address]:
        assert owner.client.patch(hook.path, json={"url": new_url}).status_code == 200
        return [ip_address("127.0.0.1")]

    deliver(Courier(Targets(NETWORKS, changes), service().courier.signer))
    assert hook.shown()["is_enabled"] is True
    assert [(row["state"], row["last_status"]) for row in hook.log()] == [("pending", 410)]
    let_pauses_end()
    deliver()
    assert hook.log()[0]["state"] == "delivered"
    assert [request.path for request in receiver.received] == ["/in", "/new"]


def test_a_cancelled_job_is_told_at_once(owner: Principal, receiver: Receiver, tmp_path: Path, redis_url: str):
    made(owner, receiver.url, "job.cancelled")
    job_id = world.submit(owner.scope, tmp_path)
    assert owner.client.post(f"/v1/jobs/{job_id}/cancel").status_code == 202
    waiting = redis.from_url(redis_url)
    wait_until(lambda: waiting.llen(broker.QUEUE_WEBHOOKS) == 1, 5, "the message")


def test_so_many_events_of_an_owner_are_sent_again_at_once(owner: Principal, stranger: Principal, receiver: Receiver):
    def asked_again(hook: Hook, delivery: dict[str, Any]) -> httpx.Response:
        return hook.who.client.post(f"{hook.path}/deliveries/{delivery['id']}/resend")

    hooks = [made(owner, receiver.url), made(owner, receiver.url)]
    for _ in range(webhooks.MAX_RESENDS // 2 + 1):
        tell(owner)
    deliver()
    ended = [(hook, delivery) for hook in hooks for delivery in hook.log()]
    tell(owner)  # what is sent for the first time does not count
    statuses = [asked_again(hook, delivery).status_code for hook, delivery in ended]
    assert statuses == [202] * webhooks.MAX_RESENDS + [429] * 2
    assert asked_again(*ended[-1]).json()["code"] == "limit_exceeded"
    theirs = made(stranger, receiver.url)
    tell(stranger)
    deliver()
    assert asked_again(theirs, theirs.log()[0]).status_code == 202
    assert asked_again(*ended[-1]).status_code == 202


def test_a_test_is_sent_once_and_shows_how_it_ended(owner: Principal, receiver: Receiver):
    hook = made(owner, receiver.url, "job.failed")
    receiver.statuses = [500, 200]
    asked = owner.client.post(f"{hook.path}/test")
    assert (asked.status_code, asked.json()["type"], asked.json()["state"]) == (202, "webhook.test", "pending")
    assert owner.client.post(f"{hook.path}/test").json()["code"] == "limit_exceeded"
    deliver()
    assert [(row["state"], row["last_status"]) for row in hook.log()] == [("failed", 500)]
    owner.client.post(f"{hook.path}/test")
    deliver()
    assert hook.log()[0]["state"] == "delivered"
    event = Verifier(hook.secret).verify(receiver.received[1].body, dict(receiver.received[1].headers))
    assert (event["type"], event["data"]) == ("webhook.test", {"webhook_id": hook.id})


def test_an_event_can_be_sent_again_under_its_id(owner: Principal, receiver: Receiver):
    hook = made(owner, receiver.url)
    tell(owner, job_id="job_1")
    deliver()
    (first,) = hook.log()
    again = owner.client.post(f"{hook.path}/deliveries/{first['id']}/resend").json()
    assert again["id"] != first["id"]
    assert owner.client.post(f"{hook.path}/deliveries/{first['id']}/resend").json()["code"] == "limit_exceeded"
    deliver()
    assert [row["state"] for row in hook.log()] == ["delivered", "delivered"]
    assert [row["id"] for row in hook.log(limit="1", after=again["id"])] == [first["id"]]
    one, two = receiver.received
    assert (one.body, one.headers["webhook-id"]) == (two.body, two.headers["webhook-id"])


@pytest.mark.parametrize("url", ["https://127.0.0.2/in", "http://127.0.0.3:9/in", "https://[::1]/in"])
def test_a_private_address_is_refused_when_the_webhook_is_made(owner: Principal, receiver: Receiver, url: str):
    refused = owner.client.post("/v1/webhooks", json={"url": url})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_webhook_url")
    hook = made(owner, receiver.url)
    assert owner.client.patch(hook.path, json={"url": url}).status_code == 422
    assert hook.shown()["url"] == receiver.url


def test_a_name_that_leads_elsewhere_by_now_gets_nothing(owner: Principal, receiver: Receiver):
    """The receiver listens at the private address, and the name first led to a good one."""
    led_to: list[list[Address]] = [[ip_address("127.0.0.1")], [ip_address("127.0.0.2"), ip_address("127.0.0.1")]]
    num_lookups = 0

    def rebinding(_host: str, _port: int) -> list[Address]:
        nonlocal num_lookups
        num_lookups += 1
        return led_to[min(num_lookups, 2) - 1]

    targets = Targets(NETWORKS, rebinding)
    with unit_of_work() as session:
        target = targets.find(f"http://hooks.example.com:{receiver.port}/in")
        webhook_id = webhooks.create(session, owner.scope, target=target, events=None, max_webhooks=1).id
    tell(owner)
    deliver(Courier(targets, service().courier.signer))
    assert num_lookups == 2
    assert receiver.received == []
    (delivery,) = Hook(owner, webhook_id, "").log()
    assert delivery["state"] == "pending"
    assert "is not of the public internet" in delivery["last_error"]


def test_a_name_is_looked_up_once_for_each_try(owner: Principal, receiver: Receiver):
    """What the name leads to after it was checked changes nothing: the tests' guard would refuse a second look-up."""
    lookups: list[str] = []

    def resolve(host: str, _port: int) -> list[Address]:
        lookups.append(host)
        return [ip_address("127.0.0.1")]

    targets = Targets(NETWORKS, resolve)
    with unit_of_work() as session:
        target = targets.find(f"http://hooks.example.com:{receiver.port}/in")
        webhooks.create(session, owner.scope, target=target, events=None, max_webhooks=1)
    tell(owner)
    lookups.clear()
    deliver(Courier(targets, service().courier.signer))
    assert lookups == ["hooks.example.com"]
    assert receiver.received[0].headers["Host"] == f"hooks.example.com:{receiver.port}"


def test_nobody_listening_is_told_in_the_log(owner: Principal):
    hook = made(owner, "http://127.0.0.1:9/in")
    tell(owner)
    deliver()
    (delivery,) = hook.log(state="pending")
    assert delivery["last_error"].startswith("the connection failed: ")
    assert delivery["last_status"] is None


def test_a_webhook_that_is_deleted_while_it_is_told_stays_deleted(owner: Principal, receiver: Receiver):
    hook = made(owner, receiver.url)
    tell(owner)

    def deletes(_host: str, _port: int) -> list[Address]:
        assert owner.client.delete(hook.path).status_code == 204
        return [ip_address("127.0.0.1")]

    deliver(Courier(Targets(NETWORKS, deletes), service().courier.signer))
    assert pending() == []
    assert owner.client.get(hook.path).status_code == 404
    assert owner.client.get(f"{hook.path}/deliveries").status_code == 404


def test_a_webhook_can_be_changed(owner: Principal, receiver: Receiver):
    hook = made(owner, "http://127.0.0.1:9/in", "job.failed")
    change = {"url": receiver.url, "events": ["job.succeeded", "job.succeeded"]}
    assert owner.client.patch(hook.path, json=change).json()["events"] == ["job.succeeded"]
    tell(owner, EventType.JOB_FAILED)
    assert pending() == []
    assert owner.client.patch(hook.path, json={"events": None}).json()["events"] is None
    tell(owner, EventType.JOB_FAILED)
    deliver()
    assert len(receiver.received) == 1
    assert "secret" not in hook.shown()
    assert owner.client.patch(hook.path, json={"events": []}).status_code == 422
    assert owner.client.patch(hook.path, json={"events": ["job.done"]}).status_code == 422


def test_an_owner_may_have_so_many(owner: Principal, stranger: Principal):
    for _ in range(get_settings().max_webhooks):
        made(owner, "https://127.0.0.1/in")
    refused = owner.client.post("/v1/webhooks", json={"url": "https://127.0.0.1/in"})
    assert (refused.status_code, refused.json()["code"]) == (429, "limit_exceeded")
    not_looked_up = owner.client.post("/v1/webhooks", json={"url": "https://127.0.0.2/in"})
    assert not_looked_up.status_code == 429
    made(stranger, "https://127.0.0.1/in")


def test_a_lost_message_is_sent_again(owner: Principal, receiver: Receiver, redis_url: str):
    hook = made(owner, receiver.url)
    tell(owner)
    flush()
    redis.from_url(redis_url).flushall()
    sweeper.sweep(service())
    assert redis.from_url(redis_url).llen(broker.QUEUE_WEBHOOKS) == 0  # too early to tell lost from slow
    _age(get_settings().resend_after_s + 1)
    sweeper.sweep(service())
    sweeper.sweep(service())  # the message waits by now
    assert redis.from_url(redis_url).llen(broker.QUEUE_WEBHOOKS) == 1
    deliver()
    assert hook.log()[0]["state"] == "delivered"


def test_a_sender_that_died_is_replaced_and_changes_nothing_any_more(owner: Principal, receiver: Receiver):
    hook = made(owner, receiver.url)
    tell(owner)
    with unit_of_work() as session:
        late = courier_queries.claim(session, pending()[0], hold_s=60)
    assert late is not None
    deliver()
    assert receiver.received == []  # it is held
    let_pauses_end()
    deliver()
    with unit_of_work() as session:
        assert not courier_queries.settle(session, late, {"last_error": "late"})
    (delivery,) = hook.log()
    assert (delivery["state"], delivery["num_tries"], delivery["last_error"]) == ("delivered", 2, None)


def test_a_worker_sends_what_rings_and_tries_it_again(
    owner: Principal, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ADAPTWIN_WEBHOOK_PRIVATE_NETWORKS", WEBHOOK_NETWORK)
    hook = made(owner, receiver.url)
    receiver.statuses = [500, 204]
    command = ["-m", "celery", "-A", "worker.app", "worker", "-Q", "webhooks", "-P", "threads", "-c", "4"]
    with (tmp_path / "worker.log").open("wb") as log:
        worker = subprocess.Popen([sys.executable, *command], cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
    try:
        tell(owner)
        flush()
        wait_until(lambda: hook.log()[0]["last_status"] == 500, 60, "the first try")
        let_pauses_end()
        with unit_of_work() as session:
            session.execute(update(Outbox).values(due_at=func.now()))
        flush()
        wait_until(lambda: hook.log()[0]["state"] == "delivered", 30, "the second try")
    finally:
        worker.terminate()
        worker.wait(40)
        sys.stdout.write((tmp_path / "worker.log").read_text()[-3000:])
    assert len(receiver.received) == 2


def test_the_receiver_of_the_page_accepts_what_is_sent_and_nothing_else(owner: Principal):
    (program,) = (
        token.content for token in tokens(PAGE.read_text()) if token.type == "fence" and token.info == "python"
    )
    port = free_port()
    hook = made(owner, f"http://127.0.0.1:{port}/in")
    env = {**os.environ, "WEBHOOK_SECRET": hook.secret, "PORT": str(port)}
    command = [sys.executable, "-c", program]
    receiver = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        wait_until(lambda: _answers(port), 20, "the start of the receiver")
        owner.client.post(f"{hook.path}/test")
        deliver()
        assert hook.log()[0]["last_status"] == 204
        assert httpx.post(f"http://127.0.0.1:{port}/in", json={"type": "job.succeeded"}).status_code == 400
    finally:
        receiver.terminate()
        told, _ = receiver.communicate(timeout=10)
    assert told.strip() == str(hook.log()[0]["event"])


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _age(seconds: float) -> None:
    with unit_of_work() as session:
        session.execute(update(WebhookDelivery).values(due_at=func.now() - timedelta(seconds=seconds)))


def test_a_sender_that_is_killed_after_sending_sends_again_under_the_same_id(
    owner: Principal, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ADAPTWIN_WEBHOOK_PRIVATE_NETWORKS", WEBHOOK_NETWORK)
    hook = made(owner, receiver.url)
    tell(owner)
    (delivery_id,) = pending()
    program = (
        "from adaptwin_core.service.bootstrap import bootstrap; from adaptwin_core.store.settings import Settings; "
        f"service = bootstrap(Settings()); service.courier.deliver(service.database, {delivery_id!r})"
    )
    env = {**os.environ, "ADAPTWIN_KILL_AT": "delivery_sent"}
    assert subprocess.run([sys.executable, "-c", program], env=env, check=False).returncode == EXIT_CODE
    let_pauses_end()
    deliver()
    assert [(row["state"], row["num_tries"]) for row in hook.log()] == [("delivered", 2)]
    assert len({request.headers["webhook-id"] for request in receiver.received}) == 1
    assert len(receiver.received) == 2


def test_the_client_does_all_of_it(owner: Principal, api: ApiProcess, receiver: Receiver):
    with Client(api.url, owner.token) as client:
        made_now = client.webhooks.create(receiver.url, [EventType.JOB_FAILED])
        assert client.webhooks.get(made_now.id).events == ["job.failed"]
        assert client.webhooks.change(made_now.id, WebhookChange(events=None)).events is None
        assert client.webhooks.change(made_now.id, WebhookChange(is_enabled=False)).is_enabled is False
        assert client.webhooks.change(made_now.id, WebhookChange(is_enabled=True)).events is None
        assert [hook.id for hook in client.webhooks.all()] == [made_now.id]
        asked = client.webhooks.test(made_now.id)
        deliver()
        (seen,) = client.webhooks.deliveries(made_now.id)
        assert (seen.id, seen.state, seen.event) == (asked.id, DeliveryState.DELIVERED, asked.event)
        assert client.webhooks.resend(made_now.id, seen.id).event_id == seen.event_id
        Verifier(made_now.secret).verify(receiver.received[0].body, dict(receiver.received[0].headers))
        client.webhooks.delete(made_now.id)
        assert client.webhooks.all() == []


def test_the_log_is_kept_for_a_month(owner: Principal, receiver: Receiver):
    hook = made(owner, receiver.url)
    tell(owner)
    tell(owner)
    deliver()
    old = hook.log()[0]["id"]
    with unit_of_work() as session:
        session.get_one(WebhookDelivery, old).finished_at = func.now() - timedelta(days=31)
    sweeper.sweep(service())
    assert old not in [row["id"] for row in hook.log()]
    assert len(hook.log()) == 1


def test_nobody_is_told_of_other_peoples_things(owner: Principal, stranger: Principal, receiver: Receiver):
    theirs = made(stranger, receiver.url)
    tell(owner)
    assert pending() == []
    assert owner.client.get(theirs.path).status_code == 404
    assert owner.client.get("/v1/webhooks").json()["items"] == []

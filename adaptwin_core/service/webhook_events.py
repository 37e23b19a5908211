"""Tells webhooks what happened, in the transaction in which it happens: an event and its change commit together."""

import json
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from adaptwin_core.domain.ids import new_id
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.states import JobState
from adaptwin_core.domain.webhooks import EventType
from adaptwin_core.service import broker, outbox
from adaptwin_core.store.queries import webhooks
from adaptwin_core.store.tables import Job, WebhookDelivery

_OF_JOB = {
    JobState.SUCCEEDED: EventType.JOB_SUCCEEDED,
    JobState.FAILED: EventType.JOB_FAILED,
    JobState.CANCELLED: EventType.JOB_CANCELLED,
}


def announce(session: Session, scope: TenantScope, event_type: EventType, **ids: str) -> None:
    """Tell every webhook of the tenant that wants events of this type. What happened is told by ids only."""
    event_id, body = new_id("evt"), body_of(event_type, **ids)
    for webhook in webhooks.enabled(session, scope):
        if webhook.events is None or event_type in webhook.events:
            send(session, WebhookDelivery(webhook_id=webhook.id, event_id=event_id, type=event_type, body=body))


def announce_job(session: Session, job: Job, *, model_id: str | None) -> None:
    """Tell that a job has ended; its other states are not told. `model_id`: the model to take."""
    event_type = _OF_JOB.get(JobState(job.state))
    if event_type is not None:
        ids = {"job_id": job.id, "dataset_id": job.dataset_id} | ({"model_id": model_id} if model_id else {})
        announce(session, TenantScope(job.tenant_id), event_type, **ids)


def body_of(event_type: str, **ids: str) -> str:
    """Return the body of an event that happens now."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps({"type": event_type, "timestamp": now, "data": ids})


def send(session: Session, delivery: WebhookDelivery) -> None:
    """Write a new delivery, with the message that has a worker send it."""
    delivery.id = new_id("dlv")
    session.add(delivery)
    outbox.enqueue(session, broker.TASK_DELIVER, broker.QUEUE_WEBHOOKS, [delivery.id])

"""A job's events as Server-Sent Events. Every server reads them from the database, once a second."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event
from sqlalchemy.orm import Session

from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.states import TERMINAL_JOB_STATES
from adaptwin_core.rest.jobs import EventOut
from adaptwin_core.service import jobs
from adaptwin_core.service.bootstrap import Service
from adaptwin_core.store.tables import Event
from api.deps import in_transaction

POLL_S = 1.0
KEEPALIVE_S = 15.0  # proxies close connections that are silent for longer
BATCH = 200


def stream_of(service: Service, scope: TenantScope, job_id: str, after_id: int) -> EventSourceResponse:
    """Return the events after `after_id` as they happen, until the job has ended and all are sent."""
    return EventSourceResponse(_events(service, scope, job_id, after_id), headers={"X-Accel-Buffering": "no"})


async def _events(service: Service, scope: TenantScope, job_id: str, after_id: int) -> AsyncIterator[bytes]:
    silent_s = 0.0
    while True:
        events, has_ended = await in_transaction(service, _look, scope, job_id, after_id)
        for event in events:
            shown = EventOut.model_validate(event)
            after_id = shown.id
            yield format_sse_event(data_str=shown.model_dump_json(), event=shown.kind, id=str(shown.id))
        if len(events) == BATCH:
            continue
        if has_ended:
            return
        silent_s = 0.0 if events else silent_s + POLL_S
        if silent_s >= KEEPALIVE_S:
            silent_s = 0.0
            yield KEEPALIVE_COMMENT
        await asyncio.sleep(POLL_S)


def _look(session: Session, scope: TenantScope, job_id: str, after_id: int) -> tuple[Sequence[Event], bool]:
    # The state is read first. A final state was committed with its event, so the second query finds that event.
    has_ended = jobs.get(session, scope, job_id).state in TERMINAL_JOB_STATES
    return jobs.events(session, scope, job_id, after_id=after_id, limit=BATCH), has_ended

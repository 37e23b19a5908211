"""/v1/jobs"""

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Header, Query, Request, Response

from adaptwin_core.domain.states import JobState
from adaptwin_core.rest.base import Page
from adaptwin_core.rest.jobs import EventOut, JobOut, JobSummary, NewJob
from adaptwin_core.service import job_control, jobs
from api.deps import After, Limit, Running, Scope, TenantRoute, announce, page_of
from api.event_stream import stream_of
from api.job_view import summary_of, view_of
from api.path_ids import JobId
from api.problems import documented

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], route_class=TenantRoute)

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="A value of your choice. If it is sent again with the same body, the first job is returned.",
    ),
]
InState = Annotated[JobState | None, Query(description="List only jobs in this state.")]
LastEventId = Annotated[
    int | None,
    Header(alias="Last-Event-ID", ge=0, lt=2**63, description="Id of the last event seen, as browsers send it."),
]


@router.post(
    "",
    status_code=201,
    responses={
        200: {"model": JobOut, "description": "the job was submitted before with the same key"},
        **documented(400, 404, 409, 410, 413, 429),
    },
)
def create_job(
    body: NewJob,
    scope: Scope,
    service: Running,
    response: Response,
    background: BackgroundTasks,
    idempotency_key: IdempotencyKey = None,
) -> JobOut:
    """Submit a job that makes one Whisper, or several to choose from, for the speaker of a ready dataset."""
    with service.database.transaction() as session:
        job, is_new = jobs.submit(
            session,
            scope,
            dataset_id=body.dataset_id,
            general_dataset_id=body.general_dataset_id,
            members=body.members,
            limits=body.limits,
            max_minutes=body.max_minutes,
            accept_little=body.accept_little,
            name=body.name,
            idempotency_key=idempotency_key,
            max_unfinished=service.settings.max_running_jobs,
            num_shards=service.settings.calibration_shards,
        )
        shown = view_of(session, scope, job, service.settings)
    response.headers["Location"] = f"/v1/jobs/{shown.id}"
    if not is_new:
        response.status_code = 200
        response.headers["Idempotency-Replayed"] = "true"
    background.add_task(announce, service)
    return shown


@router.get("")
def list_jobs(
    scope: Scope, service: Running, after: After = None, limit: Limit = 50, state: InState = None
) -> Page[JobSummary]:
    """List jobs, newest first."""
    with service.database.transaction() as session:
        rows, has_more = page_of(jobs.list_jobs(session, scope, after=after, limit=limit + 1, state=state), limit)
        return Page(items=[summary_of(row) for row in rows], has_more=has_more)


@router.get("/{job_id}", responses=documented(404))
def get_job(job_id: JobId, scope: Scope, service: Running) -> JobOut:
    """Show a job with the progress of each of its tasks, block by block."""
    with service.database.transaction() as session:
        return view_of(session, scope, jobs.get(session, scope, job_id), service.settings)


@router.post("/{job_id}/cancel", status_code=202, responses=documented(404, 409))
def cancel_job(job_id: JobId, scope: Scope, service: Running, background: BackgroundTasks) -> JobOut:
    """Cancel a job. Its workers stop within seconds."""
    with service.database.transaction() as session:
        shown = view_of(session, scope, jobs.cancel(session, scope, job_id), service.settings)
    background.add_task(announce, service)
    return shown


@router.post("/{job_id}/pause", status_code=202, responses=documented(404, 409))
def pause_job(job_id: JobId, scope: Scope, service: Running) -> JobOut:
    """Pause a job. The tasks that run stop within seconds and begin anew when it is resumed; finished ones are kept."""
    with service.database.transaction() as session:
        return view_of(session, scope, job_control.pause(session, scope, job_id), service.settings)


@router.post("/{job_id}/resume", status_code=202, responses=documented(404, 409))
def resume_job(job_id: JobId, scope: Scope, service: Running, background: BackgroundTasks) -> JobOut:
    """Let a paused job go on from its last finished task."""
    with service.database.transaction() as session:
        shown = view_of(session, scope, job_control.resume(session, scope, job_id), service.settings)
    background.add_task(announce, service)
    return shown


@router.post("/{job_id}/retry", status_code=202, responses=documented(404, 409, 410, 429))
def retry_job(job_id: JobId, scope: Scope, service: Running, background: BackgroundTasks) -> JobOut:
    """Try a job that failed or was cancelled again, from its last finished task."""
    with service.database.transaction() as session:
        job = job_control.retry(session, scope, job_id, max_unfinished=service.settings.max_running_jobs)
        shown = view_of(session, scope, job, service.settings)
    background.add_task(announce, service)
    return shown


@router.get(
    "/{job_id}/events",
    response_model=Page[EventOut],
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}, **documented(404)},
)
def list_events(  # FastAPI passes them by name
    job_id: JobId,
    request: Request,
    scope: Scope,
    service: Running,
    after: Annotated[int, Query(ge=0, lt=2**63, description="Id of the last event seen.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    last_event_id: LastEventId = None,
) -> Page[EventOut] | Response:
    """List the events of a job, oldest first. With `Accept: text/event-stream` they are streamed until the job ends."""
    with service.database.transaction() as session:
        rows, has_more = page_of(jobs.events(session, scope, job_id, after_id=after, limit=limit + 1), limit)
    if "text/event-stream" in request.headers.get("accept", ""):
        return stream_of(service, scope, job_id, after if last_event_id is None else last_event_id)
    return Page(items=[EventOut.model_validate(row) for row in rows], has_more=has_more)

"""Jobs as their owners see them: submit, follow, cancel."""

from collections.abc import Sequence

from sqlalchemy import func
from sqlalchemy.orm import Session

from adaptwin_core.domain import languages, submission
from adaptwin_core.domain.dataset_report import DatasetReport
from adaptwin_core.domain.digest import digest_json
from adaptwin_core.domain.errors import Conflict, InvalidInput
from adaptwin_core.domain.ids import new_id
from adaptwin_core.domain.members import Member, of_several
from adaptwin_core.domain.model_limits import NO_LIMITS, ModelLimits
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.stage_table import JOB_STAGES
from adaptwin_core.domain.states import TERMINAL_JOB_STATES, JobState, next_state
from adaptwin_core.domain.submission import Submission
from adaptwin_core.service import base_models, pipeline, quotas, readiness, time_budget
from adaptwin_core.service import events as event_log
from adaptwin_core.service.estimates import Asked
from adaptwin_core.store.queries import auth, datasets, owned
from adaptwin_core.store.queries import events as event_queries
from adaptwin_core.store.queries import jobs as queries
from adaptwin_core.store.queries import tasks as task_queries
from adaptwin_core.store.tables import Event, Job, JobMember, Task

ENDED = {JobState.SUCCEEDED: "has succeeded", JobState.FAILED: "has failed", JobState.CANCELLED: "is cancelled"}


def submit(
    session: Session,
    scope: TenantScope,
    *,
    dataset_id: str,
    general_dataset_id: str | None,
    members: Sequence[Member],
    limits: ModelLimits = NO_LIMITS,
    max_minutes: float | None = None,
    accept_little: bool = False,
    name: str | None = None,
    idempotency_key: str | None = None,
    max_unfinished: int,
    num_shards: int,
) -> tuple[Job, bool]:
    """Make a job and set its first stage out, or return the job that the same key made before.

    Args:
        members: the models that it makes.
        limits: what the model to take must fit.
        max_minutes: models are left out, the dearest first, until the rest is estimated to take no longer.
        max_unfinished: how many jobs a tenant may have that have not ended.
        num_shards: into how many tasks calibration is split.

    Returns:
        the job, and whether it is new.

    Raises:
        Conflict: the key was used for another request, or the speech is not ready.
        InvalidAudio: the speech is too little, and `accept_little` was not said.
        InvalidInput: both datasets are the same one.
        InvalidSpec: the base model lacks the language or cannot be cut so, or an error rate is wanted that too little
            transcribed speech is kept from training to judge.
        LimitExceeded: too many jobs are unfinished.
        NotFound: no such dataset or base model.
    """
    request = {
        "dataset": dataset_id,
        "general": general_dataset_id,
        "members": [member.model_dump(mode="json") for member in members],
        "limits": limits.model_dump(mode="json"),
        "max_minutes": max_minutes,
        "name": name,
    } | ({"accept_little": True} if accept_little else {})
    request_digest = digest_json(request)
    # One submission of a tenant at a time: two requests with one key cannot both find nothing.
    auth.lock_tenant(session, scope)
    if idempotency_key is not None and (old := queries.by_idempotency_key(session, scope, idempotency_key)) is not None:
        if old.request_digest != request_digest:
            raise Conflict(
                "this Idempotency-Key was used for another request; use a new key for a new job",
                code="idempotency_mismatch",
            )
        return old, False
    quotas.require_job_room(session, scope, max_unfinished)
    if general_dataset_id == dataset_id:
        raise InvalidInput("the general speech must be other people's: give another dataset, or none")
    speaker = _ready_speech(session, scope, dataset_id)
    general = None if general_dataset_id is None else _ready_speech(session, scope, general_dataset_id)
    if max_minutes is not None:
        asked = Asked(dataset_id, general_dataset_id, members, limits, accept_little)
        members = time_budget.within(session, scope, asked, max_minutes, num_shards=num_shards)
    settled = []
    for place, each in enumerate(members):
        with of_several(each.base_model, place, len(members)):
            settled.append(_settled(session, each, limits, speaker, general, accept_little=accept_little))
    job = Job(
        id=new_id("job"),
        tenant_id=scope.tenant_id,
        dataset_id=dataset_id,
        general_dataset_id=general_dataset_id,
        name=name,
        members=[
            JobMember(place=place, base_model_id=member.base_model, spec=each.spec)
            for place, (member, each) in enumerate(zip(members, settled, strict=True))
        ],
        limits=limits,
        accept_little=accept_little,
        idempotency_key=idempotency_key,
        request_digest=request_digest,
        state=JobState.QUEUED,
    )
    session.add(job)
    session.flush()
    event_log.add(session, job, "state", "the job is queued", state=job.state)
    for remark in dict.fromkeys(remark for each in settled for remark in each.remarks):
        event_log.add(session, job, "warning", remark.message, code=remark.code)
    pipeline.begin(session, job, JOB_STAGES[0], num_shards=num_shards)
    session.flush()
    return job, True


def get(session: Session, scope: TenantScope, job_id: str) -> Job:
    """Return one job. Raises NotFound."""
    return owned.get(session, scope, Job, job_id)


def list_jobs(
    session: Session, scope: TenantScope, *, after: str | None, limit: int, state: JobState | None = None
) -> Sequence[Job]:
    """Return jobs older than `after`, newest first, in one state or in all."""
    return owned.newest_first(session, scope, Job, after=after, limit=limit, state=state)


def tasks(session: Session, scope: TenantScope, job_id: str) -> Sequence[Task]:
    """Return the tasks a job has had so far, in the order they were made. Raises NotFound."""
    return task_queries.of_job(session, scope, get(session, scope, job_id).id)


def cancel(session: Session, scope: TenantScope, job_id: str) -> Job:
    """Stop a job at once; its workers notice at their next heartbeat.

    Raises:
        Conflict: it has finished.
        NotFound: no such job.
    """
    job = owned.get(session, scope, Job, job_id, lock=True)
    if job.state in TERMINAL_JOB_STATES:
        raise Conflict(f"the job {ENDED[JobState(job.state)]}: there is nothing left to stop", code="illegal_state")
    job.state = next_state(JobState(job.state), "cancel")
    job.finished_at = func.now()
    task_queries.cancel_open(session, scope, job.id)
    event_log.add(session, job, "state", "the job was cancelled", state=job.state)
    session.flush()
    session.refresh(job)
    return job


def events(session: Session, scope: TenantScope, job_id: str, *, after_id: int, limit: int) -> Sequence[Event]:
    """Return the next events of a job, oldest first. Raises NotFound."""
    return event_queries.after(session, scope, get(session, scope, job_id).id, after_id=after_id, limit=limit)


def _settled(
    session: Session,
    member: Member,
    limits: ModelLimits,
    speaker: DatasetReport,
    general: DatasetReport | None,
    *,
    accept_little: bool,
) -> Submission:
    """Return one model's settings as its speech allows them. Raises as `submit` does."""
    base = base_models.get(session, member.base_model)
    languages.require(member.spec.language, base.languages, base.id)
    return submission.submit(
        member.spec_for(base.shape, limits), base.shape, speaker, general, accept_little=accept_little
    )


def _ready_speech(session: Session, scope: TenantScope, dataset_id: str) -> DatasetReport:
    dataset = datasets.get(session, scope, dataset_id, lock="share")  # against its deletion
    return readiness.require_ready(dataset)

"""How a job goes on: the table of stages becomes tasks, and the last task of a stage begins the next."""

from typing import Any

from sqlalchemy import func
from sqlalchemy.orm import Session

from adaptwin_core.domain.ids import new_id
from adaptwin_core.domain.stage_table import JOB_STAGES, row_of, stages_of
from adaptwin_core.domain.stages import Outline, Owner, Stage
from adaptwin_core.domain.states import JobState, next_state
from adaptwin_core.domain.task_keys import TaskKey
from adaptwin_core.service import broker, events, outbox
from adaptwin_core.store.tables import BaseModel, Job, Model, Task


def begin(session: Session, job: Job, stage: Stage, *, num_shards: int) -> None:
    """Queue the tasks of a stage, or of the next one that has any, each with its message.

    Args:
        num_shards: into how many tasks calibration is split.
    """
    outline = outline_of(session, job, num_shards=num_shards)
    onward = ((later, row_of(later).keys(outline)) for later in JOB_STAGES[JOB_STAGES.index(stage) :])
    stage, keys = next((later, keys) for later, keys in onward if keys)
    for key in keys:
        add_task(session, stage, key, job_id=job.id)
    job.stage, job.remaining = stage, len(keys)
    events.add(
        session, job, "stage", f"{stage}: {len(keys)} task{'s' * (len(keys) > 1)}", stage=stage, num_tasks=len(keys)
    )


def outline_of(session: Session, job: Job, *, num_shards: int) -> Outline:
    """Return the facts that decide which tasks a job has."""
    return Outline(
        job.spec,
        session.get_one(BaseModel, job.base_model_id).shape,
        has_general=job.general_dataset_id is not None,
        num_shards=num_shards,
    )


def add_task(
    session: Session,
    stage: Stage,
    key: TaskKey,
    *,
    job_id: str | None = None,
    dataset_id: str | None = None,
    transcription_id: str | None = None,
) -> Task:
    """Queue a task, with the message that tells a worker of it."""
    task = Task(
        id=new_id("task"),
        job_id=job_id,
        dataset_id=dataset_id,
        transcription_id=transcription_id,
        stage=stage,
        key=str(key),
    )
    session.add(task)
    announce(session, task.id, stage)
    return task


def announce(session: Session, task_id: str, stage: Stage, *, delay_s: float = 0.0) -> None:
    """Write the message that tells a worker of a task."""
    outbox.enqueue(session, broker.TASK_RUN, row_of(stage).queue, [task_id], delay_s=delay_s)


def advance(session: Session, job: Job, manifest: dict[str, Any] | None, *, num_shards: int) -> None:
    """Go on from a stage whose tasks are all done: to the next stage, or, after the last, to a model.

    Args:
        job: locked by this transaction.
        manifest: of the model, once it is published.
    """
    position = JOB_STAGES.index(Stage(job.stage or "")) + 1
    if position < len(JOB_STAGES):
        begin(session, job, JOB_STAGES[position], num_shards=num_shards)
        return
    if manifest is None:
        raise ValueError("publish must hand over the manifest")
    job.state = next_state(JobState(job.state), "succeed")
    job.finished_at = func.now()
    model = Model(id=new_id("mdl"), tenant_id=job.tenant_id, job_id=job.id, manifest=manifest)
    session.add(model)
    verdict = manifest.get("verdict")  # manifests written by older versions have none
    told = "the model is ready"
    if verdict is not None:
        told += f": {verdict['sentence'][0].lower()}{verdict['sentence'][1:]}"
    events.add(session, job, "state", told, state=job.state, model_id=model.id, verdict=verdict)
    outline = outline_of(session, job, num_shards=num_shards)
    for stage in stages_of(Owner.EXPORT):
        for key in row_of(stage).keys(outline):
            add_task(session, stage, key, job_id=job.id)

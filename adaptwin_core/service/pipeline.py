"""How a job goes from stage to stage: which tasks a stage has, and what follows when the last of them is done."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from adaptwin_core.domain.errors import LeaseLost
from adaptwin_core.domain.ids import new_id
from adaptwin_core.domain.plan import ModelShape
from adaptwin_core.domain.planner import blocks_to_cut, needs_offers
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.states import JOB_STAGES, JobState, Stage, next_state
from adaptwin_core.service import broker, events, outbox
from adaptwin_core.store.blobs import Files, as_json
from adaptwin_core.store.tables import BaseModel, Job, Model, Task

WHOLE_MODEL = "model"  # key of the one task of a stage that works on all of it


def next_tasks(
    stage: Stage, spec: CompressionSpec, shape: ModelShape, *, num_shards: int, has_general: bool
) -> list[str]:
    """Return the keys of a stage's tasks, in the order they are announced; none where a stage is not needed."""
    is_left_out = {
        Stage.PERSONALIZE: spec.personal_steps == 0,
        Stage.CALIBRATE: not blocks_to_cut(spec, shape),
        Stage.WEIGH: not needs_offers(spec),
        Stage.SEARCH: spec.max_wer is None,
    }
    if is_left_out.get(stage, False):
        return []
    if stage is Stage.CALIBRATE:
        return [f"shard-{i}-of-{num_shards}" for i in range(num_shards)]
    if stage in {Stage.WEIGH, Stage.FACTORIZE}:
        return [str(block) for block in blocks_to_cut(spec, shape)]
    if stage is Stage.EVALUATE:
        speech = ("speaker", "general") if has_general else ("speaker",)
        return [f"{model}:{kind}" for kind in speech for model in ("base", "compressed")]
    return [WHOLE_MODEL]


def begin(session: Session, job: Job, stage: Stage, *, num_shards: int) -> None:
    """Set a job's stage out as queued tasks, each with its message; a stage without tasks is passed over."""
    base = session.get_one(BaseModel, job.base_model_id)
    keys = next_tasks(
        stage,
        job.spec,
        base.shape,
        num_shards=num_shards,
        has_general=job.general_dataset_id is not None,
    )
    if not keys:
        begin(session, job, JOB_STAGES[JOB_STAGES.index(stage) + 1], num_shards=num_shards)
        return
    tasks = [Task(id=new_id("task"), job_id=job.id, stage=stage, key=key) for key in keys]
    session.add_all(tasks)
    for task in tasks:
        announce(session, task.id, stage)
    job.stage, job.remaining = stage, len(tasks)
    events.add(
        session, job, "stage", f"{stage}: {len(tasks)} task{'s' * (len(tasks) > 1)}", stage=stage, num_tasks=len(tasks)
    )


def announce(session: Session, task_id: str, stage: str, *, delay_s: float = 0.0) -> None:
    """Write the message that rings for a task."""
    queue = broker.QUEUE_AUDIO if stage == Stage.INGEST else broker.QUEUE_MODEL
    outbox.enqueue(session, broker.TASK_RUN, queue, [task_id], delay_s=delay_s)


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
    verdict = manifest.get("verdict")  # none in what an older version made
    told = "the model is ready"
    if verdict is not None:
        told += f": {verdict['sentence'][0].lower()}{verdict['sentence'][1:]}"
    events.add(session, job, "state", told, state=job.state, model_id=model.id, verdict=verdict)
    for form in job.spec.exports:
        export(session, job, form)


def export(session: Session, job: Job, form: str) -> Task:
    """Have the model of a job made in another form."""
    task = Task(id=new_id("task"), job_id=job.id, stage=Stage.EXPORT, key=form)
    session.add(task)
    announce(session, task.id, Stage.EXPORT)
    return task


def exported(session: Session, job: Job, form: str, files: Files, verdict: dict[str, Any]) -> None:
    """Keep what an export's task made with the model, as long as that lives.

    Raises:
        LeaseLost: the model was deleted meanwhile.
    """
    model = session.scalars(select(Model).where(Model.job_id == job.id).with_for_update()).one()
    if model.deleted_at is not None:
        raise LeaseLost(f"the model was deleted while its export {form} was made")
    exports = {**model.manifest.get("exports", {}), form: {"files": as_json(files), "verdict": verdict}}
    model.manifest = {**model.manifest, "exports": exports}
    events.add(session, job, "task", f"export {form} done", stage=Stage.EXPORT, task=form)

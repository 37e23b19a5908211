"""How a job goes on: the table of stages becomes tasks, and the last task of a stage begins the next."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import func
from sqlalchemy.orm import Session

from adaptwin_core.domain.ids import new_id
from adaptwin_core.domain.stage_table import JOB_STAGES, row_of, stages_of
from adaptwin_core.domain.stages import Outline, Owner, Stage
from adaptwin_core.domain.states import JobState, next_state
from adaptwin_core.domain.task_keys import TaskKey
from adaptwin_core.service import broker, events, outbox, results
from adaptwin_core.store.blobs import as_json
from adaptwin_core.store.tables import BaseModel, Job, Model, Task


class Wanted(NamedTuple):
    """A task that is to be made, and the places of the models of the job that it is for."""

    key: TaskKey
    places: list[int]


def begin(session: Session, job: Job, stage: Stage, *, num_shards: int) -> None:
    """Queue the tasks of a stage, or of the next one that has any, each with its message.

    Args:
        num_shards: into how many tasks calibration is split.
    """
    outlines = outlines_of(session, job, num_shards=num_shards)
    onward = ((later, _wanted(later, outlines)) for later in JOB_STAGES[JOB_STAGES.index(stage) :])
    stage, wanted = next((later, wanted) for later, wanted in onward if wanted)
    tasks = _shared(results.JobInputs(session, job), stage, wanted) if len(outlines) > 1 else wanted
    for key, places in tasks:
        add_task(session, stage, key, job_id=job.id, models=places)
    job.stage, job.remaining = stage, len(tasks)
    events.add(
        session, job, "stage", f"{stage}: {len(tasks)} task{'s' * (len(tasks) > 1)}", stage=stage, num_tasks=len(tasks)
    )


def outlines_of(session: Session, job: Job, *, num_shards: int) -> list[Outline]:
    """Return the facts that decide which tasks each model of a job has."""
    return [
        Outline(
            member.spec,
            session.get_one(BaseModel, member.base_model_id).shape,
            has_general=job.general_dataset_id is not None,
            num_shards=num_shards,
            num_models=len(job.members),
        )
        for member in job.members
    ]


def add_task(
    session: Session,
    stage: Stage,
    key: TaskKey,
    *,
    job_id: str | None = None,
    dataset_id: str | None = None,
    models: Sequence[int] = (),
) -> Task:
    """Queue a task, with the message that tells a worker of it.

    Args:
        models: places of the models of the job that it is for.
    """
    task = Task(id=new_id("task"), job_id=job_id, dataset_id=dataset_id, stage=stage, key=str(key), models=list(models))
    session.add(task)
    announce(session, task.id, stage)
    return task


def announce(session: Session, task_id: str, stage: Stage, *, delay_s: float = 0.0) -> None:
    """Write the message that tells a worker of a task."""
    outbox.enqueue(session, broker.TASK_RUN, row_of(stage).queue, [task_id], delay_s=delay_s)


def advance(session: Session, job: Job, *, num_shards: int) -> None:
    """Go on from a stage whose tasks are all done: to the next stage, or, after the last, to the finished models.

    Args:
        job: locked by this transaction.
    """
    position = JOB_STAGES.index(Stage(job.stage or "")) + 1
    if position < len(JOB_STAGES):
        begin(session, job, JOB_STAGES[position], num_shards=num_shards)
        return
    job.state = next_state(JobState(job.state), "succeed")
    job.finished_at = func.now()
    models = [_publish(session, job, member.place) for member in job.members]
    place = 0 if job.choice is None else job.choice["take"]
    taken = None if place is None else models[place]
    verdict = None if taken is None else taken.manifest.get("verdict")
    told = "the model is ready" if len(models) == 1 else f"{len(models)} models are ready"
    if job.choice is not None:
        told += f". {job.choice['sentence']}"
    if verdict is not None:
        told += f": {_as_clause(verdict['sentence'])}" if len(models) == 1 else f" {verdict['sentence']}"
    model_id = None if taken is None else taken.id
    events.add(session, job, "state", told, state=job.state, model_id=model_id, verdict=verdict)
    if place is not None:  # other models are exported when a person asks for it
        outline = outlines_of(session, job, num_shards=num_shards)[place]
        for stage in stages_of(Owner.EXPORT):
            for key in row_of(stage).keys(outline):
                add_task(session, stage, key, job_id=job.id, models=[place])


def _publish(session: Session, job: Job, place: int) -> Model:
    """Make the row of a finished model. Its manifest lists the files as they were stored."""
    (made,) = results.made_by(session, job, Stage.PUBLISH, place).values()
    manifest = {**made.info, "files": as_json(made.files)}
    model = Model(id=new_id("mdl"), tenant_id=job.tenant_id, job_id=job.id, place=place, manifest=manifest)
    session.add(model)
    return model


def _wanted(stage: Stage, outlines: Sequence[Outline]) -> list[Wanted]:
    """Return the tasks of a stage: of each model, or of all together."""
    row = row_of(stage)
    if row.of_family:
        return [Wanted(key, list(range(len(outlines)))) for key in row.keys(outlines[0])]
    return [Wanted(key, [place]) for place, outline in enumerate(outlines) for key in row.keys(outline)]


def _shared(inputs: results.JobInputs, stage: Stage, wanted: Sequence[Wanted]) -> list[Wanted]:
    """Return the tasks with those made one whose results have the same name: equal work is done once for all models."""
    row = row_of(stage)
    by_name: dict[str, Wanted] = {}
    for key, places in wanted:
        name = inputs.of(row, key, places).result_key
        by_name.setdefault(name, Wanted(key, [])).places.extend(places)
    return list(by_name.values())


def _as_clause(sentence: str) -> str:
    return f"{sentence[0].lower()}{sentence[1:]}"

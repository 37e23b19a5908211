"""Jobs, their stages, tasks and events."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AliasChoices, Field, field_validator

from adaptwin_core.domain.contradictions import contradictions
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.states import JobState, TaskState
from adaptwin_core.domain.verdict import Verdict
from adaptwin_core.rest.base import Failure, In, Name, Out
from adaptwin_core.rest.ids import DATASET_ID


class NewJob(In):
    dataset_id: Annotated[str, Field(pattern=DATASET_ID, description="Dataset with the speech of the speaker.")]
    general_dataset_id: Annotated[str, Field(pattern=DATASET_ID)] | None = Field(
        None,
        description="Dataset with the speech of other people, so that the model still recognizes them. Without it the "
        "model is fitted to the speaker alone.",
    )
    base_model: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]
    name: Name | None = None
    spec: CompressionSpec = CompressionSpec.model_validate({})
    accept_little: bool = Field(
        False,
        description="Accept a job whose speech is too little, such as under a minute to train on, or none to test on. "
        "If this is false, such a job is refused.",
    )

    @field_validator("spec")
    @classmethod
    def _no_contradictions(cls, spec: CompressionSpec) -> CompressionSpec:
        if found := contradictions(spec):
            raise ValueError("; ".join(found))
        return spec


class TaskOut(Out):
    key: str = Field(examples=["encoder.3.self"])
    state: TaskState
    attempt: int
    progress: dict[str, Any] | None
    seconds: float | None = Field(description="Time from the first start of the task to its end, or until now.")
    error: Failure | None


class StageOut(Out):
    stage: Stage
    num_done: int
    num_tasks: int = Field(description="Tasks of the stage. It is 0 until the stage begins.")
    tasks: list[TaskOut]


class TimeSpan(Out):
    """Seconds: what is likely, and a range that four of five jobs fall into."""

    low_s: float
    likely_s: float
    high_s: float


class JobSummary(Out):
    id: str
    name: str | None
    state: JobState
    stage: Stage | None
    dataset_id: str
    general_dataset_id: str | None
    base_model: str = Field(validation_alias=AliasChoices("base_model", "base_model_id"))
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: Failure | None


class JobOut(JobSummary):
    spec: CompressionSpec
    accept_little: bool = Field(description="Whether the job was submitted with accept_little.")
    stages: list[StageOut]
    queue_position: int | None = Field(
        None,
        description="Place of the job's next task among all tasks that wait; 1 is taken next. It is null if none of "
        "its tasks waits.",
    )
    time_left: TimeSpan | None = Field(
        None,
        description="Time until the model is finished, for a paused job from when it is resumed. It is null once the "
        "job has ended.",
    )
    model_id: str | None = Field(description="The model that the job made, once it has succeeded.")
    verdict: Verdict | None = Field(
        description="Whether that model recognizes the speaker as well as the original does."
    )


class EventOut(Out):
    id: int
    created_at: datetime
    kind: str
    message: str
    data: dict[str, Any]

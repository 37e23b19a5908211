"""Jobs, their stages, tasks and events."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from adaptwin_core.domain.contradictions import contradictions
from adaptwin_core.domain.errors import InvalidSpec
from adaptwin_core.domain.members import MAX_MODELS, Member, Size, members_of
from adaptwin_core.domain.model_limits import NO_LIMITS, ModelLimits
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.states import JobState, TaskState
from adaptwin_core.domain.verdict import Verdict
from adaptwin_core.rest.base import Failure, In, Name, Out
from adaptwin_core.rest.ids import DATASET_ID

BaseModelId = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]


class NewJob(In):
    dataset_id: Annotated[str, Field(pattern=DATASET_ID, description="Dataset with the speech of the speaker.")]
    general_dataset_id: Annotated[str, Field(pattern=DATASET_ID)] | None = Field(
        None,
        description="Dataset with the speech of other people, so that the model still recognizes them. Without it the "
        "model is fitted to the speaker alone.",
    )
    base_model: BaseModelId | None = Field(None, description="Base model of the job, where it has one.")
    base_models: Annotated[tuple[BaseModelId, ...], Field(min_length=1, max_length=MAX_MODELS)] | None = Field(
        None, description="Base models of the job, in place of base_model. It makes models from each."
    )
    make: Literal["frontier"] | Annotated[tuple[Size, ...], Field(min_length=1, max_length=MAX_MODELS)] | None = Field(
        None,
        description="Sizes that every base model is made in, in place of the one in spec. frontier: a ladder of sizes, "
        "from a small model to a whole one. What several models have in common is done once.",
    )
    limits: ModelLimits = Field(
        NO_LIMITS, description="Limits for the model to take. The job names the best one within them."
    )
    max_minutes: float | None = Field(
        None,
        gt=0,
        description="Time that the job may take, as POST /v1/estimates tells it. Of several models, those of the "
        "largest base model are left out first, until the others fit.",
    )
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

    @model_validator(mode="after")
    def _names_its_models(self) -> Self:
        if (self.base_model is None) == (self.base_models is None):
            raise ValueError("give base_model, or base_models for several")
        try:
            _ = self.members
        except InvalidSpec as fault:
            raise ValueError(fault.message) from fault
        return self

    @property
    def members(self) -> tuple[Member, ...]:
        """The models that the job makes. Raises InvalidSpec: `make` contradicts the settings."""
        return members_of(self.base_models or (self.base_model or "",), self.spec, self.make)


class TaskOut(Out):
    key: str = Field(examples=["encoder.3.self"])
    models: list[int] = Field(description="Places of the models that the task is for, among those of the job.")
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
    base_models: list[str]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: Failure | None


class JobModelOut(Out):
    """One of the models that a job makes."""

    base_model: str
    spec: CompressionSpec
    model_id: str | None = Field(description="The finished model, once the job has succeeded, unless it was deleted.")
    verdict: Verdict | None = Field(description="Whether it recognizes the speaker as well as the original does.")


class Compared(Out):
    """One model beside the others of its job."""

    name: str
    base_model: str
    encoder_cut: float = Field(description="Share of the encoder's parameters that was removed.")
    decoder_cut: float = Field(description="Share of the parameters of the decoder's layers that was removed.")
    weights: str
    weights_bytes: int
    ms: float = Field(
        description="Milliseconds for an utterance of 4 s: estimated for the device of the limits or, without one, "
        "measured on the worker."
    )
    measured_ms: float
    margin_s: float | None = Field(description="Seconds after the speech at which its windows end; null: whole ones.")
    chosen_by: dict[str, Any] | None = Field(description="Errors on the validation clips, by which it was chosen.")
    speech: dict[str, Any] = Field(description="Error rates on the held-out clips, as in report.json.")
    is_on_frontier: bool = Field(description="No other model of the job beats it in bytes, time and errors.")


class ChoiceOut(Out):
    """The models of a job beside each other, in the order of `models`."""

    take: int | None = Field(description="Place of the model to take; null where none fits the limits.")
    sentence: str = Field(description="Which model to take, and why.")
    limits: ModelLimits
    models: list[Compared]


class JobOut(JobSummary):
    models: list[JobModelOut] = Field(description="The models that the job makes.")
    choice: ChoiceOut | None = Field(description="How several models compare, once they are evaluated.")
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
    model_id: str | None = Field(
        description="The model that the job made, once it has succeeded; of several, the one to take."
    )
    verdict: Verdict | None = Field(
        description="Whether that model recognizes the speaker as well as the original does."
    )

    @property
    def spec(self) -> CompressionSpec:
        """The settings of the first model, which of one model are those of the job."""
        return self.models[0].spec


class EventOut(Out):
    id: int
    created_at: datetime
    kind: str
    message: str
    data: dict[str, Any]

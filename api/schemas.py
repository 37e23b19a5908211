"""What goes in and out as JSON."""

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from fastapi import Path
from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from adaptwin_core.domain.contradictions import contradictions
from adaptwin_core.domain.dataset_report import DatasetReport
from adaptwin_core.domain.exports import ExportName
from adaptwin_core.domain.plan import ModelShape
from adaptwin_core.domain.refusals import Named
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.splits import Split
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.states import DatasetState, JobState, TaskState, UploadState
from adaptwin_core.domain.verdict import Verdict
from adaptwin_core.service.exports import ExportState
from adaptwin_core.store.blobs import as_json

T = TypeVar("T")

ULID = r"[0-9a-hjkmnp-tv-z]{26}$"
UploadId = Annotated[str, Path(pattern=f"^up_{ULID}", examples=["up_01k0000000000000000000000a"])]
DATASET_ID = f"^ds_{ULID}"
DatasetId = Annotated[str, Path(pattern=DATASET_ID, examples=["ds_01k0000000000000000000000a"])]
JobId = Annotated[str, Path(pattern=f"^job_{ULID}", examples=["job_01k0000000000000000000000a"])]
ModelId = Annotated[str, Path(pattern=f"^mdl_{ULID}", examples=["mdl_01k0000000000000000000000a"])]
FileName = Annotated[str, Path(max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["model.safetensors"])]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class In(Named):
    """What comes in: a misspelt name is answered with the nearest."""


class Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Page(Out, Generic[T]):
    """Some items. Ask for those after the last one's id while `has_more`."""

    items: list[T]
    has_more: bool


class Failure(Out):
    """Why something failed."""

    model_config = ConfigDict(extra="allow")

    code: str
    message: str


class NewDataset(In):
    name: Name


class UploadOut(Out):
    id: str
    file_name: str
    state: UploadState
    length: int = Field(description="bytes declared")
    offset: int = Field(description="bytes that are safe on disk")
    sha256: str | None
    expires_at: datetime


class DatasetSummary(Out):
    id: str
    name: str
    state: DatasetState
    created_at: datetime


class DatasetOut(DatasetSummary):
    digest: str | None = Field(description="of the speech: the same speech has the same digest")
    report: DatasetReport | None = Field(description="once the audio was read")
    error: Failure | None
    uploads: list[UploadOut] = []


class ClipOut(Out):
    id: str
    recording: str = Field(description="the file it was cut from")
    split: Split
    seconds: float
    text: str | None


class ParamCounts(Out):
    encoder: int = Field(description="without the fixed sinusoidal positions, as the literature counts")
    decoder: int
    total: int = Field(description="as `num_parameters()` of the loaded model")


class BaseModelOut(Out):
    id: str
    digest: str = Field(description="SHA-256 over its weight and tokenizer files")
    licence: str | None
    languages: list[str] | None = Field(
        description="that it can be asked for, by Whisper's codes; null for one registered before they were read, "
        "which takes jobs in English until it is registered again"
    )
    shape: ModelShape
    params: ParamCounts


class NewJob(In):
    dataset_id: Annotated[str, Field(pattern=DATASET_ID, description="the speaker's speech")]
    general_dataset_id: Annotated[str, Field(pattern=DATASET_ID)] | None = Field(
        None, description="other people's speech, to stay good at; without it the model is fitted to the speaker alone"
    )
    base_model: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]
    name: Name | None = None
    spec: CompressionSpec = CompressionSpec.model_validate({})
    accept_little: bool = Field(
        False,
        description="go on with speech that is too little, such as under a minute to train on, or none to test on; "
        "without this word such a job is refused",
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
    seconds: float | None = Field(description="from its first start to its end, or until now")
    error: Failure | None


class StageOut(Out):
    stage: Stage
    num_done: int
    num_tasks: int = Field(description="0 while the stage has not begun")
    tasks: list[TaskOut]


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
    accept_little: bool = Field(description="whether it was submitted with this word")
    stages: list[StageOut]
    model_id: str | None = Field(description="the model it made, once it has succeeded")
    verdict: Verdict | None = Field(description="on that model: whether it hears as well as the original")


class EventOut(Out):
    id: int
    created_at: datetime
    kind: str
    message: str
    data: dict[str, Any]


class ModelSummary(Out):
    id: str
    job_id: str
    created_at: datetime
    num_downloads: int


class ModelOut(ModelSummary):
    manifest: dict[str, Any] = Field(description="`files`: {name: {sha256, bytes}}, and the figures of the report")


class ExportFormatOut(Out):
    name: ExportName
    runtime: str = Field(description="what loads it, unmodified")
    note: str
    is_exact: bool = Field(description="its greedy text is the model's own")


class NewExport(In):
    format: ExportName


class ExportOut(Out):
    format: ExportName = Field(validation_alias=AliasChoices("format", "form"))
    state: ExportState
    progress: dict[str, Any] | None
    verdict: dict[str, Any] | None = Field(description="what was heard in its runtime, against the model itself")
    files: Annotated[dict[str, dict[str, Any]], BeforeValidator(as_json)] = Field(
        description="{name: {sha256, bytes}}, once it is ready"
    )
    error: Failure | None


class Live(Out):
    status: Literal["ok"] = "ok"


class Ready(Out):
    database: Literal["ok"]
    broker: Literal["ok", "down"] = Field(description="down: jobs are accepted and start when it is back")
    free_disk_bytes: int

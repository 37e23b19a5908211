"""The bodies of requests and answers, as JSON."""

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
    """The body of a request. A field that is not known is refused, with the nearest that is."""


class Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Page(Out, Generic[T]):
    """One page of items. While `has_more` is true, ask for the next page with the last id as `after`."""

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
    length: int = Field(description="Bytes that the whole file has, as the client declared.")
    offset: int = Field(description="Bytes that are stored on disk. The upload goes on from here.")
    sha256: str | None
    expires_at: datetime


class DatasetSummary(Out):
    id: str
    name: str
    state: DatasetState
    created_at: datetime


class DatasetOut(DatasetSummary):
    digest: str | None = Field(description="SHA-256 of the speech as it was read. The same speech has the same digest.")
    report: DatasetReport | None = Field(description="What was found in the audio, once it is read.")
    error: Failure | None
    uploads: list[UploadOut] = []


class ClipOut(Out):
    id: str
    recording: str = Field(description="The file that the clip was cut from.")
    split: Split
    seconds: float
    text: str | None = Field(description="The transcript. It is null if it is not known, and empty if nobody speaks.")


class ParamCounts(Out):
    encoder: int = Field(
        description="Parameters of the encoder, without its fixed sinusoidal positions, as papers count them."
    )
    decoder: int = Field(description="Parameters of the decoder, with its token and position embeddings.")
    total: int = Field(description="Parameters of the model as `num_parameters()` of transformers counts them.")


class BaseModelOut(Out):
    id: str
    digest: str = Field(description="SHA-256 over the files of weights and tokenizer.")
    licence: str | None
    languages: list[str] | None = Field(
        description="Languages that the model can transcribe, by Whisper's codes. If it is null, the model was "
        "registered by an older version: it takes jobs in English until it is registered again."
    )
    shape: ModelShape
    params: ParamCounts


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


class ModelSummary(Out):
    id: str
    job_id: str
    created_at: datetime
    num_downloads: int


class ModelOut(ModelSummary):
    manifest: dict[str, Any] = Field(
        description="`files` is {name: {sha256, bytes}}; the rest are the figures of the report."
    )


class ExportFormatOut(Out):
    name: ExportName
    runtime: str = Field(description="Program that loads it without changes.")
    note: str = Field(description="What the format is for, and what to know before choosing it.")
    is_exact: bool = Field(description="Whether greedy decoding gives the same text as the model itself.")


class NewExport(In):
    format: ExportName


class ExportOut(Out):
    format: ExportName = Field(validation_alias=AliasChoices("format", "form"))
    state: ExportState
    progress: dict[str, Any] | None
    verdict: dict[str, Any] | None = Field(description="Error rate in that runtime, compared with the model itself.")
    files: Annotated[dict[str, dict[str, Any]], BeforeValidator(as_json)] = Field(
        description="The files as {name: {sha256, bytes}}, once the export is ready."
    )
    error: Failure | None


class Live(Out):
    status: Literal["ok"] = "ok"


class Ready(Out):
    database: Literal["ok"]
    broker: Literal["ok", "down"] = Field(description="If it is down, jobs are accepted and start when it is back.")
    free_disk_bytes: int

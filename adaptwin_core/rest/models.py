"""Base models, finished models and their exports."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AliasChoices, Field

from adaptwin_core.domain.exports import ExportName
from adaptwin_core.domain.shape import ModelShape
from adaptwin_core.domain.states import ExportState
from adaptwin_core.rest.base import Failure, In, Out


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


class FileRef(Out):
    """The SHA-256 and the size of a file that can be downloaded."""

    sha256: str
    bytes: int


class ModelSummary(Out):
    id: str
    job_id: str
    name: str | None = Field(None, description="What it is in words; null if an older version made it.")
    created_at: datetime
    num_downloads: int = Field(
        description="Whole downloads of the model and its exports. A download counts once the last byte of the "
        "archive, or of the largest file, was sent. One in several requests counts once."
    )


class ModelOut(ModelSummary):
    manifest: dict[str, Any] = Field(
        description="`files` is {name: {sha256, bytes}}; the rest are the figures of the report. `window.margin_s` "
        "says how many seconds after the speech the model's windows end; null stands for whole windows of 30 s."
    )

    @property
    def files(self) -> dict[str, FileRef]:
        """The files of the model, by name."""
        return {name: FileRef.model_validate(file) for name, file in self.manifest["files"].items()}


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
    files: dict[str, FileRef] = Field(description="The files by their names, once the export is ready.")
    error: Failure | None


DAY_S = 24 * 3600


class NewLink(In):
    export: ExportName | None = Field(None, description="Export to download. Left out, it is the model itself.")
    file: Annotated[str, Field(max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$")] | None = Field(
        None, description="The one file to download. Left out, it is the archive of all files."
    )
    expires_in_s: int = Field(DAY_S, ge=1, le=7 * DAY_S, description="Seconds until the link ends.")


class LinkOut(Out):
    url: str = Field(description="Address that needs no key. It begins with the host that the request was sent to.")
    expires_at: datetime

"""Uploads, datasets and their clips."""

from datetime import datetime

from pydantic import Field

from adaptwin_core.domain.dataset_report import DatasetReport
from adaptwin_core.domain.splits import Split
from adaptwin_core.domain.states import DatasetState, UploadState
from adaptwin_core.rest.base import Failure, In, Name, Out


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


class UploadedFiles(Out):
    uploads: list[UploadOut] = Field(description="The files in the order in which they came.")


class DatasetSummary(Out):
    id: str
    name: str
    state: DatasetState
    created_at: datetime


class DatasetOut(DatasetSummary):
    digest: str | None = Field(description="SHA-256 of the speech as it was read. The same speech has the same digest.")
    report: DatasetReport | None = Field(description="What was found in the audio, once it is read.")
    error: Failure | None
    uploads: list[UploadOut] = Field(default=[])


class ClipOut(Out):
    id: str
    recording: str = Field(description="The file that the clip was cut from.")
    split: Split
    seconds: float
    text: str | None = Field(description="The transcript. It is null if it is not known, and empty if nobody speaks.")

"""What a job would be, before it is submitted."""

from typing import Literal

from pydantic import Field

from adaptwin_core.domain.stages import Stage
from adaptwin_core.rest.base import Failure, Out
from adaptwin_core.rest.jobs import TimeSpan


class PlannedModelOut(Out):
    base_model: str
    encoder_params: int = Field(description="Parameters of the encoder, as GET /v1/base-models counts them.")
    total_params: int
    bytes: int = Field(description="Bytes of the weights. The file has some 30 kB more, for their names.")
    tokens: int = Field(description="Tokens that the model keeps.")
    is_exact: bool
    why_not_exact: list[str] = Field(description="What the size also depends on, in sentences; empty if it is exact.")


class StageEstimate(Out):
    stage: Stage
    num_tasks: int
    num_kept: int = Field(description="Tasks whose results are there from an earlier job, so that they take no time.")
    time: TimeSpan


class WorkOut(Out):
    time: TimeSpan = Field(description="From now to the finished model, beside the jobs that wait or run.")
    alone: TimeSpan = Field(description="What it would be if no other job waited or ran.")
    stages: list[StageEstimate] = Field(description="The stages in their order, each as if no other job ran.")
    memory_bytes: int = Field(description="About what a worker needs for the largest task.")
    disk_bytes: int = Field(description="About what the results of the job take on disk, with the finished model.")


class EstimateOut(Out):
    problems: list[Failure] = Field(description="What submitting the job would refuse; empty if it may begin.")
    remarks: list[Failure] = Field(description="What to know of the job if it begins.")
    models: list[PlannedModelOut] = Field(description="The models in the order in which the job lists them.")
    work: WorkOut | None = Field(description="It is null if a problem leaves nothing to estimate.")
    workers: int = Field(description="Workers that are there now. If it is 0, the job waits until one is started.")
    rates: Literal["measured", "default"] = Field(
        description="Whether the times follow from tasks that these workers did, or from defaults for 2 cores."
    )

"""The verdict on a finished model compared with its original, as report, job and model card hold it."""

from typing import Literal

from pydantic import Field

from adaptwin_core.domain.frozen import Frozen

Outcome = Literal["better", "no_worse", "worse", "unknown"]


class Verdict(Frozen):
    """The verdict in words and in figures. `difference` and its interval are None where the outcome is unknown."""

    outcome: Outcome = Field(
        description="The result for the speaker, by the 95 % interval of the difference: better if it lies below 0, "
        "worse if above, no_worse if it contains 0. It is unknown if the held-out speech has no transcripts."
    )
    is_sure: bool = Field(description="Whether the held-out speech has enough clips and words for a judgement.")
    sentence: str = Field(description="The verdict as a sentence.")
    difference: float | None = Field(
        description="Error rate of the compressed model minus that of the original on the same clips; 0.01 is a point."
    )
    low: float | None = Field(description="Low end of the 95 % interval of the difference.")
    high: float | None = Field(description="High end of the 95 % interval of the difference.")
    margin_s: float | None = Field(
        None,
        description="Seconds after the speech at which the windows end that the model is heard in. Null means whole "
        "windows of 30 s. The original is always heard in those.",
    )
    others: Outcome | None = Field(description="The result for general speech, if the job has any.")
    advice: tuple[str, ...] = Field(description="What would make the result better or surer.")

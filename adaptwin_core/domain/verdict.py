"""The verdict on a finished model compared with its original, as report, job and model card hold it."""

from typing import Literal

from pydantic import Field

from adaptwin_core.domain.spec import Frozen

Outcome = Literal["better", "no_worse", "worse", "unknown"]


class Verdict(Frozen):
    """The verdict in words and in figures. `difference` and its interval are None where the outcome is unknown."""

    outcome: Outcome = Field(
        description="for the speaker, by the 95 % interval of the difference: better where it lies below 0, worse "
        "where above, no_worse where it holds 0; unknown without transcripts of held-out speech"
    )
    is_sure: bool = Field(description="whether there were clips and words enough to judge by")
    sentence: str = Field(description="the verdict as a person reads it")
    difference: float | None = Field(
        description="error rate of the compressed model minus that of the original on the same clips; 0.01 is a point"
    )
    low: float | None = Field(description="low end of its 95 % interval")
    high: float | None = Field(description="high end of its 95 % interval")
    others: Outcome | None = Field(description="the same for general speech, where that was given")
    advice: tuple[str, ...] = Field(description="what would help")

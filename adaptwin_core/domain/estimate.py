"""How long a job takes: the work of its tasks, over the rate at which workers do the work of each stage.

The rates here were measured on 2 cores. An installation corrects them by what its own tasks took: `Paces`.
"""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Final, NamedTuple

from adaptwin_core.domain.stage_table import JOB_STAGES
from adaptwin_core.domain.stages import Stage

# Multiplications a second of one task: of stages whose tasks share a machine on one core, of the others on two. They
# are those of whisper-tiny.en on a Xeon at 2.5 GHz, while other programs ran: bench/results/demo.json.
RATES: Final[dict[Stage, float]] = {
    Stage.VOCABULARY: 1e9,
    Stage.PERSONALIZE: 75e9,
    Stage.CALIBRATE: 62e9,
    Stage.WEIGH: 62e9,
    Stage.SEARCH: 68e9,
    Stage.FACTORIZE: 78e9,
    Stage.TUNE: 68e9,
    Stage.EVALUATE: 42e9,
    Stage.CHOOSE: 1e9,
    Stage.PUBLISH: 1e9,
}
START_S: Final = 1.0  # of every task: its inputs are fetched and its models loaded
FEW: Final = 3  # measured tasks, below which their own spread says too little
LEAST_SPREAD: Final = 1.15


class Span(NamedTuple):
    """Seconds: what is likely, and a range that four of five fall into."""

    low_s: float
    likely_s: float
    high_s: float


class Pace(NamedTuple):
    """Seconds that tasks took over those that the rates tell: the median, and the range of four of five."""

    low: float
    likely: float
    high: float


UNMEASURED: Final = Pace(0.4, 1.0, 2.0)


@dataclass(frozen=True)
class Paces:
    """What was measured of each stage here. A stage without measurements is as much slower or faster as the others."""

    of_stage: Mapping[Stage, Pace]

    @classmethod
    def measured(cls, ratios: Mapping[Stage, Sequence[float]]) -> "Paces":
        """Read the ratios of recent tasks: seconds measured over seconds by the rates."""
        return cls({stage: _pace(found) for stage, found in ratios.items() if found})

    @property
    def is_measured(self) -> bool:
        return bool(self.of_stage)

    def of(self, stage: Stage) -> Pace:
        if stage in self.of_stage:
            return self.of_stage[stage]
        if not self.of_stage:
            return UNMEASURED
        others = self.of_stage.values()
        likely = median(pace.likely for pace in others)
        return Pace(likely * UNMEASURED.low, likely, likely * UNMEASURED.high)


def task_seconds(stage: Stage, work: float) -> float:
    """Return how long a task takes by the rates."""
    return START_S + work / RATES[stage]


def span_of(left: Iterable[tuple[Stage, float]], paces: Paces, num_workers: int) -> Span:
    """Return how long tasks take on workers that do nothing else: stage after stage, those of each stage side by side.

    Args:
        left: stage, and seconds by the rates, of each task that is not done.
    """
    by_stage: dict[Stage, list[float]] = {}
    for stage, seconds in left:
        by_stage.setdefault(stage, []).append(seconds)
    low, likely, high = (
        sum(
            makespan(by_stage[stage], num_workers) * paces.of(stage)[bound] for stage in JOB_STAGES if stage in by_stage
        )
        for bound in range(len(Pace._fields))
    )
    return Span(low, likely, high)


def beside(own: Span, others: Iterable[Span], num_workers: int) -> Span:
    """Return how long a job takes while other jobs use the same workers.

    The tasks of all jobs take turns, so another job delays this one by as much as this one needs at most. Where there
    are several workers, they often do different jobs at once.
    """
    low, likely, high = own
    for other in others:
        likely += min(own.likely_s, other.likely_s) / num_workers
        high += min(own.high_s, other.high_s)
    return Span(low, likely, high)


def makespan(seconds: Sequence[float], num_workers: int) -> float:
    """Return when the last of several tasks is done. Each goes to the worker that is free first, the longest first."""
    ends = [0.0] * num_workers
    for one in sorted(seconds, reverse=True):
        heapq.heapreplace(ends, ends[0] + one)
    return max(ends)


def _pace(ratios: Sequence[float]) -> Pace:
    likely = median(ratios)
    if len(ratios) < FEW:
        return Pace(likely * UNMEASURED.low, likely, likely * UNMEASURED.high)
    tenths = quantiles(ratios, n=10, method="inclusive")
    return Pace(min(tenths[0], likely / LEAST_SPREAD), likely, max(tenths[-1], likely * LEAST_SPREAD))

"""How much of a job's time each stage takes, for a bar that shows the whole."""

from typing import Final

from adaptwin_core.domain.stage_table import JOB_STAGES
from adaptwin_core.domain.stages import Stage

# From the stages of bench/results/demo.json. A stage that a job leaves out counts as done.
STAGE_SHARES: Final = {
    Stage.VOCABULARY: 0.01,
    Stage.PERSONALIZE: 0.32,
    Stage.CALIBRATE: 0.14,
    Stage.WEIGH: 0.13,
    Stage.SEARCH: 0.0,
    Stage.FACTORIZE: 0.03,
    Stage.TUNE: 0.12,
    Stage.EVALUATE: 0.23,
    Stage.CHOOSE: 0.01,
    Stage.PUBLISH: 0.01,
}


def share_before(stage: Stage) -> float:
    """Return the share of a job that is done when a stage begins."""
    return sum(STAGE_SHARES[earlier] for earlier in JOB_STAGES[: JOB_STAGES.index(stage)])

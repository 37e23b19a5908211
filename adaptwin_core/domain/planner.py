"""How much each block keeps: turns the settings into a `RankPlan` for a model's shape.

The settings choose the plan: given ranks, measured, uniform, or successive (of the encoder; a decoder is then uniform).
`budgets.py` turns a wanted size into the share of each half to remove; `max_bytes` counts the weights as stored.
"""

from adaptwin_core.domain import budgets
from adaptwin_core.domain.errors import InvalidSpec
from adaptwin_core.domain.fixed_plans import given_ranks, successive_plan, uniform_plan
from adaptwin_core.domain.measured_plan import measured_plan
from adaptwin_core.domain.plan import BlockPlan, RankPlan
from adaptwin_core.domain.sensitivity import Sensitivities
from adaptwin_core.domain.shape import HALVES, BlockId, Half, ModelShape, blocks_of
from adaptwin_core.domain.spec import SEARCHED_CUTS, CompressionSpec
from adaptwin_core.domain.vocabulary import drops_tokens


def make_plan(
    spec: CompressionSpec, shape: ModelShape, sensitivities: Sensitivities | None = None, *, num_dropped: int = 0
) -> RankPlan:
    """Return what each block keeps, so that at least the wanted share is removed. Given ranks are taken as they are.

    Args:
        sensitivities: what was measured, for the measured plan. Without it every size is taken to lose nothing: the
            plan then tells whether the cut can be reached, not what it will be.
        num_dropped: tokens of the base model that `shape` is without.

    Raises:
        InvalidSpec: a rank is larger than what it cuts, the cut cannot be reached, or it leaves every block whole.
    """
    blocks: dict[str, BlockPlan] = {}
    for half, cut in _cuts_to_plan(spec, shape, num_dropped).items():
        if spec.ranks is not None:
            blocks |= given_ranks(spec.ranks, shape, half)
        elif spec.plan == "measured":
            blocks |= measured_plan(spec, shape, half, budgets.budget_of(shape, half, cut), sensitivities)
        elif spec.plan == "successive" and half == "encoder":
            blocks |= successive_plan(shape, cut)
        else:
            blocks |= uniform_plan(shape, half, cut)
    kept = {name: plan for name, plan in blocks.items() if not plan.is_whole}
    if blocks and not kept:
        raise InvalidSpec("these settings leave every block whole: ask for a larger cut, or for smaller ranks")
    return RankPlan(blocks=kept)


def blocks_to_cut(spec: CompressionSpec, shape: ModelShape) -> list[BlockId]:
    """Return the blocks that the plan may cut, known before anything is measured or any token is dropped.

    Args:
        shape: of the base model with all tokens. How many are dropped decides how much of a budget for the whole model
            is left for the layers, and that may be all or nothing.

    Raises:
        InvalidSpec: as make_plan.
    """
    if (spec.model_cut is not None or spec.max_bytes is not None) and drops_tokens(spec, shape):
        return [block for half in HALVES for block in blocks_of(shape, half)]
    if spec.has_measured_plan:
        return [block for half in _cuts_to_plan(spec, shape) for block in blocks_of(shape, half)]
    return [BlockId.parse(name) for name in make_plan(spec, shape).blocks]


def searched_cuts(spec: CompressionSpec, shape: ModelShape) -> list[float]:
    """Return the encoder cuts that a search for `max_wer` chooses from: those that this model allows, deepest first.

    Raises:
        InvalidSpec: it allows none.
    """
    allowed = []
    for cut in SEARCHED_CUTS:
        try:
            make_plan(spec.with_cut(cut), shape)
        except InvalidSpec:  # a model so small that little can be removed
            continue
        allowed.append(cut)
    if not allowed:
        raise InvalidSpec("this model is too small to search for a cut: give encoder_cut")
    return allowed


def _cuts_to_plan(spec: CompressionSpec, shape: ModelShape, num_dropped: int = 0) -> dict[Half, float]:
    """Return the share to remove of each half that is cut. With `max_wer` only the encoder is cut, by the most that a
    search may choose.

    Raises:
        InvalidSpec: the budget is out of reach.
    """
    if spec.max_wer is not None:
        return {"encoder": searched_cuts(spec, shape)[0]}
    return budgets.cuts_of(spec, shape, num_dropped=num_dropped)

"""How large the model of a job will be, as far as it is known before anything is measured."""

from dataclasses import dataclass

from adaptwin_core.domain.model_size import ModelSize, size_of
from adaptwin_core.domain.planner import make_plan, searched_cuts
from adaptwin_core.domain.shape import ModelShape
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.vocabulary import drops_tokens, smallest_shape

_TOKENS = "transcripts may need a few tokens more than the words of the languages do"
_MEASURED = (
    "the sizes of its parts follow from measurements of the speech; at least as many parameters go as the cut asks for"
)
_SEARCHED = "the cut is searched for; this is the size at the smallest of the cuts that are tried"


@dataclass(frozen=True)
class PlannedModel:
    """Attributes:
    tokens: how many it keeps.
    why_not_exact: sentences; none where the size is exact.
    """

    size: ModelSize
    tokens: int
    why_not_exact: tuple[str, ...]


def planned_model(spec: CompressionSpec, shape: ModelShape, *, num_kept: int | None = None) -> PlannedModel:
    """Return the size of a job's model.

    Args:
        shape: of the base model, with all tokens.
        num_kept: tokens that the job keeps, once they are chosen.

    Raises:
        InvalidSpec: the model cannot have the wanted size.
    """
    kept = smallest_shape(spec, shape) if num_kept is None else shape.with_tokens(num_kept)
    why = [_TOKENS] if num_kept is None and drops_tokens(spec, shape) else []
    if spec.max_wer is not None:
        spec = spec.with_cut(searched_cuts(spec, kept)[-1])
        why.append(_SEARCHED)
    elif spec.is_cut and spec.has_measured_plan:
        why.append(_MEASURED)
    plan = make_plan(spec, kept, num_dropped=shape.vocab_size - kept.vocab_size)
    return PlannedModel(size_of(kept, plan, spec.weights), kept.vocab_size, tuple(why))

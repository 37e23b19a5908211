"""Which settings of a job each of its tasks may see, and the version of what the stages make of them."""

from typing import Final

from adaptwin_core.domain.planner import has_measured_plan
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.states import Stage

CODE_VERSION: Final = 19  # raise it when a stage makes something else of the same inputs

_LEARNING = ("personal_steps", "tune_method", "tune_learning_rate", "tune_batch", "general_share")
_TUNING = (*_LEARNING, "tune_steps", "scale_steps")
_LAYER_TUNING = ("layer_steps", "layer_learning_rate", "lora_rank")
_SIZES = ("equal_heads", "plan_for")
ANY_CUT: Final = 0.35
ANY_WER: Final = 100.0


def stage_spec(stage: Stage, key: str, spec: CompressionSpec) -> CompressionSpec:
    """Return the settings as this task may see them: those it has no business with are at their defaults.

    So a result's name depends on nothing the result does not, and a changed tuning setting reuses all measurements.
    """
    if stage is Stage.EXPORT or (stage is Stage.EVALUATE and key.startswith("base:")):
        return CompressionSpec.model_validate({"language": spec.language, "seed": spec.seed})
    if stage is Stage.PERSONALIZE:
        return CompressionSpec.model_validate(spec.model_dump(include={"language", "seed", "lora_rank", *_LEARNING}))
    spec = spec.model_copy(update={"exports": ()})  # made of the finished model, by tasks of their own
    hidden = {
        Stage.CALIBRATE: (*_TUNING, *_LAYER_TUNING, *_SIZES, "start"),
        Stage.WEIGH: (*_TUNING, *_LAYER_TUNING, *_SIZES),
        Stage.SEARCH: _LAYER_TUNING[:2],  # trials go without the layer-wise phase
        Stage.FACTORIZE: _TUNING,
    }.get(stage, ())
    seen = spec.model_dump(mode="json", exclude=set(hidden))
    # How weights are stored decides what fits into bytes and what a trial hears, and nothing else here.
    if hidden and spec.max_bytes is None and stage is not Stage.SEARCH:
        del seen["weights"]
    if spec.weights != "int4":
        seen.pop("scale_steps", None)  # nothing then has scales to train
    if stage in {Stage.CALIBRATE, Stage.WEIGH} and has_measured_plan(spec):
        # Which halves are cut matters here; how deep does not, so other sizes reuse what was measured.
        of_whole = spec.model_cut is not None or spec.max_bytes is not None
        for name in ("encoder_cut", "decoder_cut"):
            seen[name] = ANY_CUT if of_whole or seen[name] > 0 else 0.0
        if spec.max_wer is not None:
            seen |= {"encoder_cut": ANY_CUT, "decoder_cut": 0.0}
        seen |= {"max_wer": None, "model_cut": None, "max_bytes": None, "weights": "float16"}
    if stage is Stage.FACTORIZE and spec.max_wer is not None:
        seen["max_wer"] = ANY_WER  # what it asked for is in the cut that was found
    return CompressionSpec.model_validate(seen)

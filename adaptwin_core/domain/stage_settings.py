"""Which settings of a job the tasks of each stage may see: the others are at their defaults.

So a result's name depends on nothing that the result does not, and a changed setting reuses what it does not touch.
"""

from typing import Final

from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.task_keys import Contender, EvaluationKey, TaskKey

_PERSONALIZING = ("personal_steps", "tune_method", "tune_learning_rate", "tune_batch", "general_share")
_TUNING = (*_PERSONALIZING, "tune_steps", "scale_steps")
_LAYER_TUNING = ("layer_steps", "layer_learning_rate", "lora_rank")
_SIZES = ("equal_heads", "plan_for")
ANY_CUT: Final = 0.35  # stands for every cut, where only what is cut matters and not how deep
ANY_WER: Final = 100.0


def of_vocabulary(spec: CompressionSpec, _key: TaskKey) -> CompressionSpec:
    return CompressionSpec.model_validate(spec.model_dump(include={"language", "languages", "vocabulary", "seed"}))


def of_personalize(spec: CompressionSpec, _key: TaskKey) -> CompressionSpec:
    """Every size of one person's model starts from the same personalized model."""
    return CompressionSpec.model_validate(spec.model_dump(include={"language", "seed", "lora_rank", *_PERSONALIZING}))


def of_calibrate(spec: CompressionSpec, _key: TaskKey) -> CompressionSpec:
    return _of_any_size(spec, _seen(spec, *_TUNING, *_LAYER_TUNING, *_SIZES, "start"))


def of_weigh(spec: CompressionSpec, _key: TaskKey) -> CompressionSpec:
    return _of_any_size(spec, _seen(spec, *_TUNING, *_LAYER_TUNING, *_SIZES))


def of_search(spec: CompressionSpec, _key: TaskKey) -> CompressionSpec:
    """Trials are stored as the model will be, and go without the layer-wise phase."""
    seen = _seen(spec, "layer_steps", "layer_learning_rate")
    return CompressionSpec.model_validate(seen | {"weights": spec.weights})


def of_factorize(spec: CompressionSpec, _key: TaskKey) -> CompressionSpec:
    seen = _seen(spec, *_TUNING)
    if spec.max_wer is not None:
        seen["max_wer"] = ANY_WER  # the rate that was asked for is already in the cut that was found
    return CompressionSpec.model_validate(seen)


def of_whole_job(spec: CompressionSpec, _key: TaskKey) -> CompressionSpec:
    """All settings but the exports, which are made of the finished model."""
    seen = spec.model_copy(update={"exports": ()}).model_dump(mode="json")
    return CompressionSpec.model_validate(_without_idle_scales(spec, seen))


def of_evaluate(spec: CompressionSpec, key: EvaluationKey) -> CompressionSpec:
    """The base model is the same in every job on the same speech."""
    return of_export(spec, key) if key.model is Contender.BASE else of_whole_job(spec, key)


def of_export(spec: CompressionSpec, _key: TaskKey) -> CompressionSpec:
    return CompressionSpec.model_validate({"language": spec.language, "seed": spec.seed})


def _seen(spec: CompressionSpec, *hidden: str) -> dict[str, object]:
    seen = spec.model_dump(mode="json", exclude={*hidden, "exports"})
    if spec.max_bytes is None:
        del seen["weights"]  # how weights are stored decides here only what fits into bytes
    return _without_idle_scales(spec, seen)


def _without_idle_scales(spec: CompressionSpec, seen: dict[str, object]) -> dict[str, object]:
    if spec.weights != "int4":
        seen.pop("scale_steps", None)  # nothing has scales to train
    return seen


def _of_any_size(spec: CompressionSpec, seen: dict[str, object]) -> CompressionSpec:
    """Which halves of the model are cut matters here; how deep does not, where the plan is measured."""
    if spec.has_measured_plan:
        of_whole = spec.model_cut is not None or spec.max_bytes is not None
        for name, cut in (("encoder_cut", spec.encoder_cut), ("decoder_cut", spec.decoder_cut)):
            seen[name] = ANY_CUT if of_whole or cut > 0 else 0.0
        if spec.max_wer is not None:
            seen |= {"encoder_cut": ANY_CUT, "decoder_cut": 0.0}
        seen |= {"max_wer": None, "model_cut": None, "max_bytes": None, "weights": "float16"}
    return CompressionSpec.model_validate(seen)

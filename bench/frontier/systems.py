"""Every system of the frontier: what it is called, and how its model is made from the same speech."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from adaptwin_core.ml.base.models import describe
from adaptwin_core.ml.model.loading import load_whisper
from adaptwin_core.ml.model.quantization import InputMoments
from adaptwin_core.ml.model.windows import pack
from adaptwin_core.ml.stages import blocks as recipe
from adaptwin_core.ml.stages.recipe import Setting
from adaptwin_core.ml.training.input_moments import measure_input_moments, weighted_windows
from adaptwin_core.ml.training.mixture import Mixture
from adaptwin_core.ml.training.teacher import Teacher
from bench.frontier import baselines
from bench.frontier.lora import plain_lora
from bench.kitchen import Kitchen, Made

ENCODER_ONLY = {"decoder_cut": 0.0}
NOTHING = 0.0  # a cut: the product tunes the model whole


class FrontierKitchen(Kitchen):
    """What every system is made from; what several need is made once."""

    def __init__(self, setting: Setting, smaller: Path | None, pca_clips: int, work: Path) -> None:
        super().__init__(setting, work)
        self.smaller, self.pca_clips = smaller, pca_clips
        self._listening: dict[Path, tuple[Teacher, Mixture]] = {}  # by the base model

    @cached_property
    def outputs(self) -> dict[str, baselines.OutputMoments]:
        speech, featurizer = self.setting.speaker, self.setting.featurizer()
        clips = speech.split("train")[: self.pca_clips]
        features = [featurizer.features([speech.audio(clip)]) for clip in clips]
        return baselines.measure_outputs(load_whisper(self.setting.base_folder), features)

    def inputs(self, made: Made) -> InputMoments:
        """Return what every matrix of a model is given: weights of 4 bits are rounded for it in every row."""
        setting, folder = made.setting, made.setting.base_folder
        if folder not in self._listening:
            teacher = Teacher(load_whisper(folder), setting.featurizer())
            self._listening[folder] = teacher, recipe.mixture_of(setting)
        teacher, mixture = self._listening[folder]
        return measure_input_moments(made.model, teacher, weighted_windows(mixture, setting.speaker_weight))

    def original(self) -> Made:
        return Made(load_whisper(self.setting.base_folder), 0.0, self.setting)

    def tuned(self, kitchen: Kitchen) -> Made:
        """A whole Whisper with adapters trained on the same speech without us, as many windows as ours learns from."""
        setting = kitchen.setting
        spec, featurizer = setting.spec, setting.featurizer()
        windows = pack(setting.speaker, "train", seed=spec.seed, labelled=True, num_tokens=setting.num_tokens)
        model = load_whisper(setting.base_folder)
        num_windows = (spec.personal_steps + spec.tune_steps) * spec.tune_batch
        began = time.perf_counter()
        tuned = plain_lora(model, featurizer, windows, num_windows=num_windows, seed=spec.seed)
        return Made(tuned, time.perf_counter() - began, setting)

    def original_tuned(self) -> Made:
        return self.tuned(self)

    def smaller_tuned(self) -> Made:
        return self.tuned(self.from_smaller)

    def smaller_as_it_is(self) -> Made:
        return Made(load_whisper(self.from_smaller.setting.base_folder), 0.0, self.from_smaller.setting)

    @cached_property
    def from_smaller(self) -> Kitchen:
        """Where the product's own models are made from the next smaller Whisper."""
        assert self.smaller is not None
        setting = replace(self.setting, base_folder=self.smaller, shape=describe(self.smaller)[1])
        return Kitchen(setting, self.folder("from smaller"))

    def forms(self, system: "System", precisions: Sequence[str]) -> Iterator[tuple[str, Made]]:
        """Yield a system's model for each form that is wanted, to be rounded to it unless it was made in it."""
        made = None
        for precision in precisions:
            if precision == "int4" and system.make_int4:
                yield precision, system.make_int4(self)
            else:
                made = made or replace(system.make(self), num_bytes=None)
                yield precision, made

    def cut_without_twins(self, cut: Callable[[Any], None]) -> Made:
        model = load_whisper(self.setting.base_folder)
        began = time.perf_counter()
        with torch.no_grad():
            cut(model)
        return Made(model, time.perf_counter() - began, self.setting)


@dataclass(frozen=True)
class System:
    """One model of the table, `is_quantized`: in every form of storage. `family` groups the points of one curve.

    `make_int4` makes what a job of 4 bits gives, which trains their scales; without it what `make` gives is rounded.
    """

    name: str
    family: str
    make: Callable[[FrontierKitchen], Made]
    is_quantized: bool = False
    make_int4: Callable[[FrontierKitchen], Made] | None = None


def systems(cuts: list[float], *, has_smaller: bool) -> list[System]:
    """Return every system. The others meet ours at the deepest of the cuts."""
    deep = max(cuts)
    at = f"encoder -{deep:.1%}"
    no_steps = {"personal_steps": 0, "tune_steps": 0}
    closed = no_steps | {"layer_steps": 0}
    plain = no_steps | {"start": "plain", "plan": "uniform", "encoder_cut": deep}
    ours = [
        _quantized(_named("ours", cut), "ours", _ours, encoder_cut=cut)
        for cut in sorted({*cuts, NOTHING}, reverse=True)
    ]
    all_layers = [
        _quantized(f"ours, all layers -{cut:.1%}", "ours, all layers", _ours, encoder_cut=cut, decoder_cut=cut)
        for cut in sorted({min(cuts), deep}, reverse=True)
    ]
    from_smaller = "ours from the next smaller"
    smaller = [
        *(
            _quantized(_named(from_smaller, cut), from_smaller, _ours_from_smaller, encoder_cut=cut)
            for cut in sorted({min(cuts), deep, NOTHING}, reverse=True)
        ),
        System("next smaller Whisper", "smaller", FrontierKitchen.smaller_as_it_is, is_quantized=True),
        System("next smaller Whisper, LoRA", "smaller, tuned", FrontierKitchen.smaller_tuned, is_quantized=True),
    ]
    return [
        System("original", "original", FrontierKitchen.original, is_quantized=True),
        *ours,
        System(f"ours without tuning, {at}", "ours, closed form", _ours(encoder_cut=deep, **closed)),
        *(smaller if has_smaller else []),
        System("original, LoRA", "original, tuned", FrontierKitchen.original_tuned, is_quantized=True),
        System("output PCA (LiteASR), 0.99 / 0.999", "output PCA", _output_pca(None)),
        System(f"output PCA (LiteASR), {at}", "output PCA", _output_pca(deep)),
        System(f"plain product SVD + layer-wise, {at}", "plain product SVD, tuned", _ours(**plain)),
        System(f"plain product SVD, {at}", "plain product SVD", _ours(**plain | closed)),
        System(f"independent SVD, {at}", "independent SVD", _independent_svd(deep)),
        *all_layers,
    ]


def _named(family: str, cut: float) -> str:
    return f"{family}, encoder -{cut:.1%}" if cut else f"{family}, nothing cut"


def _quantized(name: str, family: str, make: Callable[..., Callable[[FrontierKitchen], Made]], **cut: float) -> System:
    """Return a model of ours in every form."""
    return System(name, family, make(**cut), is_quantized=True, make_int4=make(**cut, weights="int4"))


def _ours(**changes: Any) -> Callable[[FrontierKitchen], Made]:
    return lambda kitchen: kitchen.make(kitchen.changed(**ENCODER_ONLY | changes))


def _ours_from_smaller(**changes: Any) -> Callable[[FrontierKitchen], Made]:
    return lambda kitchen: kitchen.from_smaller.make(kitchen.from_smaller.changed(**ENCODER_ONLY | changes))


def _output_pca(cut: float | None) -> Callable[[FrontierKitchen], Made]:
    def make(kitchen: FrontierKitchen) -> Made:
        outputs = kitchen.outputs  # measured before the clock starts, as for ours
        return kitchen.cut_without_twins(lambda model: baselines.output_pca(model, outputs, cut=cut))

    return make


def _independent_svd(cut: float) -> Callable[[FrontierKitchen], Made]:
    return lambda kitchen: kitchen.cut_without_twins(lambda model: baselines.independent_svd(model, cut))

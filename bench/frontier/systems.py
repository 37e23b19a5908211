"""Every system of the frontier: what it is called, and how its model is made from the same speech."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from adaptwin_core.domain.plan import RankPlan
from adaptwin_core.domain.planner import blocks_to_cut
from adaptwin_core.ml import recipe
from adaptwin_core.ml.adapter import load_whisper
from adaptwin_core.ml.assemble import assemble, load_compressed
from adaptwin_core.ml.base_models import describe
from adaptwin_core.ml.finetune import finetune
from adaptwin_core.ml.lessons import Teacher
from adaptwin_core.ml.measured import measure
from adaptwin_core.ml.setting import Setting
from bench.frontier import baselines

PCA_CLIPS = 100  # LiteASR calibrates on as many


@dataclass(frozen=True)
class Made:
    """A model, how long its tuning took, and the setting it was made in."""

    model: Any
    tuning_s: float
    setting: Setting


class Kitchen:
    """What systems are made from; what several need is made once and kept in `work`."""

    def __init__(self, setting: Setting, smaller: Path | None, work: Path) -> None:
        self.setting, self.smaller, self.work = setting, smaller, work

    @cached_property
    def measured(self) -> dict[str, Path]:
        return measure(self.setting, 0, 1, self._folder("moments"))

    @cached_property
    def weighed(self) -> dict[str, dict[str, Path]]:
        names = [str(block) for block in blocks_to_cut(self.setting.spec, self.setting.shape)]
        return {
            name: recipe.weigh_block(self.setting, name, [self.measured], self._folder(f"weigh {name}"))[0]
            for name in names
        }

    @cached_property
    def outputs(self) -> dict[str, baselines.OutputMoments]:
        speech, featurizer = self.setting.speaker, self.setting.featurizer()
        clips = speech.split("train")[:PCA_CLIPS]
        features = [featurizer.features([speech.audio(clip)]) for clip in clips]
        return baselines.measure_outputs(load_whisper(self.setting.base_folder), features)

    def original(self) -> Made:
        return Made(load_whisper(self.setting.base_folder), 0.0, self.setting)

    def ours(self, **changes: Any) -> Made:
        """The product's recipe with settings changed."""
        spec = self.setting.spec.model_validate(self.setting.spec.model_dump() | changes)
        setting = replace(self.setting, spec=spec, offers=recipe.read_offers(self.weighed))
        began = time.perf_counter()
        work = self._folder(f"ours {sorted(changes.items())}".replace("/", "-"))
        blocks = {}
        for name in setting.plan.blocks:
            place = work / name
            place.mkdir()
            files, _ = recipe.cut_block(setting, name, [self.measured], self.weighed[name], place)
            blocks[name] = files[recipe.BLOCK_FILE]
        recipe.tune_whole(setting, blocks, work / "model")
        return Made(load_compressed(work / "model"), time.perf_counter() - began, setting)

    def tuned(self, folder: Path) -> Made:
        """A whole Whisper with adapters trained on the same speech, merged."""
        setting = replace(self.setting, base_folder=folder, shape=describe(folder)[1])
        spec = setting.spec.model_copy(update={"tune_method": "adapters", "tune_learning_rate": None})
        began = time.perf_counter()
        teacher = Teacher(load_whisper(folder), setting.featurizer())
        student = assemble(folder, RankPlan(blocks={}), {})
        model = finetune(student, teacher, recipe.lessons_of(setting), spec).model
        return Made(model, time.perf_counter() - began, setting)

    def original_tuned(self) -> Made:
        return self.tuned(self.setting.base_folder)

    def smaller_tuned(self) -> Made:
        assert self.smaller is not None
        return self.tuned(self.smaller)

    def smaller_as_it_is(self) -> Made:
        assert self.smaller is not None
        setting = replace(self.setting, base_folder=self.smaller, shape=describe(self.smaller)[1])
        return Made(load_whisper(self.smaller), 0.0, setting)

    def cut_without_twins(self, cut: Callable[[Any], None]) -> Made:
        model = load_whisper(self.setting.base_folder)
        began = time.perf_counter()
        with torch.no_grad():
            cut(model)
        return Made(model, time.perf_counter() - began, self.setting)

    def _folder(self, name: str) -> Path:
        folder = self.work / name
        folder.mkdir(parents=True)
        return folder


@dataclass(frozen=True)
class System:
    """One line of the table; `family` groups the points of one curve."""

    name: str
    family: str
    make: Callable[[Kitchen], Made]
    also_int8: bool = False


def systems(cuts: list[float], deep: float, *, has_smaller: bool) -> list[System]:
    """Return every system. `deep` is the cut at which the others meet ours."""
    at = f"encoder -{deep:.1%}"
    closed = {"layer_steps": 0, "tune_steps": 0}
    plain = {"start": "plain", "plan": "uniform", "encoder_cut": deep, "tune_steps": 0}
    ours = [
        System(f"ours, encoder -{cut:.1%}", "ours", _ours(encoder_cut=cut), also_int8=True)
        for cut in sorted(cuts, reverse=True)
    ]
    smaller = [
        System("next smaller Whisper", "smaller", Kitchen.smaller_as_it_is, also_int8=True),
        System("next smaller Whisper, LoRA", "smaller, tuned", Kitchen.smaller_tuned, also_int8=True),
    ]
    return [
        System("original", "original", Kitchen.original, also_int8=True),
        *ours,
        System(f"ours without tuning, {at}", "ours, closed form", _ours(encoder_cut=deep, **closed)),
        *(smaller if has_smaller else []),
        System("original, LoRA (the ceiling)", "original, tuned", Kitchen.original_tuned, also_int8=True),
        System("output PCA (LiteASR), 0.99 / 0.999", "output PCA", _output_pca(None)),
        System(f"output PCA (LiteASR), {at}", "output PCA", _output_pca(deep)),
        System(f"plain product SVD + layer-wise, {at}", "plain product SVD, tuned", _ours(**plain)),
        System(f"plain product SVD, {at}", "plain product SVD", _ours(**plain | {"layer_steps": 0})),
        System(f"independent SVD, {at}", "independent SVD", _independent_svd(deep)),
    ]


def _ours(**changes: Any) -> Callable[[Kitchen], Made]:
    return lambda kitchen: kitchen.ours(**changes)


def _output_pca(cut: float | None) -> Callable[[Kitchen], Made]:
    def make(kitchen: Kitchen) -> Made:
        outputs = kitchen.outputs  # measured before the clock starts, as for ours
        return kitchen.cut_without_twins(lambda model: baselines.output_pca(model, outputs, cut=cut))

    return make


def _independent_svd(cut: float) -> Callable[[Kitchen], Made]:
    return lambda kitchen: kitchen.cut_without_twins(lambda model: baselines.independent_svd(model, cut))

"""The systems of the frontier: what each is called, and how its model is made from the same speech."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from adaptwin_core.ml.model.loading import load_whisper
from adaptwin_core.ml.model.quantization import InputMoments
from adaptwin_core.ml.model.windows import pack
from adaptwin_core.ml.stages.recipe import BaseModel
from adaptwin_core.ml.stages.training_data import mixture_of
from adaptwin_core.ml.training.input_moments import measure_input_moments, weighted_windows
from adaptwin_core.ml.training.mixture import Mixture
from adaptwin_core.ml.training.teacher import Teacher
from bench.frontier.lora import plain_lora
from bench.models import Made, Models

NOTHING_CUT = 0.0


@dataclass(frozen=True)
class System:
    """One model of the table. `family` joins the points of one line of the plot.

    A system is ours if it has the settings of a `job`. Otherwise it is a Whisper as it is, or one tuned with LoRA.
    """

    name: str
    family: str
    job: dict[str, Any] = field(default_factory=dict)
    is_smaller: bool = False
    has_lora: bool = False


def systems(cuts: Sequence[float], *, has_smaller: bool) -> list[System]:
    """Return every system. `cuts` are shares of the encoder that ours lose; ours of nothing cut is always there."""
    all_layers = [
        System(f"ours, all layers -{cut:.1%}", "ours, all layers", {"encoder_cut": cut, "decoder_cut": cut})
        for cut in sorted({min(cuts), max(cuts)}, reverse=True)
    ]
    found = [
        System("original", "original"),
        *_ours("ours", sorted({*cuts, NOTHING_CUT}, reverse=True), is_smaller=False),
        System("original, LoRA", "original, tuned", has_lora=True),
        *all_layers,
    ]
    if has_smaller:
        few = sorted({min(cuts), max(cuts), NOTHING_CUT}, reverse=True)
        found += [
            *_ours("ours from the next smaller", few, is_smaller=True),
            System("next smaller Whisper", "smaller", is_smaller=True),
            System("next smaller Whisper, LoRA", "smaller, tuned", is_smaller=True, has_lora=True),
        ]
    return found


def _ours(family: str, cuts: Sequence[float], *, is_smaller: bool) -> list[System]:
    return [
        System(
            f"{family}, encoder -{cut:.1%}" if cut else f"{family}, nothing cut",
            family,
            {"encoder_cut": cut, "decoder_cut": 0.0},
            is_smaller,
        )
        for cut in cuts
    ]


class Frontier:
    """Makes the model of every system in every form of storage."""

    def __init__(self, models: Models, smaller: BaseModel | None) -> None:
        self.models = models
        self.smaller = models.of_base(smaller) if smaller else None
        self._taught: dict[Path, tuple[Teacher, Mixture]] = {}  # by the base model

    def forms(self, system: System, wanted: Sequence[str]) -> Iterator[tuple[str, Made]]:
        """Yield a system's model for each wanted form.

        Ours in 4 bits is a job of its own, because a job trains the scales. Every other form is rounded from one model.
        """
        exact = None
        for form in wanted:
            if form == "int4" and system.job:
                yield form, self._models(system).make(**system.job, weights=form)
            else:
                exact = exact or replace(self._make(system), num_bytes=None)
                yield form, exact

    def inputs(self, made: Made) -> InputMoments:
        """Return the moments of every matrix's inputs, for which weights of 4 bits are rounded in every row."""
        recipe, folder = made.recipe, made.recipe.start.folder
        if folder not in self._taught:
            teacher = Teacher(load_whisper(folder), recipe.featurizer)
            self._taught[folder] = teacher, mixture_of(recipe, teacher_knows_speaker=False)
        teacher, mixture = self._taught[folder]
        return measure_input_moments(made.model, teacher, weighted_windows(mixture, recipe.speaker_weight))

    def _models(self, system: System) -> Models:
        found = self.smaller if system.is_smaller else self.models
        assert found is not None
        return found

    def _make(self, system: System) -> Made:
        models = self._models(system)
        if system.job:
            return models.make(**system.job)
        return _with_lora(models) if system.has_lora else models.original()


def _with_lora(models: Models) -> Made:
    """Return a whole Whisper tuned with LoRA on the same speech, with as many windows as ours learns from."""
    recipe, spec = models.recipe, models.recipe.spec
    windows = pack(recipe.speaker, "train", seed=spec.seed, labelled=True, num_tokens=recipe.num_tokens)
    num_windows = (spec.personal_steps + spec.tune_steps) * spec.tune_batch
    began = time.perf_counter()
    model = plain_lora(
        load_whisper(recipe.base.folder), recipe.featurizer, windows, num_windows=num_windows, seed=spec.seed
    )
    return Made(model, time.perf_counter() - began, recipe)

"""The models of a curve: the one a job makes, and others that differ from it in one thing."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from adaptwin_core.domain.digest import digest_json
from adaptwin_core.ml.base.models import describe, resolve
from adaptwin_core.ml.model.loading import load_whisper
from adaptwin_core.ml.stages.recipe import Setting
from adaptwin_core.speech.corpus import Corpus
from bench.kitchen import Kitchen, Made


@dataclass(frozen=True)
class Point:
    """One model. `steps` None: it is the original. `minutes` None: all the speech there is. `cut` None: as much of the
    encoder goes as in the job.
    """

    model: str
    steps: int | None
    minutes: float | None = None
    cut: float | None = None

    @property
    def name(self) -> str:
        name = self.model.removeprefix("package:")
        if self.steps is None:
            return f"{name}, original"
        name += f", {self.steps} steps, {'all speech' if self.minutes is None else f'{self.minutes:g} minutes'}"
        return name if self.cut is None else f"{name}, encoder -{self.cut:.0%}"


@dataclass(frozen=True)
class Line:
    """Points that differ in `varied`: steps, minutes, model or cut."""

    varied: str
    points: list[Point]

    def originals(self) -> list[Point]:
        return [Point(point.model, None) for point in self.points]


def lines(
    model: str,
    steps: int,
    *,
    other_steps: Sequence[int],
    minutes: Sequence[float],
    models: Sequence[str],
    cuts: Sequence[float],
) -> list[Line]:
    """Return a line for each thing that is varied, through the model that a job makes."""
    job = Point(model, steps)
    found = [
        Line("steps", [replace(job, steps=number) for number in sorted({*other_steps, steps})]),
        Line("minutes", [*(replace(job, minutes=some) for some in sorted(minutes)), job]),
        Line("model", [*(replace(job, model=other) for other in models), job]),
        Line("cut", [*(replace(job, cut=other) for other in sorted(cuts)), job]),
    ]
    return [line for line in found if len(line.points) > 1]


class Maker:
    """Makes the models; speech is measured once for each base model and length."""

    def __init__(self, setting: Setting, cache: Path, work: Path) -> None:
        self.setting, self.cache, self.work = setting, cache, work
        self._kitchens: dict[str, Kitchen] = {}

    def make(self, point: Point) -> Made:
        folder = resolve(point.model, self.cache)
        speaker = self.setting.speaker if point.minutes is None else shortened(self.setting.speaker, point.minutes)
        setting = replace(self.setting, base_folder=folder, shape=describe(folder)[1], speaker=speaker)
        if point.steps is None:
            return Made(load_whisper(folder), 0.0, setting)
        name = digest_json([point.model, point.minutes])[:12]
        kitchen = self._kitchens.setdefault(name, Kitchen(setting, self.work / name))
        cut = self.setting.spec.encoder_cut if point.cut is None else point.cut
        return kitchen.make(kitchen.changed(personal_steps=point.steps, encoder_cut=cut))


def removed(row: dict[str, Any], original: dict[str, Any]) -> float:
    """Return how much of the encoder a model lacks, in % of its parameters, from its row and its original's."""
    left = float(row["encoder_params"] / original["encoder_params"])
    return round(100 * (1 - left), 1)


def shortened(corpus: Corpus, minutes: float) -> Corpus:
    """Return the corpus with no more than so many minutes to train on; what judges stays."""
    kept: set[str] = set()
    seconds = 0.0
    clips = list(corpus.split("train"))
    random.Random(0).shuffle(clips)  # noqa: S311  # an order, not a secret
    for clip in clips:
        if seconds + clip.seconds <= 60 * minutes:
            kept.add(clip.id)
            seconds += clip.seconds
    return replace(corpus, clips=tuple(clip for clip in corpus.clips if clip.split != "train" or clip.id in kept))

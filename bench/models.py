"""The product's own models of one speaker, made by the settings of a job. What several models share is made once."""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from safetensors.torch import load_file

from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.submission import submit
from adaptwin_core.domain.task_keys import ModelKey
from adaptwin_core.ml.base.models import Base, describe, resolve
from adaptwin_core.ml.model.checkpoint import WEIGHTS_FILE, load_compressed
from adaptwin_core.ml.model.loading import load_whisper
from adaptwin_core.ml.stages.recipe import BaseModel, Recipe
from adaptwin_core.ml.stages.walk import Speech, Walk
from adaptwin_core.speech.corpus import Corpus

LEARNING = (Stage.PERSONALIZE, Stage.FACTORIZE, Stage.TUNE)  # what a model's seconds are of; measuring is shared


@dataclass(frozen=True)
class Made:
    """A model, how long learning and cutting took, and what it was made of."""

    model: Any
    tuning_s: float
    recipe: Recipe
    num_bytes: int | None = None  # of the weights as a job stored them


def base_model(source: str, cache: Path) -> BaseModel:
    """Return the base model of a source, such as `package:whisper-base`."""
    folder = resolve(source, cache)
    return BaseModel.of(Base(source, folder, describe(folder), cache))


class Models:
    """Makes models from one base model and one person's speech; what lies between the stages is kept in `work`."""

    def __init__(self, base: BaseModel, spec: CompressionSpec, speech: Speech, work: Path) -> None:
        self.recipe = Recipe(base, spec, speech.speaker, speech.general, {Stage.VOCABULARY: {}})
        self._speech, self._work = speech, work
        work.mkdir(parents=True, exist_ok=True)
        self._walk = Walk(speech, Path(tempfile.mkdtemp(dir=work)))

    def make(self, **settings: object) -> Made:
        """Return the model of a job: `settings` replace those of `recipe`."""
        recipe = self.recipe
        spec = CompressionSpec.model_validate(recipe.spec.model_dump() | settings)
        general = recipe.general.report() if recipe.general is not None else None
        spec = submit(spec, recipe.shape, recipe.speaker.report(), general, accept_little=True).spec
        done = self._walk.run(recipe.base, spec, until=Stage.TUNE)
        chosen = {key: task.result for key, task in done[Stage.VOCABULARY].items()}
        folder = done[Stage.TUNE][ModelKey()].result.folder
        seconds = sum(task.seconds for stage in LEARNING for task in done[stage].values())
        num_bytes = sum(tensor.nbytes for tensor in load_file(folder / WEIGHTS_FILE).values())
        return Made(
            load_compressed(folder), seconds, replace(recipe, spec=spec, results={Stage.VOCABULARY: chosen}), num_bytes
        )

    def original(self) -> Made:
        """Return the base model as it is."""
        return Made(load_whisper(self.recipe.base.folder), 0.0, self.recipe)

    def of_base(self, base: BaseModel) -> "Models":
        """Return what makes models of the same speech from another base model."""
        return Models(base, self.recipe.spec, self._speech, self._work)

    def of_speaker(self, speaker: Corpus) -> "Models":
        """Return what makes models of other speech from the same base model."""
        return Models(self.recipe.base, self.recipe.spec, replace(self._speech, speaker=speaker), self._work)

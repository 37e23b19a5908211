"""The product's own models of one speaker, made by the settings of a job. What several models share is made once."""

from dataclasses import replace
from pathlib import Path

from adaptwin_core.ml.base.models import describe
from adaptwin_core.ml.model.adapter import load_whisper
from adaptwin_core.ml.stages.recipe import Setting
from adaptwin_core.speech.corpus import Corpus
from bench.kitchen import Kitchen, Made

__all__ = ["Made", "Models"]


class Models:
    """Makes models from one base model and one person's speech; what lies between the stages is kept in `work`.

    The calibration covers every block that `setting` cuts, so a model may cut fewer blocks but no others.
    """

    def __init__(self, setting: Setting, work: Path) -> None:
        self.setting, self._work = setting, work
        self._kitchen = Kitchen(setting, work)

    def make(self, **settings: object) -> Made:
        """Return the model of a job: the settings of `setting`, with these in their place."""
        return self._kitchen.make(self._kitchen.changed(**settings))

    def original(self) -> Made:
        """Return the base model as it is."""
        return Made(load_whisper(self.setting.base_folder), 0.0, self.setting)

    def of_base(self, folder: Path) -> "Models":
        """Return what makes models of the same speech from another base model."""
        return self._apart(replace(self.setting, base_folder=folder, shape=describe(folder)[1]))

    def of_speaker(self, speaker: Corpus) -> "Models":
        """Return what makes models of other speech from the same base model."""
        return self._apart(replace(self.setting, speaker=speaker))

    def _apart(self, setting: Setting) -> "Models":
        return Models(setting, self._work / f"{setting.base_folder.name}-{setting.speaker.digest[:12]}")

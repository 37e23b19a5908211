"""What one model is made of: a base model, settings, speech, and what earlier stages have made of them."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path

from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.domain.model_limits import NO_LIMITS, ModelLimits
from adaptwin_core.domain.plan import RankPlan
from adaptwin_core.domain.planner import make_plan
from adaptwin_core.domain.sensitivity import Sensitivities, Sensitivity
from adaptwin_core.domain.shape import ModelShape
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.task_keys import ModelKey, SpeechKind, TaskKey
from adaptwin_core.ml.base.models import Base
from adaptwin_core.ml.base.reduced_folder import with_kept_tokens
from adaptwin_core.ml.base.sources import hub_id_of, licence_of, short_name
from adaptwin_core.ml.model.featurizer import Featurizer
from adaptwin_core.ml.model.windows import MAX_TEXT_TOKENS, NumTokens, Window, pack, too_wordy
from adaptwin_core.ml.stages.file_names import CUT_FILE, KEPT_TOKENS_FILE, SENSITIVITY_FILE
from adaptwin_core.ml.stages.task_result import TaskResult
from adaptwin_core.speech.corpus import Corpus

Results = Mapping[TaskKey, TaskResult]  # of one stage


@dataclass(frozen=True)
class BaseModel:
    """The model that a job starts from.

    Attributes:
        name: as a report tells it.
        licence: an SPDX identifier, if known.
        hub_id: its name on the Hugging Face Hub, if it is known to be there.
        find: returns its folder, and is asked only by a stage that reads the folder; raises CorruptBlob.
        cache: where a folder of it with fewer tokens is made.
    """

    name: str
    digest: str
    shape: ModelShape
    licence: str | None
    hub_id: str | None
    find: Callable[[], Path]
    cache: Path

    @classmethod
    def of(cls, base: Base) -> "BaseModel":
        """Return what a person named as base model, once it is found."""
        facts = base.facts
        return cls(
            short_name(base.source),
            facts.digest,
            facts.shape,
            licence_of(base.source),
            hub_id_of(base.source),
            lambda: base.folder,
            base.cache_dir,
        )

    @cached_property
    def folder(self) -> Path:
        return self.find()


@dataclass(frozen=True)
class Recipe:
    """`base` is the base model as it was found. What a job makes has the tokens that it keeps: `start` and `shape`.

    `spec` holds the settings that the stage at hand may see, `results` those of the stages that it may read.

    `family` holds the recipes of all models of the job, and `limits` what the model to take must fit. Only a stage that
    is for all models has them.

    A stage that was left out has no results; one that may not be read has no entry, and asking for it is a KeyError.
    """

    base: BaseModel
    spec: CompressionSpec
    speaker: Corpus
    general: Corpus | None
    results: Mapping[Stage, Results] = field(default_factory=dict)
    family: Sequence["Recipe"] = ()
    limits: ModelLimits = NO_LIMITS

    @cached_property
    def start(self) -> BaseModel:
        """The base model with the tokens that the job keeps: the base model itself, where it keeps all."""
        chosen = self.results[Stage.VOCABULARY]
        if not chosen:
            return self.base
        kept = json.loads(chosen[ModelKey()].files[KEPT_TOKENS_FILE].read_text())["kept"]
        return replace(
            self.base,
            shape=self.base.shape.with_tokens(len(kept)),
            find=lambda: with_kept_tokens(self.base.folder, kept, self.base.cache),
        )

    @property
    def shape(self) -> ModelShape:
        return self.start.shape

    @property
    def speaker_weight(self) -> float:
        """λ, which without general speech is 1."""
        return self.spec.speaker_weight if self.general is not None else 1.0

    @cached_property
    def whole_folder(self) -> Path:
        """Where the model lies that is measured and cut, and that teaches what comes of it: the base model, or what
        personalizing made of it.
        """
        personalized = self.results[Stage.PERSONALIZE]
        return personalized[ModelKey()].folder if personalized else self.start.folder

    @cached_property
    def calibrations(self) -> Sequence[Mapping[str, Path]]:
        """The files of every calibrated shard, in order."""
        shards = self.results[Stage.CALIBRATE]
        return [shards[key].files for key in sorted(shards, key=str)]

    @cached_property
    def sensitivities(self) -> Sensitivities | None:
        """What each size of each part of each block would lose, where it was measured."""
        weighed = self.results[Stage.WEIGH]
        return {
            str(block): [
                Sensitivity.model_validate(row) for row in json.loads(made.files[SENSITIVITY_FILE].read_text())
            ]
            for block, made in weighed.items()
        } or None

    @cached_property
    def plan(self) -> RankPlan:
        """The sizes of every block, by what was measured and by the cut that was found, where one was searched."""
        spec, searched = self.spec, self.results[Stage.SEARCH]
        if searched:
            found = json.loads(searched[ModelKey()].files[CUT_FILE].read_text())
            spec = spec.with_cut(float(found["encoder_cut"]))
        num_dropped = self.base.shape.vocab_size - self.shape.vocab_size
        return make_plan(spec, self.shape, self.sensitivities, num_dropped=num_dropped)

    @cached_property
    def featurizer(self) -> Featurizer:
        return Featurizer(self.start.folder, self.spec.language)

    @cached_property
    def num_tokens(self) -> NumTokens:
        """Return what counts the tokens of a transcript, so that no window has more than the decoder holds."""

        @cache
        def count(text: str) -> int:
            return self.featurizer.num_tokens(text)

        return count

    def corpus(self, kind: SpeechKind) -> Corpus | None:
        return self.speaker if kind is SpeechKind.SPEAKER else self.general

    def windows(self, kind: SpeechKind) -> list[Window]:
        """Return the windows of one kind of speech to train on; none where there is no such speech."""
        corpus = self.corpus(kind)
        return [] if corpus is None else pack(corpus, "train", seed=self.spec.seed, num_tokens=self.num_tokens)

    def speaker_windows(self) -> list[Window]:
        """Return the windows of the speaker's speech to train on.

        Raises:
            InvalidAudio: there are none.
        """
        windows = self.windows(SpeechKind.SPEAKER)
        if not windows and too_wordy(self.speaker, "train", self.num_tokens):
            raise InvalidAudio(
                f"every transcript to train on has over {MAX_TEXT_TOKENS} tokens, more than the model can say of one "
                "clip: cut the recordings into shorter ones",
                code="no_training_speech",
            )
        if not windows:
            raise InvalidAudio(
                "the speech has nothing to train on: mark some clips train, or leave the split column out",
                code="no_training_speech",
            )
        return windows

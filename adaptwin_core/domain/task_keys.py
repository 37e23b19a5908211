"""Which piece of a stage a task is. A key has one written form, which the database holds and the API shows."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Protocol, Self

from adaptwin_core.domain.audio import FITTED_MARGIN_S
from adaptwin_core.domain.exports import FORMATS


class TaskKey(Protocol):
    """Hashable; equal keys have equal written forms."""

    def __str__(self) -> str: ...

    def __hash__(self) -> int: ...

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the written form. Raises ValueError or InvalidSpec where it is another."""


class JudgedSplit(StrEnum):
    """The clips that models are judged by: validation chooses among them, and the test tells what was chosen."""

    VALID = "valid"
    TEST = "test"


class SpeechKind(StrEnum):
    SPEAKER = "speaker"
    GENERAL = "general"


class Contender(StrEnum):
    """A model that is evaluated."""

    BASE = "base"
    COMPRESSED = "compressed"


class WindowKind(StrEnum):
    """How long the windows are that a model hears in: they end soon after the sound, or are always of 30 s."""

    FITTED = "fitted"
    WHOLE = "whole"

    @classmethod
    def of(cls, margin_s: float | None) -> Self:
        return cls.WHOLE if margin_s is None else cls.FITTED

    @property
    def margin_s(self) -> float | None:
        """How long after the sound the window ends; None for a whole window."""
        return FITTED_MARGIN_S if self is WindowKind.FITTED else None


@dataclass(frozen=True)
class WholeKey:
    """The only task of its stage."""

    name: ClassVar[str]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def parse(cls, text: str) -> Self:
        if text != cls.name:
            raise ValueError(f"not {cls.name}: {text!r}")
        return cls()


@dataclass(frozen=True)
class DatasetKey(WholeKey):
    """All uploads of a dataset."""

    name: ClassVar[str] = "ingest"


@dataclass(frozen=True)
class TranscriptionKey(WholeKey):
    """The recording of a transcription."""

    name: ClassVar[str] = "recording"


@dataclass(frozen=True)
class ModelKey(WholeKey):
    """All of a model."""

    name: ClassVar[str] = "model"


@dataclass(frozen=True)
class FamilyKey(WholeKey):
    """All models of a job."""

    name: ClassVar[str] = "family"


@dataclass(frozen=True)
class ShardKey:
    """Every `count`-th window of the speech, from window `index` on."""

    index: int
    count: int

    def __str__(self) -> str:
        return f"shard-{self.index}-of-{self.count}"

    @classmethod
    def parse(cls, text: str) -> Self:
        match = re.fullmatch(r"shard-(\d+)-of-(\d+)", text)
        if match is None:
            raise ValueError(f"not a shard: {text!r}")
        return cls(int(match[1]), int(match[2]))


@dataclass(frozen=True)
class EvaluationKey:
    """One model on the clips of one split of one kind of speech, in windows of one kind."""

    model: Contender
    speech: SpeechKind
    window: WindowKind
    split: JudgedSplit = JudgedSplit.TEST

    def __str__(self) -> str:
        split = "" if self.split is JudgedSplit.TEST else f":{self.split}"
        return f"{self.model}:{self.speech}:{self.window}{split}"

    @classmethod
    def parse(cls, text: str) -> Self:
        # Kept models from before there were two kinds of windows have keys without one. Their exports still ask for it.
        parts = text.split(":")
        model, speech, window, split = parts + [WindowKind.WHOLE.value, JudgedSplit.TEST.value][len(parts) - 2 :]
        return cls(Contender(model), SpeechKind(speech), WindowKind(window), JudgedSplit(split))


@dataclass(frozen=True)
class ExportKey:
    """One form of a finished model: a name of `domain.exports.FORMATS`."""

    form: str

    def __str__(self) -> str:
        return self.form

    @classmethod
    def parse(cls, text: str) -> Self:
        if text not in FORMATS:
            raise ValueError(f"not a form of export: {text!r}")
        return cls(text)

"""What a stage is: its tasks, what they read and may see, and what they take. The stages are in stage_table.py."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from adaptwin_core.domain.shape import ModelShape
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.task_keys import (
    TaskKey,
)


class Stage(StrEnum):
    """What a task does. The stages of a job follow each other in this order."""

    INGEST = "ingest"
    VOCABULARY = "vocabulary"
    PERSONALIZE = "personalize"
    CALIBRATE = "calibrate"
    WEIGH = "weigh"
    SEARCH = "search"
    FACTORIZE = "factorize"
    TUNE = "tune"
    EVALUATE = "evaluate"
    CHOOSE = "choose"
    PUBLISH = "publish"
    EXPORT = "export"


class Owner(StrEnum):
    """What a task belongs to. The owner is told when the task is done or has failed."""

    DATASET = "dataset"
    JOB = "job"
    EXPORT = "export"


class Queue(StrEnum):
    """Which workers do a task."""

    AUDIO = "audio"  # those that read the files of strangers
    MODEL = "model"  # those that run models


class Cores(StrEnum):
    """How much of a machine a task takes."""

    SHARE = "share"  # other tasks of its stage run beside it
    ALL = "all"  # it is alone in its stage, or rare


class SpeechUse(StrEnum):
    """What a task needs of the speech. Hours of audio are fetched only for those that read it."""

    AUDIO = "audio"
    SPEAKER = "speaker"  # audio of the speaker, and nothing of others
    CLIPS = "clips"  # which clips there are, and their transcripts
    REPORT = "report"  # that, and what a person is told of the speech


@dataclass(frozen=True)
class Outline:
    """What decides which tasks the making of one model has. A job of several models has an outline of each.

    `num_models`: how many the job makes.
    """

    spec: CompressionSpec
    shape: ModelShape
    has_general: bool
    num_shards: int = 1
    num_models: int = 1


@dataclass(frozen=True)
class Row:
    """One stage. `does`: what a task does, and `per`: what one task is for, in words. `keys`: the tasks, none where the
    stage is not needed. `reads`: the stages whose results a task may read. `sees`: the settings that a task may see.
    `of_family`: a task is for all models of a job, and reads the results of all.
    """

    stage: Stage
    does: str
    per: str
    owner: Owner
    key: type[TaskKey]
    keys: Callable[[Outline], Sequence[TaskKey]]
    reads: Callable[[Any], tuple[Stage, ...]]
    sees: Callable[[CompressionSpec, Any], CompressionSpec]
    speech: SpeechUse
    cores: Cores
    queue: Queue = Queue.MODEL
    of_family: bool = False

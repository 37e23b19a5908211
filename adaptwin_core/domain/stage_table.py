"""The one table of stages: their tasks, the results and settings that each may read, and the speech and cores it needs.

The service makes tasks of the table (`service/pipeline.py`). `adaptwin compress` and the benches walk it in one process
(`ml/stages/walk.py`). A new stage needs a name in `stages.py`, a row here, and a function in `ml/stages/bodies.py`. The
stages that use its results name it in `reads`.
"""

from collections.abc import Callable
from typing import Final

from adaptwin_core.domain import stage_settings as settings
from adaptwin_core.domain.planner import blocks_to_cut
from adaptwin_core.domain.shape import BlockId
from adaptwin_core.domain.stages import Cores, Outline, Owner, Queue, Row, SpeechUse, Stage
from adaptwin_core.domain.task_keys import (
    Contender,
    DatasetKey,
    EvaluationKey,
    ExportKey,
    FamilyKey,
    JudgedSplit,
    ModelKey,
    ShardKey,
    SpeechKind,
    TaskKey,
    TranscriptionKey,
    WindowKind,
)
from adaptwin_core.domain.vocabulary import drops_tokens


def _blocks(outline: Outline) -> list[BlockId]:
    return blocks_to_cut(outline.spec, outline.shape)


def _one_if(is_needed: Callable[[Outline], bool]) -> Callable[[Outline], list[ModelKey]]:
    return lambda outline: [ModelKey()] if is_needed(outline) else []


# Whisper was trained on whole windows alone, so the base model is heard in those.
_HEARD = (
    (Contender.BASE, WindowKind.WHOLE),
    (Contender.COMPRESSED, WindowKind.WHOLE),
    (Contender.COMPRESSED, WindowKind.FITTED),
)


# By what the model to take is chosen: clips that no training saw and that the report is not of, in either window.
TO_CHOOSE_BY: Final = {
    window: EvaluationKey(Contender.COMPRESSED, SpeechKind.SPEAKER, window, JudgedSplit.VALID) for window in WindowKind
}


def _evaluations(outline: Outline) -> list[EvaluationKey]:
    speech = SpeechKind if outline.has_general else (SpeechKind.SPEAKER,)
    tested = [EvaluationKey(model, kind, window) for kind in speech for model, window in _HEARD]
    return tested + (list(TO_CHOOSE_BY.values()) if outline.is_chosen else [])


def _reads(*stages: Stage) -> Callable[[TaskKey], tuple[Stage, ...]]:
    return lambda _key: stages


_UP_TO_WEIGH = (Stage.VOCABULARY, Stage.PERSONALIZE, Stage.CALIBRATE, Stage.WEIGH)
_UP_TO_PUBLISH = (
    Stage.VOCABULARY,
    Stage.WEIGH,
    Stage.SEARCH,
    Stage.FACTORIZE,
    Stage.TUNE,
    Stage.EVALUATE,
    Stage.CHOOSE,
)

TABLE: Final = (
    Row(
        Stage.INGEST,
        does="reads what a person sent into one checked corpus",
        per="dataset",
        owner=Owner.DATASET,
        key=DatasetKey,
        keys=lambda _outline: [DatasetKey()],
        reads=_reads(),
        sees=lambda spec, _key: spec,
        speech=SpeechUse.AUDIO,
        cores=Cores.SHARE,
        queue=Queue.AUDIO,
    ),
    Row(
        Stage.VOCABULARY,
        does="chooses the tokens that the person's languages need",
        per="model",
        owner=Owner.JOB,
        key=ModelKey,
        keys=_one_if(lambda outline: drops_tokens(outline.spec, outline.shape)),
        reads=_reads(),
        sees=settings.of_vocabulary,
        speech=SpeechUse.CLIPS,
        cores=Cores.ALL,
    ),
    Row(
        Stage.PERSONALIZE,
        does="trains the whole model on its speaker",
        per="model",
        owner=Owner.JOB,
        key=ModelKey,
        keys=_one_if(lambda outline: outline.spec.personal_steps > 0),
        reads=_reads(Stage.VOCABULARY),
        sees=settings.of_personalize,
        speech=SpeechUse.AUDIO,
        cores=Cores.ALL,
    ),
    Row(
        Stage.CALIBRATE,
        does="sums second moments over the speech, and keeps the inputs of every block for a few windows",
        per="shard of the windows",
        owner=Owner.JOB,
        key=ShardKey,
        keys=lambda outline: (
            [ShardKey(index, outline.num_shards) for index in range(outline.num_shards)] if _blocks(outline) else []
        ),
        reads=_reads(Stage.VOCABULARY, Stage.PERSONALIZE),
        sees=settings.of_calibrate,
        speech=SpeechUse.AUDIO,
        cores=Cores.SHARE,
    ),
    Row(
        Stage.WEIGH,
        does="measures sensitivity: what each size of each part of a block would lose",
        per="block",
        owner=Owner.JOB,
        key=BlockId,
        keys=lambda outline: _blocks(outline) if outline.spec.has_measured_plan else [],
        reads=_reads(Stage.VOCABULARY, Stage.PERSONALIZE, Stage.CALIBRATE),
        sees=settings.of_weigh,
        speech=SpeechUse.CLIPS,
        cores=Cores.SHARE,
    ),
    Row(
        Stage.SEARCH,
        does="finds the deepest cut whose short trial stays within the wanted error rate",
        per="model",
        owner=Owner.JOB,
        key=ModelKey,
        keys=_one_if(lambda outline: outline.spec.max_wer is not None),
        reads=_reads(*_UP_TO_WEIGH),
        sees=settings.of_search,
        speech=SpeechUse.AUDIO,
        cores=Cores.ALL,
    ),
    Row(
        Stage.FACTORIZE,
        does="cuts a block in closed form, then tunes it alone against the same block of the whole model",
        per="block",
        owner=Owner.JOB,
        key=BlockId,
        keys=_blocks,
        reads=_reads(*_UP_TO_WEIGH, Stage.SEARCH),
        sees=settings.of_factorize,
        speech=SpeechUse.CLIPS,
        cores=Cores.SHARE,
    ),
    Row(
        Stage.TUNE,
        does="assembles the blocks, trains end to end to make up for the cut, and quantizes",
        per="model",
        owner=Owner.JOB,
        key=ModelKey,
        keys=_one_if(lambda _outline: True),
        reads=_reads(*_UP_TO_WEIGH, Stage.SEARCH, Stage.FACTORIZE),
        sees=settings.of_whole_job,
        speech=SpeechUse.AUDIO,
        cores=Cores.ALL,
    ),
    Row(
        Stage.EVALUATE,
        does="transcribes the held-out clips",
        per="model and window (base whole, compressed whole and fitted) and kind of speech, and, where one is "
        "chosen, the speaker's validation clips",
        owner=Owner.JOB,
        key=EvaluationKey,
        keys=_evaluations,
        reads=lambda key: () if key.model is Contender.BASE else (Stage.VOCABULARY, Stage.TUNE),
        sees=settings.of_evaluate,
        speech=SpeechUse.AUDIO,
        cores=Cores.SHARE,
    ),
    Row(
        Stage.CHOOSE,
        does="times all models of a job, compares them, and names the one to take",
        per="job of several models, or with limits",
        owner=Owner.JOB,
        key=FamilyKey,
        keys=lambda outline: [FamilyKey()] if outline.is_chosen else [],
        reads=_reads(Stage.VOCABULARY, Stage.TUNE, Stage.EVALUATE),
        sees=settings.of_whole_job,
        speech=SpeechUse.SPEAKER,
        cores=Cores.ALL,
        of_family=True,
    ),
    Row(
        Stage.PUBLISH,
        does="writes report, plots, model card and manifest",
        per="model",
        owner=Owner.JOB,
        key=ModelKey,
        keys=_one_if(lambda _outline: True),
        reads=_reads(*_UP_TO_PUBLISH),
        sees=settings.of_whole_job,
        speech=SpeechUse.REPORT,
        cores=Cores.SHARE,
    ),
    Row(
        Stage.EXPORT,
        does="writes another runtime's form and transcribes the held-out clips in that runtime",
        per="form",
        owner=Owner.EXPORT,
        key=ExportKey,
        keys=lambda outline: [ExportKey(form) for form in outline.spec.exports],
        reads=_reads(Stage.EVALUATE, Stage.PUBLISH),
        sees=settings.of_export,
        speech=SpeechUse.SPEAKER,
        cores=Cores.ALL,
    ),
    Row(
        Stage.TRANSCRIBE,
        does="writes down what is said in a recording that a person tries a finished model with",
        per="request",
        owner=Owner.TRANSCRIPTION,
        key=TranscriptionKey,
        keys=lambda _outline: [TranscriptionKey()],
        reads=_reads(),
        sees=lambda spec, _key: spec,
        speech=SpeechUse.AUDIO,
        cores=Cores.SHARE,
        queue=Queue.AUDIO,  # it is a stranger's file; and it overtakes the tasks of jobs, since somebody waits for it
    ),
)

_BY_STAGE = {row.stage: row for row in TABLE}


def row_of(stage: Stage) -> Row:
    """Return the row of a stage."""
    return _BY_STAGE[stage]


def stages_of(owner: Owner) -> tuple[Stage, ...]:
    """Return the stages whose tasks belong to `owner`, in the order in which they follow each other."""
    return tuple(row.stage for row in TABLE if row.owner is owner)


JOB_STAGES: Final = stages_of(Owner.JOB)

"""A whole job in one process: folders of speech are read, and a model's folder is written."""

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from adaptwin_core.domain.model_limits import NO_LIMITS, ModelLimits
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.submission import require_reachable, submit
from adaptwin_core.domain.task_keys import ModelKey, SpeechKind
from adaptwin_core.ml.base.models import Base
from adaptwin_core.ml.model.memory import give_back_freed
from adaptwin_core.ml.model.quiet import quiet_transformers
from adaptwin_core.ml.stages.recipe import BaseModel, Recipe
from adaptwin_core.ml.stages.search import clips_to_search_by
from adaptwin_core.ml.stages.walk import Member, Speech, Walk
from adaptwin_core.ml.stages.watcher import Watcher
from adaptwin_core.speech.corpus import Corpus
from adaptwin_core.speech.files.sources import read_folder
from adaptwin_core.speech.ingest import build_corpus
from adaptwin_core.speech.limits import Limits


class Ordered(NamedTuple):
    """A model that is asked for: its base model, found for the language of its settings, and the settings."""

    base: Base
    spec: CompressionSpec


def run_job(
    ordered: Sequence[Ordered],
    audio: Path,
    general: Path | None,
    out: Path,
    *,
    workdir: Path,
    limits: ModelLimits = NO_LIMITS,
    accept_little: bool = False,
    watcher: Watcher | None = None,
) -> dict[str, Any]:
    """Make models for the speaker in `audio`, and write them with their reports and plots to `out`.

    One model is written to `out` itself, each of several to a folder in it, named by its place: model-1, model-2, ...

    Args:
        limits: what the model to take must fit.
        workdir: an empty folder for what lies between the stages.
        accept_little: go on with speech that is too little, as `admit` tells.
        watcher: told of every task.

    Returns:
        the report of the model, or of the one to take; where none fits the limits, of the first.

    Raises:
        AdaptwinError: the speech, the settings or the model cannot be used; its message says why.
    """
    quiet_transformers()
    watcher = watcher or Watcher()
    for base, spec in ordered:
        require_reachable(spec, base.facts.shape)
    speaker = _read(SpeechKind.SPEAKER, audio, workdir, watcher)
    others = _read(SpeechKind.GENERAL, general, workdir, watcher) if general is not None else None
    told = others.report() if others is not None else None
    settled = [
        submit(spec, base.facts.shape, speaker.report(), told, accept_little=accept_little) for base, spec in ordered
    ]
    watcher.admitted(list(dict.fromkeys(remark for each in settled for remark in each.remarks)))
    members = [Member(BaseModel.of(base), each.spec) for (base, _), each in zip(ordered, settled, strict=True)]
    for model, spec in members:
        if spec.max_wer is not None:  # too few clips to search by are refused now, not in an hour
            clips_to_search_by(Recipe(model, spec, speaker, others, {Stage.VOCABULARY: {}}))
    done = Walk(Speech(speaker, others), workdir, watcher).run_family(members, limits=limits)
    published = [each[Stage.PUBLISH][ModelKey()].result for each in done]
    for place, result in enumerate(published):
        folder = out if len(published) == 1 else out / f"model-{place + 1}"
        folder.mkdir(parents=True, exist_ok=True)
        for name, path in result.files.items():
            take = shutil.move if len(published) == 1 else shutil.copy  # a file may be of several models
            take(path, folder / name)
    taken = published[0].figures.get("family", {}).get("take") or 0
    return dict(published[taken].figures)


def _read(kind: SpeechKind, folder: Path, workdir: Path, watcher: Watcher) -> Corpus:
    step, began = f"read {kind} speech", time.perf_counter()
    corpus = build_corpus(read_folder(folder), workdir / kind, Limits(), watcher.progress_of(step))
    give_back_freed()
    watcher.ended(step, time.perf_counter() - began)
    watcher.found(kind, corpus.report())
    return corpus

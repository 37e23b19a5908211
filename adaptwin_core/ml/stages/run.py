"""A whole job in one process: folders of speech are read, and a model's folder is written."""

import shutil
import time
from pathlib import Path
from typing import Any

from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.submission import require_reachable, submit
from adaptwin_core.domain.task_keys import ModelKey, SpeechKind
from adaptwin_core.ml.base.models import Base
from adaptwin_core.ml.model.memory import give_back_freed
from adaptwin_core.ml.model.quiet import quiet_transformers
from adaptwin_core.ml.stages.recipe import BaseModel, Recipe
from adaptwin_core.ml.stages.search import clips_to_search_by
from adaptwin_core.ml.stages.walk import Speech, Walk
from adaptwin_core.ml.stages.watcher import Watcher
from adaptwin_core.speech.corpus import Corpus
from adaptwin_core.speech.files.sources import read_folder
from adaptwin_core.speech.ingest import build_corpus
from adaptwin_core.speech.limits import Limits


def run_recipe(
    base: Base,
    audio: Path,
    general: Path | None,
    spec: CompressionSpec,
    out: Path,
    *,
    workdir: Path,
    accept_little: bool = False,
    watcher: Watcher | None = None,
) -> dict[str, Any]:
    """Compress `base` for the speaker in `audio` and write model, report and plots to `out`.

    Args:
        base: found for the language of `spec`.
        workdir: an empty folder for what lies between the stages.
        accept_little: go on with speech that is too little, as `admit` tells.
        watcher: told of every task.

    Returns:
        the report.

    Raises:
        AdaptwinError: the speech, the settings or the model cannot be used; its message says why.
    """
    quiet_transformers()
    watcher = watcher or Watcher()
    require_reachable(spec, base.facts.shape)
    speaker = _read(SpeechKind.SPEAKER, audio, workdir, watcher)
    others = _read(SpeechKind.GENERAL, general, workdir, watcher) if general is not None else None
    settled = submit(
        spec,
        base.facts.shape,
        speaker.report(),
        others.report() if others is not None else None,
        accept_little=accept_little,
    )
    watcher.admitted(settled.remarks)
    model = BaseModel.of(base)
    if settled.spec.max_wer is not None:
        clips_to_search_by(
            Recipe(model, settled.spec, speaker, others, {Stage.VOCABULARY: {}})
        )  # too few are refused now, not in an hour
    done = Walk(Speech(speaker, others), workdir, watcher).run(model, settled.spec)
    out.mkdir(parents=True, exist_ok=True)
    published = done[Stage.PUBLISH][ModelKey()].result
    for name, path in published.files.items():
        shutil.move(path, out / name)
    return dict(published.figures)


def _read(kind: SpeechKind, folder: Path, workdir: Path, watcher: Watcher) -> Corpus:
    step, began = f"read {kind} speech", time.perf_counter()
    corpus = build_corpus(read_folder(folder), workdir / kind, Limits(), watcher.progress_of(step))
    give_back_freed()
    watcher.ended(step, time.perf_counter() - began)
    watcher.found(kind, corpus.report())
    return corpus

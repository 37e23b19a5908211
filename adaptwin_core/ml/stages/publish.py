"""What both models transcribed becomes a report, and the model's folder is complete."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.domain.exports import CHECKPOINT
from adaptwin_core.domain.progress import Progress, no_progress
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.task_keys import Contender, EvaluationKey, ModelKey, SpeechKind
from adaptwin_core.ml.base.weights import weight_files
from adaptwin_core.ml.evaluation.held_out import held_out_clips
from adaptwin_core.ml.evaluation.manifest import write_manifest
from adaptwin_core.ml.evaluation.report import build_report, compare, silence, write_report
from adaptwin_core.ml.model.windows import MAX_TEXT_TOKENS, too_wordy
from adaptwin_core.ml.stages.file_names import TEXTS_FILE
from adaptwin_core.ml.stages.recipe import Recipe
from adaptwin_core.ml.stages.task_result import TaskResult

MAX_EXAMPLES = 5  # of recordings that are named
_LABELS = {Contender.BASE: "original", Contender.COMPRESSED: "compressed"}  # as the report calls them


def publish(recipe: Recipe, _key: ModelKey, out: Path, progress: Progress = no_progress) -> TaskResult:
    """Score what was transcribed, and write report and manifest.

    Returns:
        all files that are downloaded, the model's own among them; as figures the whole report.
    """
    progress(0, 1)
    model_files = recipe.results[Stage.TUNE][ModelKey()].files
    corpora = {kind: corpus for kind in SpeechKind if (corpus := recipe.corpus(kind)) is not None}
    speech, silent_speech = {}, {}
    for kind, corpus in corpora.items():
        clips = held_out_clips(corpus, kind)
        if not clips:
            continue
        made = {model: recipe.results[Stage.EVALUATE][EvaluationKey(model, kind)] for model in Contender}
        base, compressed = (json.loads(result.files[TEXTS_FILE].read_text()) for result in made.values())
        judged = clips, base, compressed, recipe.spec.language
        if (made_up := silence(*judged)) is not None:
            silent_speech[str(kind)] = made_up
        with suppress(InvalidInput):  # nobody says a word in these clips: there is nothing to score
            speech[str(kind)] = compare(*judged) | {"compute_s_per_audio_s": _speeds(made)}
    searched = recipe.results[Stage.SEARCH]
    report = build_report(
        base_model=recipe.base.name,
        base_digest=recipe.base.digest,
        shape=recipe.shape,
        base_shape=recipe.base.shape,
        plan=recipe.plan,
        spec=recipe.spec,
        speech=speech,
        silent_speech=silent_speech,
        bytes_of={
            "original": sum(path.stat().st_size for path in weight_files(recipe.base.folder)),
            "compressed": sum(
                path.stat().st_size for name, path in model_files.items() if name.endswith(".safetensors")
            ),
        },
        blocks={str(block): cut.figures for block, cut in recipe.results[Stage.FACTORIZE].items() if cut.figures},
        trials=searched[ModelKey()].figures["trials"] if searched else (),
        datasets={str(kind): corpus.report() for kind, corpus in corpora.items()},
    )
    if untaught := _untaught(recipe):
        report["not_taught"] = untaught
    report_files = write_report(report, out)
    manifest = write_manifest(
        {**model_files, **report_files},
        out,
        form=CHECKPOINT,
        report=report,
        verdict=None,
        licence=recipe.base.licence,
    )
    progress(1, 1)
    return TaskResult({**model_files, **report_files, **manifest}, report)


def _speeds(made: Mapping[Contender, TaskResult]) -> dict[str, float]:
    """Return how many seconds of compute each model took for a second of audio."""
    return {
        _LABELS[model]: round(result.figures["compute_s"] / result.figures["audio_s"], 4)
        for model, result in made.items()
    }


def _untaught(recipe: Recipe) -> dict[str, Any]:
    """Return of each kind of speech how many clips to train on were not taught, as their transcripts are too long."""
    found = {}
    for kind in SpeechKind:
        corpus = recipe.corpus(kind)
        clips = too_wordy(corpus, "train", recipe.num_tokens) if corpus is not None else []
        if clips:
            found[str(kind)] = {
                "num_clips": len(clips),
                "recordings": [clip.recording for clip in clips[:MAX_EXAMPLES]],
                "why": f"their transcripts have over {MAX_TEXT_TOKENS} tokens each, more than the model can say of one "
                "clip; cut these recordings into shorter ones",
            }
    return found

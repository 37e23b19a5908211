"""What both models transcribed decides the model's windows and becomes a report; the model's folder is complete."""

import json
from pathlib import Path
from typing import Any

from adaptwin_core.domain.exports import CHECKPOINT
from adaptwin_core.domain.progress import Progress, no_progress
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.task_keys import FamilyKey, ModelKey, SpeechKind, WindowKind
from adaptwin_core.ml.base.weights import weight_files
from adaptwin_core.ml.evaluation.manifest import write_manifest
from adaptwin_core.ml.evaluation.report import build_report, write_report
from adaptwin_core.ml.model.checkpoint import CONFIG_FILE
from adaptwin_core.ml.model.windows import MAX_TEXT_TOKENS, too_wordy
from adaptwin_core.ml.stages.heard import all_heard, in_window, window_choice_of
from adaptwin_core.ml.stages.recipe import Recipe
from adaptwin_core.ml.stages.task_result import TaskResult

MAX_EXAMPLES = 5  # of recordings that are named


def publish(recipe: Recipe, _key: ModelKey, out: Path, progress: Progress = no_progress) -> TaskResult:
    """Score what was transcribed, choose the windows that the model is for, and write report and manifest.

    Returns:
        all files that are downloaded, the model's own among them; as figures the whole report.
    """
    progress(0, 1)
    model_files = dict(recipe.results[Stage.TUNE][ModelKey()].files)
    heard = all_heard(recipe)
    choice = window_choice_of(heard)
    model_files[CONFIG_FILE] = _config(model_files[CONFIG_FILE], choice.window, out)
    silent_speech = {
        str(kind): made_up for kind, found in heard.items() if (made_up := found.silence(choice.window)) is not None
    }
    searched = recipe.results[Stage.SEARCH]
    report = build_report(
        base_model=recipe.base.name,
        base_digest=recipe.base.digest,
        base_hub_id=recipe.base.hub_id,
        shape=recipe.shape,
        base_shape=recipe.base.shape,
        plan=recipe.plan,
        spec=recipe.spec,
        speech=in_window(heard, choice.window),
        silent_speech=silent_speech,
        window=choice,
        bytes_of={
            "original": sum(path.stat().st_size for path in weight_files(recipe.base.folder)),
            "compressed": sum(
                path.stat().st_size for name, path in model_files.items() if name.endswith(".safetensors")
            ),
        },
        blocks={str(block): cut.figures for block, cut in recipe.results[Stage.FACTORIZE].items() if cut.figures},
        trials=searched[ModelKey()].figures["trials"] if searched else (),
        datasets={str(kind): corpus.report() for kind in SpeechKind if (corpus := recipe.corpus(kind)) is not None},
    )
    if untaught := _untaught(recipe):
        report["not_taught"] = untaught
    if chosen := recipe.results[Stage.CHOOSE]:
        report["family"] = chosen[FamilyKey()].figures
        model_files |= chosen[FamilyKey()].files
    report_files = write_report(report, out, licence=recipe.base.licence)
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


def _config(tuned: Path, window: WindowKind, out: Path) -> Path:
    """Write the model's configuration for windows of that kind, and return its path."""
    config = json.loads(tuned.read_text()) | {"adaptwin_margin_s": window.margin_s}
    path = out / CONFIG_FILE
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    return path


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

"""The deepest of a few encoder cuts that holds an error rate, found by bisection over short trials.

A trial is the recipe in short: closed-form cut, a quarter of the steps that follow it, and the transcripts of clips
that are kept from training. The model that follows is tuned in full; its own report tells what it reaches.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from adaptwin_core.domain.errors import InvalidSpec
from adaptwin_core.domain.planner import searched_cuts
from adaptwin_core.domain.progress import Progress, no_progress
from adaptwin_core.domain.shape import BlockId
from adaptwin_core.domain.spec import SEARCHED_CUTS
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.task_keys import ModelKey, TaskKey, WindowKind
from adaptwin_core.domain.units import unit_of
from adaptwin_core.domain.validation import require_enough
from adaptwin_core.domain.work import MAX_SEARCH_CLIPS, SEARCH_DIVISOR
from adaptwin_core.ml.evaluation.held_out import spread
from adaptwin_core.ml.evaluation.scoring import count_units, score
from adaptwin_core.ml.evaluation.window_choice import choose_window
from adaptwin_core.ml.model.checkpoint import load_compressed
from adaptwin_core.ml.model.device import device
from adaptwin_core.ml.model.transcription import transcribe
from adaptwin_core.ml.stages.factorize import factorize
from adaptwin_core.ml.stages.file_names import CUT_FILE
from adaptwin_core.ml.stages.recipe import Recipe
from adaptwin_core.ml.stages.task_result import TaskResult
from adaptwin_core.ml.stages.training_data import mixture_of
from adaptwin_core.ml.stages.tune import tune
from adaptwin_core.speech.corpus import Clip

MAX_TRIALS = len(SEARCHED_CUTS).bit_length()


def search(recipe: Recipe, _key: ModelKey, out: Path, progress: Progress = no_progress) -> TaskResult:
    """Find the deepest encoder cut whose trial has at most `max_wer`.

    Returns:
        the file that holds the cut, and every trial: its cut, the margin of its windows, words, units judged by, and
        error rates in %, the judged one and that of words, with their 95 % intervals.

    Raises:
        InvalidSpec: no cut holds the rate, or too little transcribed speech is kept from training.
    """
    limit = recipe.spec.max_wer
    assert limit is not None
    cuts = searched_cuts(recipe.spec, recipe.shape)
    clips = clips_to_search_by(recipe)
    trials: list[dict[str, Any]] = []

    def watch(done: int, total: int, /, **_figures: float) -> None:
        progress(len(trials) * 100 + 100 * done // max(total, 1), MAX_TRIALS * 100)

    deepest, shallowest = 0, len(cuts)
    while deepest < shallowest:
        middle = (deepest + shallowest) // 2
        work = out / f"trial-{cuts[middle]}"
        work.mkdir()
        heard = _trial(_shortened(recipe, cuts[middle]), clips, work, watch)
        trials.append({"encoder_cut": cuts[middle], **heard})
        deepest, shallowest = (deepest, middle) if heard["error_rate"] <= limit else (middle + 1, shallowest)
    if shallowest == len(cuts):
        raise InvalidSpec(
            f"no cut keeps this speaker's {unit_of(recipe.spec.language).rate} at {limit} %: a cut of "
            f"{trials[-1]['encoder_cut']:.0%} has {trials[-1]['error_rate']} %; allow more, send more speech, or start "
            "from a larger model",
            code="wer_out_of_reach",
        )
    path = out / CUT_FILE
    path.write_text(json.dumps({"encoder_cut": cuts[shallowest]}))
    return TaskResult({path.name: path}, {"trials": trials})


def clips_to_search_by(recipe: Recipe) -> list[Clip]:
    """Return transcribed clips that no training sees: the valid split, or the validation windows where there is none.

    Raises:
        InvalidSpec: they hold fewer than `LEAST_UNITS` words, or characters where the language is judged by those.
    """
    language = recipe.spec.language
    clips = recipe.speaker.split("valid")
    if not any(clip.text for clip in clips):
        validation = mixture_of(recipe, teacher_knows_speaker=False).speaker_validation
        clips = [clip for window in validation for clip in window.clips]
    clips = spread([clip for clip in clips if clip.text is not None], MAX_SEARCH_CLIPS)
    require_enough(sum(count_units(clip.text or "", language) for clip in clips), language)
    return clips


def _shortened(recipe: Recipe, cut: float) -> Recipe:
    """Return the recipe of a trial: the given cut, no layer-wise phase, a part of the steps after it."""
    fewer = {name: -(-getattr(recipe.spec, name) // SEARCH_DIVISOR) for name in ("tune_steps", "scale_steps")}
    short = recipe.spec.with_cut(cut).model_copy(update={"layer_steps": 0, **fewer})
    return replace(recipe, spec=short, results={**recipe.results, Stage.SEARCH: {}})


def _trial(recipe: Recipe, clips: Sequence[Clip], work: Path, progress: Progress) -> dict[str, Any]:
    """Return the words and units judged on, and the error rates in % with their intervals, of one cut.

    They are those in the windows that a model as good as the trial's would be published with.
    """
    blocks, num_steps = [BlockId.parse(name) for name in recipe.plan.blocks], recipe.spec.tune_steps
    total = len(blocks) + num_steps + len(WindowKind) * len(clips)

    def of_tuning(done: int, of: int, /, **_figures: float) -> None:
        progress(len(blocks) + num_steps * done // max(of, 1), total)

    cut: dict[TaskKey, TaskResult] = {}
    for block in blocks:
        (work / str(block)).mkdir()
        cut[block] = factorize(recipe, block, work / str(block))
        progress(len(cut), total)
    (work / "model").mkdir()
    tuned = tune(
        replace(recipe, results={**recipe.results, Stage.FACTORIZE: cut}), ModelKey(), work / "model", of_tuning
    )
    model = load_compressed(tuned.folder).to(device())
    scores = {}
    for before, window in enumerate(WindowKind):
        heard = transcribe(
            model,
            recipe.featurizer,
            recipe.speaker,
            clips,
            lambda done, of, /, _before=before, **_: progress(len(blocks) + num_steps + _before * of + done, total),
            margin_s=window.margin_s,
        )
        scores[window] = score([clip.text or "" for clip in clips], heard.texts, language=recipe.spec.language)
    window = choose_window(scores[WindowKind.FITTED], scores[WindowKind.WHOLE]).window
    found = scores[window]
    rates = {
        f"{rate}{end}": round(100 * getattr(found, f"{rate}{end}"), 2)
        for rate in ("error_rate", "wer")
        for end in ("", "_low", "_high")
    }
    return {**rates, "margin_s": window.margin_s, "num_units": found.num_units, "num_words": found.num_words}

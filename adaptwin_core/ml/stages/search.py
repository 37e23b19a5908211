"""The deepest of a few encoder cuts that holds an error rate, found by bisection over short trials.

A trial is the recipe in short: closed-form cut, a quarter of the steps that follow it, and the words of clips that
are kept from training. The model that follows is tuned in full; what it hears is told by its report.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from adaptwin_core.domain.errors import InvalidSpec
from adaptwin_core.domain.held_back import require_enough
from adaptwin_core.domain.planner import searched_cuts
from adaptwin_core.domain.progress import Progress, silent
from adaptwin_core.domain.spec import SEARCHED_CUTS
from adaptwin_core.domain.units import unit_of
from adaptwin_core.ml.evaluation.report import spread
from adaptwin_core.ml.evaluation.scoring import count_units, score
from adaptwin_core.ml.model.checkpoint import load_compressed
from adaptwin_core.ml.model.device import device
from adaptwin_core.ml.model.transcription import transcribe
from adaptwin_core.ml.stages import blocks as recipe
from adaptwin_core.ml.stages.recipe import Setting
from adaptwin_core.speech.corpus import Clip

CUT_FILE = "cut.json"
TRIAL_SHARE = 4  # one in so many of the steps after the cut
MAX_TRIALS = len(SEARCHED_CUTS).bit_length()
MAX_CLIPS = 60  # that a trial transcribes


def search_cut(
    setting: Setting,
    calibrations: Sequence[dict[str, Path]],
    weighed: dict[str, dict[str, Path]],
    out: Path,
    progress: Progress = silent,
) -> tuple[dict[str, Path], dict[str, Any]]:
    """Find the deepest encoder cut whose trial has at most `max_wer`.

    Args:
        calibrations: the files of every shard, in order.
        weighed: the files of `weigh_block` by block.

    Returns:
        the file that holds the cut, and every trial: its cut, words, units judged by, and error rates in %, the judged
        one and that of words, with their 95 % intervals.

    Raises:
        InvalidSpec: no cut holds the rate, or too little transcribed speech is kept from training.
    """
    limit = setting.spec.max_wer
    assert limit is not None
    cuts = searched_cuts(setting.spec, setting.shape)
    clips = judged_clips(setting)
    trials: list[dict[str, float]] = []

    def watch(done: int, total: int, /, **_figures: float) -> None:
        progress(len(trials) * 100 + 100 * done // max(total, 1), MAX_TRIALS * 100)

    deepest, shallowest = 0, len(cuts)
    while deepest < shallowest:
        middle = (deepest + shallowest) // 2
        work = out / f"trial-{cuts[middle]}"
        work.mkdir()
        fewer = {name: -(-getattr(setting.spec, name) // TRIAL_SHARE) for name in ("tune_steps", "scale_steps")}
        short = setting.spec.with_cut(cuts[middle]).model_copy(update={"layer_steps": 0, **fewer})
        heard = _trial(replace(setting, spec=short), calibrations, weighed, clips, work, watch)
        trials.append({"encoder_cut": cuts[middle], **heard})
        deepest, shallowest = (deepest, middle) if heard["error_rate"] <= limit else (middle + 1, shallowest)
    if shallowest == len(cuts):
        raise InvalidSpec(
            f"no cut keeps this speaker's {unit_of(setting.spec.language).rate} at {limit} %: a cut of "
            f"{trials[-1]['encoder_cut']:.0%} has {trials[-1]['error_rate']} %; allow more, send more speech, or start "
            "from a larger model",
            code="wer_out_of_reach",
        )
    path = out / CUT_FILE
    path.write_text(json.dumps({"encoder_cut": cuts[shallowest]}))
    return {path.name: path}, {"trials": trials}


def read_cut(files: dict[str, Path]) -> float:
    """Return the encoder cut from the files of `search_cut`."""
    return float(json.loads(files[CUT_FILE].read_text())["encoder_cut"])


def judged_clips(setting: Setting) -> list[Clip]:
    """Return transcribed clips that no training sees: the valid split, or what is held back where there is none.

    Raises:
        InvalidSpec: they hold fewer than `LEAST_UNITS` words, or characters where the language is judged by those.
    """
    language = setting.spec.language
    clips = setting.speaker.split("valid")
    if not any(clip.text for clip in clips):
        clips = [clip for window in recipe.mixture_of(setting).speaker_held_back for clip in window.clips]
    clips = spread([clip for clip in clips if clip.text is not None], MAX_CLIPS)
    require_enough(sum(count_units(clip.text or "", language) for clip in clips), language)
    return clips


def _trial(
    setting: Setting,
    calibrations: Sequence[dict[str, Path]],
    weighed: dict[str, dict[str, Path]],
    clips: Sequence[Clip],
    work: Path,
    progress: Progress,
) -> dict[str, float]:
    """Return the words and units judged on, and the error rates in % with their intervals, of one cut."""
    num_blocks, num_steps = len(setting.plan.blocks), setting.spec.tune_steps
    total = num_blocks + num_steps + len(clips)
    blocks = recipe.cut_blocks(
        setting, calibrations, weighed, work, lambda done, _blocks, /, **_: progress(done, total)
    )
    recipe.tune_whole(
        setting,
        calibrations,
        blocks,
        work / "model",
        lambda done, of, /, **_: progress(num_blocks + num_steps * done // max(of, 1), total),
    )
    model = load_compressed(work / "model").to(device())
    heard = transcribe(
        model,
        setting.featurizer(),
        setting.speaker,
        clips,
        lambda done, _total, /, **_: progress(num_blocks + num_steps + done, total),
    )
    found = score([clip.text or "" for clip in clips], heard.texts, language=setting.spec.language)
    rates = {
        f"{rate}{end}": round(100 * getattr(found, f"{rate}{end}"), 2)
        for rate in ("error_rate", "wer")
        for end in ("", "_low", "_high")
    }
    return {**rates, "num_units": found.num_units, "num_words": found.num_words}

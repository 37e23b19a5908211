"""The deepest of a few encoder cuts that holds a word error rate, found by bisection over short trials.

A trial is the recipe in short: closed-form cut, a quarter of the steps that follow it, and the words of clips that
are kept from training. The model that follows is tuned in full; what it hears is told by its report.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from adaptwin_core.domain.errors import InvalidSpec
from adaptwin_core.domain.planner import searched_cuts
from adaptwin_core.domain.spec import SEARCHED_CUTS
from adaptwin_core.ml import recipe
from adaptwin_core.ml.assemble import load_compressed
from adaptwin_core.ml.decode import transcribe
from adaptwin_core.ml.report import spread
from adaptwin_core.ml.scoring import score
from adaptwin_core.ml.setting import Progress, Setting, device, silent
from adaptwin_core.speech.corpus import Clip

CUT_FILE = "cut.json"
TRIAL_SHARE = 4  # one in so many of the steps after the cut
MAX_TRIALS = len(SEARCHED_CUTS).bit_length()
MAX_CLIPS = 60  # that a trial transcribes
MIN_WORDS = 100  # of them together: one word more or less is then one point at most


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
        the file that holds the cut, and every trial: its cut, words, and word error rate in % with its 95 % interval.

    Raises:
        InvalidSpec: no cut holds the rate, or too little transcribed speech is kept from training.
    """
    limit = setting.spec.max_wer
    assert limit is not None
    cuts = searched_cuts(setting.spec, setting.shape)
    clips = judged_clips(setting)
    trials: list[dict[str, float]] = []

    def watch(done: int, total: int, **_figures: Any) -> None:
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
        deepest, shallowest = (deepest, middle) if heard["wer"] <= limit else (middle + 1, shallowest)
    if shallowest == len(cuts):
        raise InvalidSpec(
            f"no cut keeps this speaker's word error rate at {limit} %: a cut of {trials[-1]['encoder_cut']:.0%} has "
            f"{trials[-1]['wer']} %; allow more, send more speech, or start from a larger model",
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
        InvalidSpec: they hold fewer than `MIN_WORDS` words.
    """
    clips = [clip for clip in setting.speaker.split("valid") if clip.text]
    if not clips:
        clips = [clip for window in recipe.lessons_of(setting).speaker_held_back for clip in window.clips if clip.text]
    clips = spread(clips, MAX_CLIPS)
    num_words = sum(len((clip.text or "").split()) for clip in clips)
    if num_words < MIN_WORDS:
        raise InvalidSpec(
            f"max_wer is judged on transcribed speech kept from training, and {num_words} words of it are too few: "
            f"send more transcribed speech, mark clips of {MIN_WORDS} words or more as valid, or give a cut instead",
            code="nothing_to_search_by",
        )
    return clips


def _trial(
    setting: Setting,
    calibrations: Sequence[dict[str, Path]],
    weighed: dict[str, dict[str, Path]],
    clips: Sequence[Clip],
    work: Path,
    progress: Progress,
) -> dict[str, float]:
    """Return the words judged on, and the word error rate in % with its interval, of one cut."""
    num_blocks, num_steps = len(setting.plan.blocks), setting.spec.tune_steps
    total = num_blocks + num_steps + len(clips)
    blocks = recipe.cut_blocks(setting, calibrations, weighed, work, lambda done, _blocks: progress(done, total))
    recipe.tune_whole(
        setting,
        calibrations,
        blocks,
        work / "model",
        lambda done, of, **_figures: progress(num_blocks + num_steps * done // max(of, 1), total),
    )
    model = load_compressed(work / "model").to(device())
    heard = transcribe(
        model,
        setting.featurizer(),
        setting.speaker,
        clips,
        lambda done, _total: progress(num_blocks + num_steps + done, total),
    )
    found = score([clip.text or "" for clip in clips], heard.texts, language=setting.spec.language)
    rates = {name: round(100 * getattr(found, name), 2) for name in ("wer", "wer_low", "wer_high")}
    return {**rates, "num_words": found.num_words}

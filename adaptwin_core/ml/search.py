"""The smallest model that holds a word error rate: the deepest of a few cuts whose probe does, found by bisection.

A probe is the recipe in short: closed-form cut, a quarter of the end-to-end steps, and the words of clips that are
kept from training. The model that follows is tuned in full, so it is expected to hear no worse than its probe.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from adaptwin_core.domain.errors import InvalidSpec
from adaptwin_core.domain.planner import SEARCHED_CUTS, searched_cuts
from adaptwin_core.ml import recipe
from adaptwin_core.ml.assemble import load_compressed
from adaptwin_core.ml.decode import transcribe
from adaptwin_core.ml.scoring import score
from adaptwin_core.ml.setting import FoundCut, Progress, Setting, device, silent
from adaptwin_core.speech.corpus import Clip

CUT_FILE = "cut.json"
PROBE_SHARE = 4  # one in so many of the end-to-end steps
MAX_PROBES = len(SEARCHED_CUTS).bit_length()


def search_cut(
    setting: Setting,
    calibrations: Sequence[dict[str, Path]],
    weighed: dict[str, dict[str, Path]],
    out: Path,
    progress: Progress = silent,
) -> tuple[dict[str, Path], dict[str, Any]]:
    """Find the deepest encoder cut whose probe has at most `max_wer`.

    Args:
        calibrations: the files of every shard, in order.
        weighed: the files of `weigh_block` by block.

    Returns:
        the file that holds the cut and its probes, and no figures.

    Raises:
        InvalidSpec: no cut holds the rate, or no transcribed speech is kept from training.
    """
    limit = setting.spec.max_wer
    assert limit is not None
    clips = _judged_clips(setting)
    probes: list[dict[str, float]] = []

    def watch(done: int, total: int, **_figures: Any) -> None:
        progress(len(probes) * 100 + 100 * done // max(total, 1), MAX_PROBES * 100)

    cuts = searched_cuts(setting.spec, setting.shape)
    deepest, shallowest = 0, len(cuts)
    while deepest < shallowest:
        middle = (deepest + shallowest) // 2
        cut = cuts[middle]
        work = out / f"probe-{cut}"
        work.mkdir()
        wer = _probe(replace(setting, spec=setting.spec.with_cut(cut)), calibrations, weighed, clips, work, watch)
        probes.append({"encoder_cut": cut, "wer": round(wer, 2)})
        deepest, shallowest = (deepest, middle) if wer <= limit else (middle + 1, shallowest)
    if shallowest == len(cuts):
        raise InvalidSpec(
            f"no cut keeps this speaker's word error rate at {limit} %: a cut of {probes[-1]['encoder_cut']:.0%} has "
            f"{probes[-1]['wer']} %; allow more, send more speech, or start from a larger model",
            code="wer_out_of_reach",
        )
    path = out / CUT_FILE
    path.write_text(json.dumps(asdict(FoundCut(cuts[shallowest], probes))))
    return {path.name: path}, {}


def read_cut(files: dict[str, Path]) -> FoundCut:
    """Return what `search_cut` found, from its files."""
    return FoundCut(**json.loads(files[CUT_FILE].read_text()))


def _judged_clips(setting: Setting) -> list[Clip]:
    clips = [clip for window in recipe.lessons_of(setting).speaker_held_back for clip in window.clips if clip.text]
    if not clips:
        raise InvalidSpec(
            "max_wer needs transcripts and at least five minutes of speech, or clips marked valid: give a cut instead",
            code="nothing_to_search_by",
        )
    return clips


def _probe(
    setting: Setting,
    calibrations: Sequence[dict[str, Path]],
    weighed: dict[str, dict[str, Path]],
    clips: Sequence[Clip],
    work: Path,
    progress: Progress,
) -> float:
    """Return the word error rate in % of the recipe in short."""
    steps = -(-setting.spec.tune_steps // PROBE_SHARE)
    short = setting.spec.model_copy(update={"layer_steps": 0, "tune_steps": steps})
    setting = replace(setting, spec=short)
    blocks = {}
    for name in setting.plan.blocks:
        place = work / name
        place.mkdir()
        files, _ = recipe.cut_block(setting, name, calibrations, weighed[name], place)
        blocks[name] = files[recipe.BLOCK_FILE]
    recipe.tune_whole(setting, blocks, work / "model", progress)
    model = load_compressed(work / "model").to(device())
    heard = transcribe(model, setting.featurizer(), setting.speaker, clips)
    return 100 * score([clip.text or "" for clip in clips], heard.texts, language=setting.spec.language).wer

"""The rows of one runtime and one length: the stock model's, and ours with how many times faster it is."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np

from adaptwin_core.ml.evaluation.scoring import score
from bench.finished import OURS, STOCK
from bench.latency.parts import Heard
from bench.latency.utterances import Utterance
from bench.runner import Row
from bench.word_errors import NUM_RESAMPLES, difference

PARTS = ("features_s", "encoder_s", "decoder_s", "total_s")


def rows_of(said: Sequence[Utterance], heard: Mapping[str, Sequence[Heard]], language: str) -> list[Row]:
    """Return the row of the stock model, then ours: medians of seconds, and the word error rate in %."""
    rows = {}
    for model, found in heard.items():
        scored = score([one.text for one in said], [one.text for one in found], language=language)
        rows[model] = {
            "model": model,
            "utterances": len(said),
            "mean_s": round(statistics.fmean(one.seconds for one in said), 2),
            **{part: round(statistics.median(asdict(one)[part] for one in found), 4) for part in PARTS},
            "wer": [round(100 * x, 2) for x in (scored.error_rate, scored.error_rate_low, scored.error_rate_high)],
            "errors_clips": [clip.errors for clip in scored.clips],
            "words_clips": [clip.num_units for clip in scored.clips],
        }
    stock, ours = rows[STOCK], rows[OURS]
    for part in ("encoder", "decoder", "total"):
        theirs, mine = ([asdict(one)[f"{part}_s"] for one in heard[model]] for model in (STOCK, OURS))
        ours[f"{part}_times_faster"] = ratio(theirs, mine)
    ours["wer_above_stock"] = difference(ours["errors_clips"], stock["errors_clips"], stock["words_clips"])
    return [stock, ours]


def ratio(stock_s: Sequence[float], ours_s: Sequence[float]) -> list[float]:
    """Return the median over utterances of stock / ours, with the 95 % interval of resampled utterances."""
    ratios = np.divide(stock_s, ours_s)
    drawn = np.random.default_rng(0).integers(0, len(ratios), size=(NUM_RESAMPLES, len(ratios)))
    low, high = np.percentile(np.median(ratios[drawn], axis=1), (2.5, 97.5))
    return [round(float(x), 2) for x in (np.median(ratios), low, high)]

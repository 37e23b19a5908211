"""How well a finished model hears with less silence after the speech:
`python -m bench.windows --model FOLDER --speech FOLDER`.

The stock Whisper hears whole windows, and so does another one with `--beside`. The finished model hears whole ones, and
ones that end 2, 1, 0.5 and 0.2 s after the sound. All have weights of the form that the model is stored in.
"""

import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from adaptwin_core.domain.audio import FITTED_MARGIN_S, window_frames
from adaptwin_core.ml.base.models import resolve
from adaptwin_core.ml.base.sources import short_name
from adaptwin_core.ml.evaluation.manifest import read_manifest
from adaptwin_core.ml.model.adapter import encode
from adaptwin_core.ml.model.checkpoint import WEIGHTS_FILE, load_compressed
from adaptwin_core.ml.model.featurizer import Featurizer
from adaptwin_core.ml.model.loading import load_whisper
from adaptwin_core.ml.model.quantization import round_to
from adaptwin_core.ml.model.quiet import quiet_transformers
from adaptwin_core.speech.files.sources import read_folder
from adaptwin_core.speech.ingest import build_corpus
from adaptwin_core.speech.limits import Limits
from bench.finished import OURS, STOCK, finished_command_line, save_original
from bench.markdown import NO_RUN, markdown_table
from bench.runner import Row, Run, machine, parsed, results_of
from bench.word_errors import as_text, clips_from, difference, judged_clips, word_error_rates

MARGINS = (None, 2.0, 1.0, FITTED_MARGIN_S, 0.2)  # None: the whole window
QUICK = {"out": Path("var/windows-quick.json"), "clips": 2}


class Contestant(NamedTuple):
    """A model in windows of one kind."""

    name: str
    model: Any
    featurizer: Featurizer
    num_bytes: int
    margin_s: float | None


def main() -> None:
    parser = finished_command_line(__doc__, "windows")
    parser.add_argument("--others", type=Path, help="other people's transcribed speech, to hear as well")
    parser.add_argument("--beside", default="", help="another Whisper to hear with, such as package:whisper-base")
    parser.add_argument("--clips", type=int, default=100, help="the most held-out clips of each kind of speech to hear")
    options = parsed(parser, QUICK)
    quiet_transformers()
    manifest = read_manifest(options.model)
    language, weights = manifest["settings"]["language"], manifest["settings"]["weights"]
    with tempfile.TemporaryDirectory() as scratch:
        folders = {"speaker": options.speech} | ({"others": options.others} if options.others else {})
        corpora = {
            kind: build_corpus(read_folder(folder), Path(scratch) / kind, Limits()) for kind, folder in folders.items()
        }
        how = {
            "model": manifest["base_model"]["model"],
            "settings": manifest["settings"],
            "margin_s": manifest["margin_s"],
            "beside": options.beside,
            "speech": {kind: folder.name for kind, folder in folders.items()},
            "corpora": {kind: corpus.digest for kind, corpus in corpora.items()},
            "clips": options.clips,
            **machine(),
        }
        run = Run(options.out, how)
        base = save_original(manifest, options.base, options.cache, Path(scratch) / STOCK)
        stock = [_original(STOCK, base, language, weights)]
        if options.beside:
            other = resolve(options.beside, options.cache)
            stock.append(_original(short_name(options.beside), other, language, weights))
        num_bytes = (options.model / WEIGHTS_FILE).stat().st_size
        ours = (OURS, load_compressed(options.model), Featurizer(options.model, language), num_bytes)
        contestants = [*stock, *(Contestant(*ours, margin_s) for margin_s in MARGINS)]
        speaker = corpora["speaker"]
        audios = [speaker.audio(clip) for clip in judged_clips(speaker, options.clips)]
        for one, encoder_ms in zip(contestants, encoder_times(contestants, audios), strict=True):
            if run.has(model=one.name, margin_s=one.margin_s):
                continue
            row: Row = {"model": one.name, "margin_s": one.margin_s, "bytes": one.num_bytes, "encoder_ms": encoder_ms}
            for kind, corpus in corpora.items():
                judged = word_error_rates(
                    one.model, one.featurizer, corpus, options.clips, language, margin_s=one.margin_s
                )
                row |= {f"{kind}_wer": judged.wer, f"{kind}_inserted": judged.inserted, f"{kind}_clips": judged.by_clip}
            run.add(row)


def _original(name: str, folder: Path, language: str, weights: str) -> Contestant:
    """Return a Whisper as it is, in whole windows, with weights of the given form."""
    model = load_whisper(folder)
    return Contestant(name, model, Featurizer(folder, language), round_to(model, weights), None)


@torch.inference_mode()
def encoder_times(contestants: Sequence[Contestant], audios: Sequence[np.ndarray]) -> list[float]:
    """Return each one's median time in ms to encode a clip. All encode a clip in turn: noise of the machine hits all.

    Args:
        audios: of the clips, 16 kHz mono float32.
    """
    seconds: list[list[float]] = [[] for _ in contestants]
    for audio in [audios[0], *audios]:  # the first is slower, and is not counted
        for one, taken in zip(contestants, seconds, strict=True):
            features_1MT = one.featurizer.features([audio], window_frames(len(audio), one.margin_s))
            began = time.perf_counter()
            encode(one.model, features_1MT)
            taken.append(time.perf_counter() - began)
    return [round(1000 * statistics.median(taken[1:]), 1) for taken in seconds]


def table() -> str:
    """Return a row for each committed run, or a sentence where there is none."""
    runs = results_of("windows")
    margins = ["whole", *(f"{margin_s:g} s" for margin_s in MARGINS if margin_s is not None)]
    apart = f"{FITTED_MARGIN_S:g} s to whole"
    columns = ["speech", "model", "MB", "stock", *margins, apart, "inserted", "others", "encoder, ms"]
    return markdown_table(columns, map(_cells, runs)) if runs else NO_RUN


def _cells(run: Row) -> list[str]:
    rows = {(row["model"], row["margin_s"]): row for row in run["rows"]}
    stock, whole, fitted = rows[STOCK, None], rows[OURS, None], rows[OURS, FITTED_MARGIN_S]
    errors, words = clips_from(fitted["speaker_clips"])
    apart = difference(errors, clips_from(whole["speaker_clips"])[0], words)
    cut = run["how"]["settings"]["encoder_cut"]
    has_others = "others_wer" in stock
    return [
        f"`{run['how']['speech']['speaker']}`",
        run["how"]["model"] + (f", encoder -{cut:.0%}" if cut else ""),
        f"{stock['bytes'] / 1e6:.0f} / {whole['bytes'] / 1e6:.0f}",
        as_text(stock["speaker_wer"]),
        as_text(whole["speaker_wer"]),
        *(f"{rows[OURS, margin_s]['speaker_wer'][0]:.1f}" for margin_s in MARGINS if margin_s is not None),
        as_text(apart),
        " / ".join(str(row["speaker_inserted"]) for row in (stock, whole, fitted, rows[OURS, MARGINS[-1]])),
        " / ".join(f"{row['others_wer'][0]:.1f}" for row in (stock, whole, fitted)) if has_others else "-",
        f"{stock['encoder_ms']:.0f} / {fitted['encoder_ms']:.0f}",
    ]


if __name__ == "__main__":
    main()

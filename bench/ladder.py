"""What each step of the recipe buys: `python -m bench.ladder --speaker FOLDER --general FOLDER`.

For one model and speaker, at several encoder cuts: relative squared error of the encoder's output and word error
rate, for the plain SVD of the product (the paper's start), the whitened cut at the same ranks, the measured plan of the
same size, after the layer-wise phase, and the whole recipe, trained before the cut and after it; on held-out clips
of the speaker and of other speakers. Uses the product's own code and writes how it was measured.
"""

import argparse
import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml.evaluation.report import spread
from adaptwin_core.ml.model.loading import load_whisper
from adaptwin_core.ml.model.windows import pack
from adaptwin_core.ml.stages.recipe import Setting, quiet_transformers
from bench.encoder_error import as_heard, encoder_error
from bench.kitchen import Kitchen
from bench.speech_setting import open_setting, speech_options, told
from bench.word_errors import as_text, word_error_rates

MEASURED = {"plan": "measured"}
NO_STEPS = {"personal_steps": 0, "tune_steps": 0}
UNIFORM = {"plan": "uniform", "layer_steps": 0} | NO_STEPS
RUNGS: dict[str, dict[str, Any]] = {
    "plain product SVD, uniform ranks": {"start": "plain"} | UNIFORM,
    "whitened, the same ranks": UNIFORM,
    "whitened, the measured plan": MEASURED | {"layer_steps": 0} | NO_STEPS,
    "after layer-wise tuning": MEASURED | NO_STEPS,
    "tuned before the cut and after it": MEASURED,
}
# Held-out single clips, and packed windows, on which the encoder's error is taken.
ERROR_CLIPS, ERROR_WINDOWS = 8, 4


def main() -> None:
    options = _options()
    console = Console()
    quiet_transformers()
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        setting = open_setting(options, CompressionSpec(**json.loads(options.settings)), work)
        shape, original = setting.shape, load_whisper(setting.base_folder)
        of_original = _judge(original, original, setting, options.clips)
        rows: list[dict[str, Any]] = [{"cut": 0.0, "rung": "original", "tuning_s": 0.0, **of_original}]
        _show(console, rows[-1])
        kitchen = Kitchen(setting, work)
        for cut in options.cuts:
            for rung, change in RUNGS.items():
                made = kitchen.make(kitchen.changed(**change, encoder_cut=cut))
                at = made.setting
                removed = 1 - at.plan.encoder_params(shape) / shape.encoder_params
                figures = _judge(made.model, original, at, options.clips)
                rows.append({"cut": round(removed, 4), "rung": rung, "tuning_s": round(made.tuning_s, 1), **figures})
                _show(console, rows[-1])
                options.out.parent.mkdir(parents=True, exist_ok=True)
                options.out.write_text(json.dumps({"how": _how(options, setting), "rows": rows}, indent=2) + "\n")
    console.print(_table(rows))


def _options() -> argparse.Namespace:
    parser = speech_options(__doc__)
    parser.add_argument("--cuts", type=float, nargs="+", default=[0.2, 0.35, 0.45])
    parser.add_argument("--clips", type=int, default=40, help="held-out clips of each kind to judge on")
    parser.add_argument("--out", type=Path, default=Path("bench/results/ladder.json"))
    return parser.parse_args()


def _judge(model: Any, original: Any, setting: Setting, num_clips: int) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    featurizer = setting.featurizer()
    for kind, corpus in (("speaker", setting.speaker), ("others", setting.general)):
        assert corpus is not None
        judged = word_error_rates(model, featurizer, corpus, num_clips, setting.spec.language)
        figures[f"{kind}_wer"] = judged.wer
        singles = [corpus.audio(clip) for clip in spread(spread(corpus.split("test"), num_clips), ERROR_CLIPS)]
        packed = [window.audio() for window in pack(corpus, "test", seed=0)[:ERROR_WINDOWS]]
        for name, audios in (("encoder_error", singles), ("packed_encoder_error", packed)):
            windows = [featurizer.features([audio]) for audio in audios]
            figures[f"{kind}_{name}"] = round(encoder_error(model, as_heard(original, windows)), 5)
        figures[f"{kind}_compute_s_per_audio_s"] = round(judged.heard.compute_s / judged.heard.audio_s, 4)
    return figures


def _how(options: argparse.Namespace, setting: Setting) -> dict[str, Any]:
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        **told(options, setting),
        "clips_judged_of_each_kind": options.clips,
        "decoding": "greedy, no timestamps, one clip a window; corpus WER with 95 % bootstrap interval",
    }


def _show(console: Console, row: dict[str, Any]) -> None:
    console.print(
        f"cut {row['cut']:.3f}  {row['rung']:<32} encoder error {row['speaker_packed_encoder_error']:.4f}  "
        f"WER speaker {row['speaker_wer'][0]:.1f}  others {row['others_wer'][0]:.1f}  ({row['tuning_s']:.0f} s)"
    )


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(title="What each step buys")
    for column in ("encoder cut", "step", "encoder error", "error, others", "WER speaker", "WER others", "seconds"):
        table.add_column(column)
    for row in rows:
        rates = [as_text(row[name]) for name in ("speaker_wer", "others_wer")]
        table.add_row(
            f"{row['cut']:.1%}",
            row["rung"],
            f"{row['speaker_packed_encoder_error']:.4f}",
            f"{row['others_packed_encoder_error']:.4f}",
            *rates,
            f"{row['tuning_s']:.0f}",
        )
    return table


if __name__ == "__main__":
    main()

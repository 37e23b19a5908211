"""Ours against every alternative, on the same speech: `python -m bench.frontier --speaker FOLDER --general FOLDER`.

Each row is one model, made by the product's own code, on held-out clips of the speaker and of other speakers: word
error rate, parameters, bytes, seconds. A run that was stopped goes on where it was, and rows taken out of its file are
made anew. `--quick` is the short form, done in ten minutes on two cores: a small model, one cut, few clips and steps,
nothing stored in 4 bits. It shows that every system can be made, not how good it is.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from adaptwin_core.domain.result_name import CODE_VERSION
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml.base.models import resolve
from adaptwin_core.ml.model.quantization import NOT_MEASURED, STORED
from adaptwin_core.ml.stages.recipe import quiet_transformers
from bench.frontier.judge import Judge
from bench.frontier.plots import draw
from bench.frontier.systems import FrontierKitchen, systems
from bench.resumed import keep, kept
from bench.speech_setting import open_setting, speech_options, told
from bench.word_errors import as_text

PCA_CLIPS = 100  # LiteASR calibrates on as many
QUICK = {
    "out": Path("bench/results/frontier-quick.json"),
    "model": "package:whisper-tiny.en",
    "smaller": "",
    "cuts": [0.45],
    "clips": 4,
    "pca_clips": 10,
    "forms": STORED[:2],  # each of ours in 4 bits is a job of its own
}
QUICK_SETTINGS = {
    "personal_steps": 8,
    "tune_steps": 4,
    "layer_steps": 4,
    "layer_windows": 4,
    "calibration_windows": 8,
}
TABLE_WIDTH = 160  # characters, whatever the terminal has: in fewer the words break apart


def main() -> None:
    options = _options()
    console = Console()
    quiet_transformers()
    # Every layer is measured and weighed; how much of it goes is each system's own.
    spec = CompressionSpec.model_validate({"encoder_cut": 0.2, "decoder_cut": 0.2} | json.loads(options.settings))
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        setting = open_setting(options, spec, work)
        assert setting.general is not None
        smaller = resolve(options.smaller, options.cache) if options.smaller else None
        how = told(options, setting)
        how |= {
            "smaller": options.smaller,
            "clips_judged_of_each_kind": options.clips,
            "decoding": "greedy, no timestamps, one clip a window; corpus WER with 95 % bootstrap interval",
            "settings": how["settings"] | {"tune_learning_rate": spec.tune_rate},
        }
        rows = kept(options.out, how)
        judge = Judge({"speaker": setting.speaker, "others": setting.general}, options.clips, spec.language)
        kitchen = FrontierKitchen(setting, smaller, options.pca_clips, work / "kitchen")
        for system in systems(options.cuts, has_smaller=smaller is not None):
            # What is there already is not made again, whichever code made it: each row tells.
            there = {row["precision"] for row in rows if row["system"] == system.name}
            forms = STORED if system.is_quantized else STORED[:1]
            missing = [form for form in forms if form in options.forms and form not in there]
            if not missing:
                continue
            for precision, made in kitchen.forms(system, missing):
                is_fitted = precision == "int4" and made.num_bytes is None
                inputs = kitchen.inputs(made) if is_fitted else NOT_MEASURED
                figures = judge.row(made.model, made.setting.featurizer(), precision, inputs, made.num_bytes)
                row = {"system": system.name, "family": system.family, "precision": precision, **figures}
                cut = 1 - figures["encoder_params"] / made.setting.shape.encoder_params
                row |= {"encoder_cut": round(cut, 4), "tuning_s": round(made.tuning_s, 1), "code_version": CODE_VERSION}
                rows.append(row)
                _show(console, row)
            keep(options.out, how, rows)
    draw(how, rows, options.out.with_suffix(".png"))
    Console(width=TABLE_WIDTH).print(_table(rows))


def _options() -> argparse.Namespace:
    parser = speech_options(__doc__)
    parser.add_argument("--smaller", default="package:whisper-tiny.en", help="the next smaller Whisper; empty for none")
    parser.add_argument("--cuts", type=float, nargs="+", default=[0.2, 0.35, 0.45])
    parser.add_argument("--clips", type=int, default=40, help="held-out clips of each kind to judge on")
    parser.add_argument("--quick", action="store_true", help="tiny.en, one cut, few clips and steps, no 4 bits")
    parser.add_argument("--out", type=Path, default=Path("bench/results/frontier.json"))
    parser.add_argument(
        "--forms", choices=STORED, nargs="+", default=STORED, help="how weights are stored; all, if not said"
    )
    parser.set_defaults(pca_clips=PCA_CLIPS)
    if parser.parse_known_args()[0].quick:
        parser.set_defaults(**QUICK)
    options = parser.parse_args()
    if options.quick:
        options.settings = json.dumps(QUICK_SETTINGS | json.loads(options.settings))
    return options


def _show(console: Console, row: dict[str, Any]) -> None:
    console.print(
        f"{row['system']:<52} {row['precision']}  {row['bytes'] / 1e6:6.1f} MB  "
        f"WER speaker {row['speaker_wer'][0]:.1f}  others {row['others_wer'][0]:.1f}  ({row['tuning_s']:.0f} s)"
    )


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(title="The frontier")
    for column in (
        "system",
        "weights",
        "encoder, M",
        "model, M",
        "MB",
        "WER speaker",
        "WER others",
        "s per s",
        "tuning, s",
        "code",
    ):
        table.add_column(column)
    for row in sorted(rows, key=lambda row: row["bytes"]):
        rates = [as_text(row[name]) for name in ("speaker_wer", "others_wer")]
        sizes = [f"{row[name] / 1e6:.1f}" for name in ("encoder_params", "total_params", "bytes")]
        last = [str(row.get(name, "-")) for name in ("compute_s_per_audio_s", "tuning_s", "code_version")]
        table.add_row(row["system"], row["precision"], *sizes, *rates, *last)
    return table


if __name__ == "__main__":
    main()

"""Our models against the base models and LoRA, on the same speech:
`python -m bench.frontier --speaker FOLDER --general FOLDER`.

Each row is one model in one form of storage, judged on held-out clips of the speaker and of other speakers: word error
rate, parameters, bytes, seconds. A run that was stopped goes on where it was. `--quick` takes ten minutes on two cores:
a small model, one cut, few clips and steps, nothing stored in 4 bits.
"""

import argparse
import json
from pathlib import Path

from adaptwin_core.ml.model.quantization import NOT_MEASURED, STORED
from bench.frontier.plot import draw
from bench.frontier.systems import Frontier, systems
from bench.models import base_model
from bench.runner import parsed
from bench.speech import speech_command_line, speech_run

QUICK = {
    "out": Path("var/frontier-quick.json"),
    "model": "package:whisper-tiny.en",
    "smaller": "",
    "cuts": [0.45],
    "clips": 4,
    "forms": STORED[:2],  # each of ours in 4 bits is a job of its own
    "settings": json.dumps(
        {"personal_steps": 8, "tune_steps": 4, "layer_steps": 4, "layer_windows": 4, "calibration_windows": 8}
    ),
}


def main() -> None:
    options = _options()
    with speech_run(options, smaller=options.smaller) as (run, judge, models):
        smaller = base_model(options.smaller, options.cache) if options.smaller else None
        frontier = Frontier(models, smaller)
        for system in systems(options.cuts, has_smaller=smaller is not None):
            missing = [form for form in options.forms if not run.has(system=system.name, precision=form)]
            for form, made in frontier.forms(system, missing):
                is_rounded_here = form == "int4" and made.num_bytes is None
                inputs = frontier.inputs(made) if is_rounded_here else NOT_MEASURED
                figures = judge.row(made.model, made.recipe.featurizer, form, inputs, made.num_bytes)
                cut = 1 - figures["encoder_params"] / made.recipe.shape.encoder_params
                row = {"system": system.name, "family": system.family, "precision": form, **figures}
                run.add(row | {"encoder_cut": round(cut, 4), "tuning_s": round(made.tuning_s, 1)})
    draw(run.how, run.rows, options.out.with_suffix(".png"))


def _options() -> argparse.Namespace:
    parser = speech_command_line(__doc__, "frontier")
    parser.add_argument("--smaller", default="package:whisper-tiny.en", help="the next smaller Whisper; empty for none")
    parser.add_argument("--cuts", type=float, nargs="+", default=[0.2, 0.45], help="shares of the encoder to remove")
    parser.add_argument("--forms", choices=STORED, nargs="+", default=STORED, help="how weights are stored")
    return parsed(parser, QUICK)


if __name__ == "__main__":
    main()

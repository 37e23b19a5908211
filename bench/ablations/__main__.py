"""What each piece of the method is worth, one change at a time: `python -m bench.ablations --speaker FOLDER --general
FOLDER`.

Closed forms are judged by the error of the encoder's output on packed windows of held-out speech; forms of the token
embedding (`--embedding`) by the next token; fewer neurons in the decoder (`--decoder`) by its feed-forwards' outputs;
4 and 8 bits (`--rounding`) by the next token; training (`--training`) by word error rates on held-out clips.
"""

import argparse
import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from adaptwin_core.domain.result_name import CODE_VERSION
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml.stages.recipe import quiet_transformers
from bench.ablations import closed_form, decoder, embedding, rounding, training
from bench.ablations.page import CLOSED_FORM, DECODER, EMBEDDING, ROUNDING, TRAINING
from bench.kitchen import Kitchen
from bench.speech_setting import open_setting, speech_options, told


def main() -> None:
    options = _options()
    console = Console()
    quiet_transformers()
    spec = CompressionSpec.model_validate(json.loads(options.settings))
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        setting = open_setting(options, spec, work)
        kitchen = Kitchen(setting, work / "kitchen")
        how = {"date": datetime.now(UTC).isoformat(timespec="seconds"), **told(options, setting)}
        how |= {"code_version": CODE_VERSION}
        if options.training:
            how |= {"judged_by": f"corpus WER in % with 95 % interval, {options.clips} held-out clips of each kind"}
            found = training.rows(kitchen, options.clips, options.rows)
        elif options.embedding:
            how |= {"judged_by": f"the next token of transcripts, {embedding.JUDGED_WINDOWS} windows each"}
            found = embedding.rows(setting)
        elif options.rounding:
            how |= {"judged_by": f"the next token of the transcripts of {options.clips} held-out clips of each kind"}
            found = rounding.rows(kitchen, options.clips)
        elif options.decoder:
            how |= {"judged_by": f"relative squared error of the decoder's feed-forwards with {decoder.KEPT:.0%} kept"}
            found = decoder.rows(setting)
        else:
            how |= {"judged_by": f"relative squared error of the encoder, {closed_form.ERROR_WINDOWS} windows each"}
            how |= {"seen_windows": closed_form.SEEN_WINDOWS}
            found = closed_form.rows(closed_form.Bench.open(kitchen))
        rows: list[dict[str, Any]] = []
        for row in found:
            rows.append(row)
            console.print("  ".join(f"{value}" for value in row.values()))
            options.out.write_text(json.dumps({"how": how, "rows": rows}, indent=2) + "\n")


def _options() -> argparse.Namespace:
    parser = speech_options(__doc__)
    part = parser.add_mutually_exclusive_group()
    part.add_argument("--training", action="store_true", help="ablate the training, not the closed forms")
    part.add_argument("--embedding", action="store_true", help="ablate the token embedding, not the encoder")
    part.add_argument("--decoder", action="store_true", help="ablate the decoder's neurons, not the encoder")
    part.add_argument("--rounding", action="store_true", help="ablate how weights are stored")
    parser.add_argument(
        "--rows", nargs="+", default=[], metavar="CHANGE", help="changes of the training to make, not all"
    )
    parser.add_argument("--clips", type=int, default=40, help="held-out clips of each kind to judge on")
    parser.add_argument("--out", type=Path, help="by default where the page reads it")
    options = parser.parse_args()
    if options.rows and not (options.training and options.out):
        parser.error("--rows goes with --training, and with --out: the page reads whole tables")
    parts = {
        TRAINING: options.training,
        EMBEDDING: options.embedding,
        DECODER: options.decoder,
        ROUNDING: options.rounding,
        CLOSED_FORM: True,
    }
    options.out = options.out or next(path for path, is_asked in parts.items() if is_asked)
    return options


if __name__ == "__main__":
    main()

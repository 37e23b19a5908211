"""What a better model takes: errors over steps, minutes of speech, the base model, and how much of its encoder goes.

    python -m bench.curve --speaker FOLDER --general FOLDER

One thing is changed at a time, the others stay as a job has them. Every point is a model made by the product's own
code, judged as in `bench.frontier`, beside the original that it was made from. A run that was stopped goes on where it
was.
"""

import argparse
import json
import tempfile
from pathlib import Path

from rich.console import Console

from adaptwin_core.domain.result_name import CODE_VERSION
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml.stages.recipe import quiet_transformers
from bench.curve.plot import draw
from bench.curve.points import Maker, lines
from bench.frontier.judge import Judge
from bench.frontier.plots import KINDS
from bench.resumed import keep, kept
from bench.speech_setting import open_setting, speech_options, told
from bench.word_errors import as_text


def main() -> None:
    options = _options()
    console = Console()
    quiet_transformers()
    spec = CompressionSpec.model_validate({"encoder_cut": options.cut} | json.loads(options.settings))
    drawn = lines(
        options.model,
        spec.personal_steps,
        other_steps=options.steps,
        minutes=options.minutes,
        models=options.models,
        cuts=options.cuts,
    )
    with tempfile.TemporaryDirectory() as scratch:
        setting = open_setting(options, spec, Path(scratch))
        assert setting.general is not None
        how = told(options, setting) | {"clips_judged_of_each_kind": options.clips, "code_version": CODE_VERSION}
        rows = {row["name"]: row for row in kept(options.out, how)}
        judge = Judge({"speaker": setting.speaker, "others": setting.general}, options.clips, spec.language)
        maker = Maker(setting, options.cache, Path(scratch) / "kitchens")
        for point in [point for line in drawn for point in (*line.originals(), *line.points)]:
            if point.name in rows:
                continue
            made = maker.make(point)
            seconds = sum(clip.seconds for clip in made.setting.speaker.split("train"))
            rows[point.name] = {
                "name": point.name,
                "model": point.model.removeprefix("package:"),
                "steps": point.steps,
                "minutes": round(seconds / 60, 1),
                "tuning_s": round(made.tuning_s, 1),
            } | judge.row(made.model, made.setting.featurizer(), "float16")
            rates = [f"{kind} {as_text(rows[point.name][f'{kind}_wer'])}" for kind in KINDS]
            console.print(f"{point.name:<50} WER {', '.join(rates)}  ({made.tuning_s:.0f} s)")
            keep(options.out, how, list(rows.values()))
    title = f"{options.model.removeprefix('package:')} on {options.speaker.name}, encoder -{options.cut:.0%}"
    draw(drawn, rows, title, options.out.with_suffix(".png"))


def _options() -> argparse.Namespace:
    parser = speech_options(__doc__)
    parser.add_argument("--cut", type=float, default=0.45)
    parser.add_argument("--steps", type=int, nargs="*", default=[60, 120, 480])
    parser.add_argument("--minutes", type=float, nargs="*", default=[5, 10, 20])
    parser.add_argument("--models", nargs="*", default=["package:whisper-tiny.en"], help="other base models")
    parser.add_argument("--cuts", type=float, nargs="*", default=[0.2, 0.35], help="other cuts of the encoder")
    parser.add_argument("--clips", type=int, default=48, help="held-out clips of each kind to judge on")
    parser.add_argument("--out", type=Path, default=Path("bench/results/curve.json"))
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""What one change of a job is worth:
`python -m bench.ablation --speaker FOLDER --general FOLDER --change '{"tune_steps": 160}'`.

Each row differs from the job of `--settings` in one thing: a change of its settings, fewer minutes of speech, or
another base model. Each base model as it is stands beside them. Rows are judged as in `bench.frontier`.
"""

import argparse
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from adaptwin_core.speech.corpus import Corpus
from bench.frontier.judge import above, original_of
from bench.markdown import markdown_table
from bench.models import Made, Models, base_model
from bench.runner import Row, parsed
from bench.speech import speech_command_line, speech_run
from bench.word_errors import as_text

FORM = "float16"
QUICK = {
    "out": Path("var/ablation-quick.json"),
    "model": "package:whisper-tiny.en",
    "clips": 4,
    "settings": json.dumps(
        {"encoder_cut": 0.45, "personal_steps": 4, "tune_steps": 2, "layer_steps": 2, "calibration_windows": 8}
    ),
}


class Case(NamedTuple):
    """One row: what is changed in the job of the command line."""

    name: str
    model: str
    change: Row | None  # None: the base model as it is
    minutes: float | None = None  # None: all the speech there is


def cases(options: argparse.Namespace) -> Iterator[Case]:
    """Yield every row, the base model and the unchanged job first."""
    for model in (options.model, *options.models):
        name = model.removeprefix("package:")
        yield Case(f"{name} as it is", model, None)
        yield Case(f"{name}, the job", model, {})
    for change in options.change:
        yield Case(json.dumps(change), options.model, change)
    for minutes in options.minutes:
        yield Case(f"{minutes:g} minutes of speech", options.model, {}, minutes)


def main() -> None:
    options = _options()
    with speech_run(options) as (run, judge, models):
        by_base = {name: models.of_base(base_model(name, options.cache)) for name in options.models}
        by_base[options.model] = models
        for case in cases(options):
            if not run.has(change=case.name):
                made = _make(by_base[case.model], case)
                row = {"change": case.name, "model": case.model, "tuning_s": round(made.tuning_s, 1)}
                row["family"] = "original" if case.change is None else "ours"
                run.add(row | {"precision": FORM} | judge.row(made.model, made.recipe.featurizer, FORM))
    run.console.print(table(run.rows))


def table(rows: list[Row]) -> str:
    """Return a Markdown table: every row beside the base model that it was made from."""
    originals = {model: original_of([row for row in rows if row["model"] == model]) for model in _models_of(rows)}
    lines = []
    for row in rows:
        apart = as_text(above(row, originals[row["model"]], "speaker"))
        rates = [as_text(row["speaker_wer"]), apart, as_text(row["others_wer"])]
        lines.append([row["change"], *rates, f"{row['tuning_s']:.0f}"])
    return markdown_table(["change", "this speaker", "to the original", "others", "tuning, s"], lines)


def shortened(corpus: Corpus, minutes: float) -> Corpus:
    """Return the corpus with no more than so many minutes to train on; the other splits stay."""
    kept: set[str] = set()
    seconds = 0.0
    clips = list(corpus.split("train"))
    random.Random(0).shuffle(clips)  # noqa: S311  # an order, not a secret
    for clip in clips:
        if seconds + clip.seconds <= 60 * minutes:
            kept.add(clip.id)
            seconds += clip.seconds
    return replace(corpus, clips=tuple(clip for clip in corpus.clips if clip.split != "train" or clip.id in kept))


def _make(models: Models, case: Case) -> Made:
    if case.change is None:
        return models.original()
    if case.minutes is not None:
        models = models.of_speaker(shortened(models.recipe.speaker, case.minutes))
    return models.make(**case.change)


def _models_of(rows: list[Row]) -> set[str]:
    return {row["model"] for row in rows}


def _options() -> argparse.Namespace:
    parser = speech_command_line(__doc__, "ablation")
    parser.add_argument("--change", type=json.loads, action="append", default=[], help="settings of a job, as JSON")
    parser.add_argument("--minutes", type=float, nargs="*", default=[], help="less speech of this speaker")
    parser.add_argument("--models", nargs="*", default=[], help="other base models")
    return parsed(parser, QUICK)


if __name__ == "__main__":
    main()

"""The family of one speaker: what it costs beside its dearest model alone, and which model is named at each size:
`python -m bench.family --speaker FOLDER --general FOLDER`.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adaptwin_core.domain.members import members_of
from adaptwin_core.domain.model_limits import NO_LIMITS, ModelLimits
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.submission import submit
from adaptwin_core.domain.task_keys import FamilyKey
from adaptwin_core.ml.model.quiet import quiet_transformers
from adaptwin_core.ml.stages.walk import Member, Speech, Walk
from adaptwin_core.speech.files.sources import read_folder
from adaptwin_core.speech.ingest import build_corpus
from adaptwin_core.speech.limits import Limits
from bench.markdown import NO_RUN, markdown_table
from bench.models import base_model
from bench.runner import Row, Run, command_line, machine, parsed, results_of

BUDGETS_MB = (20, 30, 40, 60, 80, 100, 150)
QUICK = {
    "out": Path("var/family-quick.json"),
    "models": ["package:whisper-tiny.en"],
    "settings": '{"personal_steps": 2, "tune_steps": 2, "scale_steps": 2, "layer_steps": 2}',
}


def main() -> None:
    parser = command_line(__doc__, "family")
    parser.add_argument("--speaker", type=Path, required=True, help="folder of one speaker's transcribed speech")
    parser.add_argument("--general", type=Path, required=True, help="folder of other speakers, with test clips")
    parser.add_argument("--models", nargs="+", default=["package:whisper-tiny.en", "package:whisper-base"])
    parser.add_argument("--settings", default="{}", help="settings of all models, as JSON")
    options = parsed(parser, QUICK)
    quiet_transformers()
    spec = CompressionSpec.model_validate_json(options.settings)
    with tempfile.TemporaryDirectory() as scratch:
        speech = Speech(
            *(
                build_corpus(read_folder(folder), Path(scratch) / folder.name, Limits())
                for folder in (options.speaker, options.general)
            )
        )
        assert speech.general is not None
        how = {
            "models": options.models,
            "settings": spec.model_dump(mode="json"),
            "speech": options.speaker.name,
            "corpora": [speech.speaker.digest, speech.general.digest],
            **machine(),
        }
        run = Run(options.out, how)
        if run.rows:  # a family is made in one go
            return
        bases = {source: base_model(source, options.cache) for source in options.models}
        reports = speech.speaker.report(), speech.general.report()
        members = [
            Member(base, submit(member.spec, base.shape, *reports, accept_little=False).spec)
            for member in members_of(options.models, spec, "frontier")
            for base in (bases[member.base_model],)
        ]
        workdir = Path(scratch) / "work"
        workdir.mkdir()
        walk = Walk(speech, workdir)
        done = walk.run_family(members)
        alone = [sum(task.seconds for tasks in one.values() for task in tasks.values()) for one in done]
        once = {task.name: task.seconds for one in done for tasks in one.values() for task in tasks.values()}
        for budget_mb in (None, *BUDGETS_MB):
            limits = NO_LIMITS if budget_mb is None else ModelLimits(max_bytes=1_000_000 * budget_mb)
            chosen = walk.run_family(members, limits=limits, until=Stage.CHOOSE)[0][Stage.CHOOSE][FamilyKey()]
            figures = chosen.result.figures
            if budget_mb is None:
                for model, seconds in zip(figures["models"], alone, strict=True):
                    run.add({"model": model["name"], "alone_s": round(seconds, 1), **_brief(model)})
                run.add({"family_s": round(sum(once.values()), 1), "dearest_s": round(max(alone), 1)})
            run.add({"max_mb": budget_mb, **_choice(figures)})


def _brief(model: dict[str, Any]) -> Row:
    heard = {f"{kind}_wer": _percent(found) for kind, found in model["speech"].items()}
    size = {name: model[name] for name in ("weights_bytes", "measured_ms", "is_on_frontier")}
    return size | heard | {"chosen_by": model["chosen_by"]}


def _choice(figures: Mapping[str, Any]) -> Row:
    """Return which model was named, and which of those that fit has the fewest errors in the test."""
    most = figures["limits"]["max_bytes"]
    models = [model for model in figures["models"] if most is None or model["weights_bytes"] <= most]
    if figures["take"] is None:
        return {"take": None, "best_in_test": None, "sentence": figures["sentence"]}
    taken, best = (
        figures["models"][figures["take"]],
        min(models, key=lambda model: _percent(model["speech"]["speaker"])),
    )
    return {
        "take": taken["name"],
        "taken_wer": _percent(taken["speech"]["speaker"]),
        "best_in_test": best["name"],
        "best_wer": _percent(best["speech"]["speaker"]),
        "sentence": figures["sentence"],
    }


def _percent(found: dict[str, Any]) -> float:
    return float(round(100 * found["compressed"]["error_rate"], 1))


def table() -> str:
    """Return the models and the choices of each committed run, or a sentence where there is none."""
    return "\n\n".join(map(_told, results_of("family"))) or NO_RUN


def _told(run: Row) -> str:
    models = [row for row in run["rows"] if "model" in row]
    choices = [row for row in run["rows"] if row.get("max_mb") is not None]
    (cost,) = (row for row in run["rows"] if "family_s" in row)
    of_models = markdown_table(
        ["model", "MB", "ms for 4 s", "error rate, %", "others, %", "beaten", "alone, min"],
        (
            [
                row["model"],
                f"{row['weights_bytes'] / 1e6:.1f}",
                f"{row['measured_ms']:.0f}",
                f"{row['speaker_wer']:.1f}",
                f"{row['general_wer']:.1f}",
                "" if row["is_on_frontier"] else "yes",
                f"{row['alone_s'] / 60:.1f}",
            ]
            for row in models
        ),
    )
    of_choices = markdown_table(
        ["up to, MB", "the one to take", "its error rate, %", "fewest errors in the test", "its error rate, %"],
        (
            [
                str(row["max_mb"]),
                row["take"] or "none fits",
                "-" if row["take"] is None else f"{row['taken_wer']:.1f}",
                row["best_in_test"] or "-",
                "-" if row["take"] is None else f"{row['best_wer']:.1f}",
            ]
            for row in choices
        ),
    )
    minutes, dearest = cost["family_s"] / 60, cost["dearest_s"] / 60
    told = f"All took {minutes:.1f} minutes, {minutes / dearest:.1f} times the dearest alone ({dearest:.1f})."
    return f"### `{run['how']['speech']}`\n\n{of_models}\n\n{told}\n\n{of_choices}"


if __name__ == "__main__":
    main()

"""The table of `docs/gpu.md`: every stage of the jobs that were timed on a GPU, with the current code."""

from adaptwin_core.domain.result_name import CODE_VERSION
from adaptwin_core.domain.task_keys import Contender, EvaluationKey, SpeechKind, WindowKind
from bench.markdown import NO_RUN, markdown_table
from bench.runner import Row, results_of

COLUMNS = (
    "job",
    "stage",
    "done here",
    "seconds",
    "seconds for all",
    "GPU memory, GB",
    "memory, GB",
    "share of the rate",
)


def table() -> str:
    """Return what each committed run of this version of the code found."""
    runs = [run for run in results_of("gpu") if run["how"]["code_version"] == CODE_VERSION]
    return "\n\n".join(text for run in runs for text in _of_run(run)) or NO_RUN


def _of_run(run: Row) -> list[str]:
    rows = {row["part"]: row for row in run["rows"]}
    jobs = {row.get("shape", name): row for name, row in rows.items() if "stages" in row}
    lines = [line for name, row in jobs.items() for line in _stages(name, row)]
    found = [f"On {run['how']['device']}, torch {run['how']['libraries']['torch']}."]
    found += [_agreement(rows["agreement"])] if "agreement" in rows else []
    found += [_speech(name, row) for name, row in jobs.items()]
    return [*found, markdown_table(COLUMNS, lines)]


def _agreement(row: Row) -> str:
    plans = "the same plan" if row["plans_agree"] else "different plans"
    heard = row["texts"][str(EvaluationKey(Contender.BASE, SpeechKind.SPEAKER, WindowKind.WHOLE))]
    text = (
        f"{' and '.join(row['devices'])} make {plans} for a small model; its losses differ by "
        f"{row['largest_difference_of_losses']:.1%} at most, and {heard['equal']} of {heard['all']} texts of its base "
        "model are equal."
    )
    if "real" in row["texts"]:
        real = row["texts"]["real"]
        text += f" A real model hears the same words in {real['equal']} of {real['all']} real clips."
    return text


def _speech(name: str, row: Row) -> str:
    rates = ", ".join(f"{rate:,.1f} in {kind}" for kind, rate in row["tflop_per_s"].items())
    text = f"{name}: {row['speech_s'] / 3600:.1f} h of speech; the fastest product runs at {rates} (TFLOP/s)."
    if "stopped_after_s" in row:
        return text + " It was stopped when its time was up."
    if name == "real speaker":
        before, after = (row["error_rates"][of] for of in ("original", "compressed"))
        text += f" Word error rate on {row['test_clips']} clips: {before:.1%} before, {after:.1%} after."
    return text


def _stages(name: str, row: Row) -> list[list[str]]:
    return [
        [
            name,
            stage,
            _done(took),
            f"{took['seconds']:,.1f}",
            f"{took['whole_s']:,.1f}{'' if took['whole_s'] == took['seconds'] else ' (projected)'}",
            f"{took['peak_gpu_memory_gb']:.1f}" if "peak_gpu_memory_gb" in took else "-",
            f"{took['peak_memory_gb']:.1f}",
            f"{took['share_of_rate']:.1%}",
        ]
        for stage, took in row["stages"].items()
    ]


def _done(took: Row) -> str:
    tasks = f"{took['tasks']} of {took['all_tasks']} blocks" if took["tasks"] < took["all_tasks"] else "all"
    return f"{took['steps']} steps" if "steps" in took else tasks

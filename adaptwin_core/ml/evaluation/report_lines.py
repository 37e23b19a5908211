"""A report in plain sentences, as the command line prints it. Nothing heavy is imported: a client shows it too."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from adaptwin_core.domain.task_keys import WindowKind
from adaptwin_core.domain.units import Unit
from adaptwin_core.ml.evaluation.report_words import IN_WORDS, WRITTEN_KINDS

MODELS: Final = ("original", "compressed")
SPEECH: Final = {"speaker": "this speaker", "general": "other speakers"}


def lines(report: Mapping[str, Any]) -> list[str]:
    """Return a report in plain sentences: the verdict, the figures behind it, and advice."""
    return [
        report["verdict"]["sentence"],
        *(line for kind, found in report["speech"].items() for line in _figures(kind, found)),
        *windows_told(report),
        *(silence_told(kind, found) for kind, found in report["silence"].items()),
        *not_taught(report, names=True),
        *report["verdict"]["advice"],
    ]


def _figures(kind: str, found: Mapping[str, Any]) -> Iterator[str]:
    rates = " and ".join(f"{rate_of(found[model])} for the {_named(model)}" for model in MODELS if model in found)
    yield (
        f"For {SPEECH[kind]} the {Unit(found['unit']).rate} is {rates}, on {_clips(found, 'held-out clip')}, "
        f"against {found['reference']}."
    )
    raw = [
        f"{name} {' and '.join(share_of(found[model]['raw'][name]) for model in MODELS if model in found)}"
        for name in WRITTEN_KINDS
        if found["compressed"]["raw"][name] is not None
    ]
    if raw:
        who = " and by ".join(f"the {_named(model)}" for model in MODELS if model in found)
        yield f"Written wrong by {who}: {'; '.join(raw)}."


def windows_told(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield which windows the model is for, what it does in the others, why, and what either costs."""
    chosen = WindowKind.of(report["window"]["margin_s"])
    (other,) = set(WindowKind) - {chosen}
    rates = [f"{_percent(found['windows'][other])} for {SPEECH[kind]}" for kind, found in report["speech"].items()]
    of_other = f"; in {IN_WORDS[other]} its {_rate_name(report)} is {' and '.join(rates)}" if rates else ""
    yield f"The compressed model is for {IN_WORDS[chosen]}{of_other}. {report['window']['why']}"
    for kind, found in report["speech"].items():
        seconds = found["compute_s_per_audio_s"]
        yield (
            f"A second of {SPEECH[kind]} takes the compressed model {_seconds(seconds['fitted'])} of computing in "
            f"fitted windows and {_seconds(seconds['whole'])} in whole ones; the original takes "
            f"{_seconds(seconds['original'])}."
        )


def silence_told(kind: str, found: Mapping[str, Any]) -> str:
    """Return what both models write where nobody speaks."""
    heard = " and ".join(f"the {_named(model)} {found['heard'][model]:,}" for model in MODELS)
    return f"On {_clips(found, 'clip')} of {SPEECH[kind]} where nobody speaks, {heard} {found['unit']}s are written."


def not_taught(report: Mapping[str, Any], *, names: bool) -> Iterator[str]:
    """Yield which clips taught nothing, and why. `names`: whether their recordings are named."""
    for kind, found in report.get("not_taught", {}).items():
        more = ", …" if found["num_clips"] > len(found["recordings"]) else ""
        which = f" ({', '.join(found['recordings'])}{more})" if names else ""
        yield f"Not taught: {_clips(found, 'clip')} of {SPEECH[kind]}{which}: {found['why']}."


def _clips(found: Mapping[str, Any], what: str) -> str:
    return f"{found['num_clips']} {what}{'s' * (found['num_clips'] != 1)}"


def _rate_name(report: Mapping[str, Any]) -> str:
    """Return the name of the error rate, which is the same for all speech of a job."""
    return Unit(next(iter(report["speech"].values()))["unit"]).rate


def _percent(score: Mapping[str, Any]) -> str:
    return f"{100 * score['error_rate']:.1f} %"


def _seconds(seconds: float) -> str:
    return f"{seconds:.2g} s"


def rate_of(score: Mapping[str, Any]) -> str:
    """Return an error rate with its interval."""
    low, high = score["error_rate_low"], score["error_rate_high"]
    return f"{100 * score['error_rate']:.1f} % ({100 * low:.1f}-{100 * high:.1f})"


def share_of(count: Mapping[str, int] | None) -> str:
    """Return errors among the places where there could be one."""
    return "-" if count is None else f"{count['errors']:,} of {count['of']:,}"


def _named(model: str) -> str:
    return "original" if model == "original" else "compressed model"

"""A report in words: the sentences that the command line prints, and the model card."""

from collections.abc import Iterator, Mapping
from typing import Any

from adaptwin_core.domain.exports import CHECKPOINT, FORMATS
from adaptwin_core.domain.languages import named
from adaptwin_core.domain.snippets import snippet
from adaptwin_core.domain.task_keys import WindowKind
from adaptwin_core.domain.units import Unit
from adaptwin_core.ml.evaluation.family import family_table
from adaptwin_core.ml.evaluation.hub_metadata import hub_metadata, rates_of
from adaptwin_core.ml.evaluation.report_plot import picture
from adaptwin_core.ml.evaluation.window_choice import IN_WORDS
from adaptwin_core.ml.evaluation.written_form import KINDS

MODELS = ("original", "compressed")
_SPEECH = {"speaker": "this speaker", "general": "other speakers"}


def lines(report: Mapping[str, Any]) -> list[str]:
    """Return a report in plain sentences: the verdict, the figures behind it, and advice."""
    return [
        report["verdict"]["sentence"],
        *(line for kind, found in report["speech"].items() for line in _figures(kind, found)),
        *_windows(report),
        *(_silence(kind, found) for kind, found in report["silence"].items()),
        *_not_taught(report, names=True),
        *report["verdict"]["advice"],
        *([report["family"]["sentence"]] if "family" in report else []),
    ]


def model_card(report: Mapping[str, Any], *, licence: str | None) -> str:
    """Return the README of a published model, with the metadata of the Hugging Face Hub at its head.

    It names no recording: a card is what a person publishes.

    Args:
        licence: of the base model, as an SPDX identifier, if known.
    """
    metadata = hub_metadata(report, form=CHECKPOINT, licence=licence, rates=rates_of(report["speech"]))
    size, plan, verdict = report["size"], report["plan"], report["verdict"]
    of_encoder, of_all = (f"{100 * plan[name]:.1f} %" for name in ("encoder_cut", "total_cut"))
    text = [
        "---",
        metadata.to_yaml(),
        "---",
        "",
        f"# {report['base_model']}, for one speaker",
        "",
        f"**{verdict['sentence']}**",
        *(["", *(f"- {sentence}" for sentence in verdict["advice"])] if verdict["advice"] else []),
        "",
        picture(report),
        "",
        f"Compressed by AdaPTwin. Of the encoder's parameters {of_encoder} are removed "
        f"({size['original']['encoder_params']:,} to {size['compressed']['encoder_params']:,}), of all "
        f"{of_all} ({size['original']['total_params']:,} to {size['compressed']['total_params']:,}); "
        f"weights in {report['spec']['weights']}, {size['compressed']['weights_bytes']:,} bytes.",
        "",
        _tokens(report["vocabulary"]),
        "",
        snippet(CHECKPOINT, language=report["spec"]["language"], margin_s=report["window"]["margin_s"]),
        "",
        *_windows(report),
        "",
        *_table(report["speech"]),
        *([""] if report["silence"] else []),
        *(_silence(kind, found) for kind, found in report["silence"].items()),
        *(piece for told in _not_taught(report, names=False) for piece in ("", told)),
        *_family(report),
        "",
        *_other_forms(),
        "",
        "This model was made from a person's voice: treat it as personal data. `report.json` names the recordings.",
        "",
    ]
    return "\n".join(text)


def _figures(kind: str, found: Mapping[str, Any]) -> Iterator[str]:
    rates = " and ".join(f"{_rate(found[model])} for the {_named(model)}" for model in MODELS if model in found)
    yield (
        f"For {_SPEECH[kind]} the {Unit(found['unit']).rate} is {rates}, on {_clips(found, 'held-out clip')}, "
        f"against {found['reference']}."
    )
    raw = [
        f"{name} {' and '.join(_share(found[model]['raw'][name]) for model in MODELS if model in found)}"
        for name in KINDS
        if found["compressed"]["raw"][name] is not None
    ]
    if raw:
        who = " and by ".join(f"the {_named(model)}" for model in MODELS if model in found)
        yield f"Written wrong by {who}: {'; '.join(raw)}."


def _windows(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield which windows the model is for, what it does in the others, why, and what either costs."""
    chosen = WindowKind.of(report["window"]["margin_s"])
    (other,) = set(WindowKind) - {chosen}
    rates = [f"{_percent(found['windows'][other])} for {_SPEECH[kind]}" for kind, found in report["speech"].items()]
    of_other = f"; in {IN_WORDS[other]} its {_rate_name(report)} is {' and '.join(rates)}" if rates else ""
    yield f"The compressed model is for {IN_WORDS[chosen]}{of_other}. {report['window']['why']}"
    for kind, found in report["speech"].items():
        seconds = found["compute_s_per_audio_s"]
        yield (
            f"A second of {_SPEECH[kind]} takes the compressed model {_seconds(seconds['fitted'])} of computing in "
            f"fitted windows and {_seconds(seconds['whole'])} in whole ones; the original takes "
            f"{_seconds(seconds['original'])}."
        )


def _table(speech: Mapping[str, Any]) -> Iterator[str]:
    if not speech:
        yield "No held-out speech could be judged."
        return
    yield "| held-out speech | | original | compressed, fitted windows | compressed, whole windows | clips | against |"
    yield "|---|---|---|---|---|---|---|"
    for kind, found in speech.items():
        heard = [found.get("original"), *(found["windows"][window] for window in WindowKind)]
        about = f"{found['num_clips']} | {found['reference']} |"
        cells = " | ".join("-" if scored is None else _rate(scored) for scored in heard)
        yield f"| {_SPEECH[kind]} | {Unit(found['unit']).rate} | {cells} | {about}"
        for name in KINDS:
            if found["compressed"]["raw"][name] is not None:
                cells = " | ".join("-" if scored is None else _share(scored["raw"][name]) for scored in heard)
                yield f"| {_SPEECH[kind]} | {name} wrong | {cells} | {about}"


def _silence(kind: str, found: Mapping[str, Any]) -> str:
    heard = " and ".join(f"the {_named(model)} {found['heard'][model]:,}" for model in MODELS)
    return f"On {_clips(found, 'clip')} of {_SPEECH[kind]} where nobody speaks, {heard} {found['unit']}s are written."


def _tokens(vocabulary: Mapping[str, Any]) -> str:
    if vocabulary["kept"] < vocabulary["of"]:
        return (
            f"It keeps the {vocabulary['kept']:,} of {vocabulary['of']:,} tokens that these languages need: "
            f"{', '.join(named(code) for code in vocabulary['languages'])}."
        )
    return f"It keeps all {vocabulary['of']:,} tokens{f', as {why}' if (why := vocabulary['why_all']) else ''}."


def _not_taught(report: Mapping[str, Any], *, names: bool) -> Iterator[str]:
    for kind, found in report.get("not_taught", {}).items():
        more = ", …" if found["num_clips"] > len(found["recordings"]) else ""
        which = f" ({', '.join(found['recordings'])}{more})" if names else ""
        yield f"Not taught: {_clips(found, 'clip')} of {_SPEECH[kind]}{which}: {found['why']}."


def _other_forms() -> Iterator[str]:
    yield "`adaptwin export FOLDER --to FORM --out OTHER` writes this model for another runtime. So does the service:"
    yield ""
    yield "| form | runtime | |"
    yield "|---|---|---|"
    for form in FORMATS.values():
        yield f"| `{form.name}` | {form.runtime} | {form.note} |"


def _family(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield the models that were made together with this one."""
    if "family" in report:
        family = report["family"]
        yield from ("", "## The models of this job", "", family["sentence"], "")
        yield from family_table(family)
        yield from ("", "![Error rate and size of each model of this job](family.png)")


def _clips(found: Mapping[str, Any], what: str) -> str:
    return f"{found['num_clips']} {what}{'s' * (found['num_clips'] != 1)}"


def _rate_name(report: Mapping[str, Any]) -> str:
    """Return the name of the error rate, which is the same for all speech of a job."""
    return Unit(next(iter(report["speech"].values()))["unit"]).rate


def _percent(score: Mapping[str, Any]) -> str:
    return f"{100 * score['error_rate']:.1f} %"


def _seconds(seconds: float) -> str:
    return f"{seconds:.2g} s"


def _rate(score: Mapping[str, Any]) -> str:
    low, high = score["error_rate_low"], score["error_rate_high"]
    return f"{100 * score['error_rate']:.1f} % ({100 * low:.1f}-{100 * high:.1f})"


def _share(count: Mapping[str, int] | None) -> str:
    return "-" if count is None else f"{count['errors']:,} of {count['of']:,}"


def _named(model: str) -> str:
    return "original" if model == "original" else "compressed model"

"""The model card of a report: the README of a published model."""

from collections.abc import Iterator, Mapping
from typing import Any

from adaptwin_core.domain.exports import CHECKPOINT, FORMATS
from adaptwin_core.domain.languages import named
from adaptwin_core.domain.snippets import snippet
from adaptwin_core.domain.task_keys import WindowKind
from adaptwin_core.domain.units import Unit
from adaptwin_core.ml.evaluation.family import family_table
from adaptwin_core.ml.evaluation.hub_metadata import hub_metadata, rates_of
from adaptwin_core.ml.evaluation.report_lines import SPEECH, not_taught, rate_of, share_of, silence_told, windows_told
from adaptwin_core.ml.evaluation.report_plot import picture
from adaptwin_core.ml.evaluation.report_words import WRITTEN_KINDS


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
        *windows_told(report),
        "",
        *_table(report["speech"]),
        *([""] if report["silence"] else []),
        *(silence_told(kind, found) for kind, found in report["silence"].items()),
        *(piece for told in not_taught(report, names=False) for piece in ("", told)),
        *_family(report),
        "",
        *_other_forms(),
        "",
        "This model was made from a person's voice: treat it as personal data. `report.json` names the recordings.",
        "",
    ]
    return "\n".join(text)


def _table(speech: Mapping[str, Any]) -> Iterator[str]:
    if not speech:
        yield "No held-out speech could be judged."
        return
    yield "| held-out speech | | original | compressed, fitted windows | compressed, whole windows | clips | against |"
    yield "|---|---|---|---|---|---|---|"
    for kind, found in speech.items():
        heard = [found.get("original"), *(found["windows"][window] for window in WindowKind)]
        about = f"{found['num_clips']} | {found['reference']} |"
        cells = " | ".join("-" if scored is None else rate_of(scored) for scored in heard)
        yield f"| {SPEECH[kind]} | {Unit(found['unit']).rate} | {cells} | {about}"
        for name in WRITTEN_KINDS:
            if found["compressed"]["raw"][name] is not None:
                cells = " | ".join("-" if scored is None else share_of(scored["raw"][name]) for scored in heard)
                yield f"| {SPEECH[kind]} | {name} wrong | {cells} | {about}"


def _tokens(vocabulary: Mapping[str, Any]) -> str:
    if vocabulary["kept"] < vocabulary["of"]:
        return (
            f"It keeps the {vocabulary['kept']:,} of {vocabulary['of']:,} tokens that these languages need: "
            f"{', '.join(named(code) for code in vocabulary['languages'])}."
        )
    return f"It keeps all {vocabulary['of']:,} tokens{f', as {why}' if (why := vocabulary['why_all']) else ''}."


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

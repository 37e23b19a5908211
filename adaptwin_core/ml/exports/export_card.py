"""The model card of an export: what it is, its error rate in its own runtime, and the lines that run it there."""

from collections.abc import Iterator, Mapping
from typing import Any

from adaptwin_core.domain.exports import FORMATS
from adaptwin_core.domain.snippets import snippet
from adaptwin_core.domain.task_keys import SpeechKind
from adaptwin_core.domain.units import Unit
from adaptwin_core.ml.evaluation.hub_metadata import TRANSCRIPTS, HeldOutRate, hub_metadata


def export_card(form: str, report: Mapping[str, Any], verdict: Mapping[str, Any] | None, *, licence: str | None) -> str:
    """Return the README of an export, with the metadata of the Hugging Face Hub at its head.

    Args:
        form: one of `domain.exports.FORMATS`.
        report: of the model that was exported.
        verdict: of `acceptance.verdict`, where the export was tested.
        licence: of the base model, as an SPDX identifier, if known.
    """
    metadata = hub_metadata(report, form=form, licence=licence, rates=_rates(verdict))
    text = [
        "---",
        metadata.to_yaml(),
        "---",
        "",
        f"# {report['base_model']}, for one speaker, as {form}",
        "",
        f"A model that AdaPTwin made, in the form `{form}`: {FORMATS[form].note}.",
        "",
        *_told(verdict),
        "",
        snippet(form, language=report["spec"]["language"], margin_s=report["window"]["margin_s"]),
        "",
        "`adaptwin.json` holds the SHA-256 of each file, the scores and the settings. `adaptwin verify` checks them.",
        "",
        "This model was made from a person's voice: treat it as personal data.",
        "",
    ]
    return "\n".join(text)


def _rates(verdict: Mapping[str, Any] | None) -> list[HeldOutRate]:
    if verdict is None or verdict.get("reference") != TRANSCRIPTS:
        return []
    return [HeldOutRate(SpeechKind.SPEAKER, Unit(verdict["unit"]), verdict["error_rate"])]


def _told(verdict: Mapping[str, Any] | None) -> Iterator[str]:
    if verdict is None:
        yield "It was not tested on speech."
    elif "error_rate" not in verdict:
        yield f"It was not tested on speech: {verdict['why']}."
    else:
        clips = f"{verdict['num_clips']} held-out clip{'s' * (verdict['num_clips'] != 1)}"
        yield (
            f"In that runtime its {Unit(verdict['unit']).rate} for this speaker is {_percent(verdict['error_rate'])}. "
            f"That of the model itself is {_percent(verdict['checkpoint_error_rate'])}, on the same {clips}, "
            f"against {verdict['reference']}."
        )


def _percent(rate: float) -> str:
    return f"{100 * rate:.1f} %"

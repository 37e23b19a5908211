"""Advice for a model that is worse than the original or cannot be judged, derived from its report."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from adaptwin_core.domain.spec import SEARCHED_CUTS
from adaptwin_core.domain.verdict import Outcome

FEW_MINUTES, ENOUGH_MINUTES = 10, 30  # of speech to train on
MANY_WRONG = 0.5  # of the original's words: above this the transcripts or the language are more likely to be wrong
_SMALLER = {
    "large-v3-turbo": "small",
    "turbo": "small",
    "large": "medium",
    "medium": "small",
    "small": "base",
    "base": "tiny",
}


def advice(report: Mapping[str, Any], outcome: Outcome, *, is_sure: bool, others: Outcome | None) -> Iterator[str]:
    """Yield sentences that say what to do, the most effective first; none where nothing is wrong."""
    speaker = report["speech"].get("speaker")
    spec = report["spec"]
    if speaker is not None and speaker.get("original", {}).get("error_rate", 0) > MANY_WRONG:
        yield (
            f"The original gets {100 * speaker['original']['error_rate']:.0f} % of the {speaker['unit']}s wrong: check "
            f"that the transcripts belong to their recordings and that the language is {spec['language']}."
        )
    if speaker is None:
        yield "Send more recordings, and keep some with transcripts for testing: a model can be judged by those alone."
    elif outcome == "unknown":
        yield "Send transcripts of some recordings that are kept for testing: a model can be judged by those alone."
    elif not is_sure:
        yield "Keep more transcribed speech for testing, 10 clips and 100 words or more, to be sure."
    if outcome == "worse":
        helps = list(_against_worse(report))
        yield from helps or ["Keep the original: on this speech the tuning does not help."]
    if others == "worse":
        yield (
            f"To keep hearing others, send more general speech, or give it a larger part: general_share above "
            f"{spec['general_share']:g}."
        )


def _against_worse(report: Mapping[str, Any]) -> Iterator[str]:
    plan = report["plan"]
    if plan["total_cut"] > 0:
        yield from _less_cut(plan, report["spec"])
    if report["spec"]["weights"] == "int4":
        yield "Store the weights as int8: 4 bits lose more."
    yield from _more_speech(report["trained_on"])
    if plan["total_cut"] > 0:
        yield from _smaller_base(report["base_model"])


def _less_cut(plan: Mapping[str, Any], spec: Mapping[str, Any]) -> Iterator[str]:
    """Yield which setting to change: a budget, where one decided the cut of both halves, else the halves' own."""
    if spec.get("max_bytes") is not None:
        yield f"Cut less: a max_bytes above {spec['max_bytes']:,}."
        return
    if spec.get("model_cut") is not None:
        yield f"Cut less: a model_cut below {spec['model_cut']:g}."
        return
    if plan["decoder_cut"] > 0:
        yield f"Leave the decoder whole: decoder_cut 0 in place of {plan['decoder_cut']:.2g}."
    milder = [cut for cut in SEARCHED_CUTS if cut < plan["encoder_cut"] - 0.02]  # a plan rounds to whole columns
    if milder:
        yield f"Cut less of the encoder: encoder_cut {milder[0]:g} in place of {plan['encoder_cut']:.2g}."
    elif plan["encoder_cut"] > 0:
        yield "Cut nothing of the encoder: encoder_cut 0 only tunes the model to its speaker."


def _more_speech(trained_on: Mapping[str, float]) -> Iterator[str]:
    minutes, transcribed = (trained_on[name] / 60 for name in ("seconds", "transcribed_seconds"))
    if transcribed == 0:
        yield "Send transcripts with the speech: without them the model is taught only what the original hears."
    if minutes < ENOUGH_MINUTES:
        wanted = FEW_MINUTES if minutes < FEW_MINUTES else ENOUGH_MINUTES
        yield f"Send more speech: it was trained on {minutes:.1f} minutes; {wanted} or more help."


def _smaller_base(name: str) -> Iterator[str]:
    if "tiny" in name:
        return
    known = re.search(rf"whisper-({'|'.join(_SMALLER)})(?:-v\d)?((?:\.en)?)$", name)
    smaller = f"whisper-{_SMALLER[known[1]]}{known[2]}" if known else "the next smaller Whisper"
    yield f"Start from {smaller} and cut nothing (encoder_cut 0): a smaller model that is whole often hears better."

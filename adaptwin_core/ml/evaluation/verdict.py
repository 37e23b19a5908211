"""The verdict on a finished model, from the figures of its report: better, no worse, worse, or unknown.

It follows from the 95 % interval of the difference of both error rates on the same clips (paired bootstrap over clips).
`no_worse` does not prove that both are equal: the interval, which the sentence gives, says how much worse it may be.
"""

from collections.abc import Mapping
from typing import Any

from adaptwin_core.domain.units import Unit
from adaptwin_core.domain.verdict import Outcome, Verdict
from adaptwin_core.ml.evaluation.advice import advice

MIN_CLIPS, MIN_UNITS = 10, 100  # with fewer, the bootstrap says little about other clips
MAX_WIDTH = 0.10  # of an interval that holds 0: a wider one may hide a much worse model


def verdict_of(report: Mapping[str, Any]) -> Verdict:
    """Return the verdict on a report's model. `report` needs speech, window, plan, spec, base_model, trained_on."""
    speaker, general = (report["speech"].get(kind) for kind in ("speaker", "general"))
    outcome, is_sure = outcome_of(speaker), _is_sure(speaker)
    others = outcome_of(general) if general is not None else None
    sentence = _sentence(speaker, outcome, is_sure)
    if general is not None and others == "worse":
        sentence += f"; others are heard worse: {_interval(general)}"
    apart = speaker["difference"] if speaker is not None and outcome != "unknown" else None
    return Verdict(
        outcome=outcome,
        is_sure=is_sure,
        sentence=f"{sentence}.",
        difference=apart["rate"] if apart else None,
        low=apart["low"] if apart else None,
        high=apart["high"] if apart else None,
        margin_s=report["window"]["margin_s"],
        others=others,
        advice=tuple(advice(report, outcome, is_sure=is_sure, others=others)),
    )


def outcome_of(found: Mapping[str, Any] | None) -> Outcome:
    """Return the outcome for one kind of speech, as `report.compare` found it; None where none could be judged."""
    if found is None or "difference" not in found:
        return "unknown"
    apart = found["difference"]
    if apart["high"] < 0:
        return "better"
    return "worse" if apart["low"] > 0 else "no_worse"


def _is_sure(found: Mapping[str, Any] | None) -> bool:
    if found is None or "difference" not in found:
        return False
    apart = found["difference"]
    is_vague = apart["low"] <= 0 <= apart["high"] and apart["high"] - apart["low"] > MAX_WIDTH
    return found["num_clips"] >= MIN_CLIPS and found["compressed"]["num_units"] >= MIN_UNITS and not is_vague


def _sentence(found: Mapping[str, Any] | None, outcome: Outcome, is_sure: bool) -> str:
    """Return the verdict on the speaker, without a full stop."""
    if found is None:
        return "Not known to be better or worse than the original: no held-out speech with words could be judged"
    unit = Unit(found["unit"])
    if outcome == "unknown":
        return (
            "Not known to be better or worse than the original: no held-out clip has a transcript; of the original's "
            f"own {unit.plural} {100 * found['compressed']['error_rate']:.1f} % come out otherwise"
        )
    words = {"better": "better than", "no_worse": "no worse than", "worse": "worse than"}[outcome]
    if found["num_clips"] < MIN_CLIPS or found["compressed"]["num_units"] < MIN_UNITS:
        return (
            f"Seems {words} the original for this speaker: {_points(found['difference']['rate'], unit)}, but "
            f"{_clips(found)} with {found['compressed']['num_units']:,} {unit.plural} are too little to be sure"
        )
    within = ", within the interval" if outcome == "no_worse" else ""
    wide = "" if is_sure else ", which is too wide to be sure"
    return f"{words.capitalize()} the original for this speaker{within}: {_interval(found)}{wide}"


def _interval(found: Mapping[str, Any]) -> str:
    """Return the interval of a difference in words, with the number of clips behind it."""
    unit, apart = Unit(found["unit"]), found["difference"]
    low, high = (round(100 * apart[end], 1) + 0.0 for end in ("low", "high"))
    if low == high == 0:
        span = f"as many {unit.plural} wrong"
    elif high <= 0:
        span = f"{abs(high):.1f} to {abs(low):.1f} points fewer {unit.plural} wrong"
    elif low >= 0:
        span = f"{low:.1f} to {high:.1f} points more {unit.plural} wrong"
    else:
        span = f"from {abs(low):.1f} points fewer to {high:.1f} points more {unit.plural} wrong"
    return f"{span} (95 % interval, {_clips(found)})"


def _points(rate: float, unit: Unit) -> str:
    points = round(100 * rate, 1)
    if points == 0:
        return f"as many {unit.plural} wrong"
    return f"{abs(points):.1f} points {'more' if points > 0 else 'fewer'} {unit.plural} wrong"


def _clips(found: Mapping[str, Any]) -> str:
    return f"{found['num_clips']} clip{'s' * (found['num_clips'] != 1)}"

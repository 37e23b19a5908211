"""Original and compressed model on the same held-out clips: their scores, and what they write where nobody speaks."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from adaptwin_core.domain.units import unit_of
from adaptwin_core.ml.evaluation.scoring import count_units, difference, judged_by, score
from adaptwin_core.ml.evaluation.written_form import as_json, as_written
from adaptwin_core.speech.corpus import Clip


def compare(
    clips: Sequence[Clip], original: Mapping[str, str], compressed: Mapping[str, str], language: str
) -> dict[str, Any]:
    """Score both models' texts, given by clip id, on the same clips.

    Clips without a transcript are left out if others have one. If none has, all are scored against the original's own
    output. `reference` says which of the two it was. An empty transcript counts as one: it says that nobody speaks.

    Returns:
        reference, unit, clips, seconds, the score of each model with its `raw` errors, and the difference of both error
        rates. The original has no score where its output is the reference.

    Raises:
        InvalidInput: no reference has a word.
    """
    judged, references, has_transcripts = judged_clips(clips, original)
    texts = {
        name: [text_of[clip.id] for clip in judged]
        for name, text_of in (("original", original), ("compressed", compressed))
        if has_transcripts or name == "compressed"
    }
    scores = {name: score(references, hypotheses, language=language) for name, hypotheses in texts.items()}
    apart = {"difference": asdict(difference(scores["compressed"], scores["original"]))} if has_transcripts else {}
    return {
        "reference": "transcripts" if has_transcripts else "the original model's own output",
        "unit": unit_of(language),
        "num_clips": len(judged),
        "seconds": round(sum(clip.seconds for clip in judged), 2),
        **apart,
        **{
            name: _figures(asdict(found)) | {"raw": as_json(as_written(references, texts[name], language=language))}
            for name, found in scores.items()
        },
    }


def judged_clips(clips: Sequence[Clip], original: Mapping[str, str]) -> tuple[list[Clip], list[str], bool]:
    """Return the clips that models are judged by, their references, and whether those are transcripts."""
    indices, has_transcripts = judged_by([clip.text for clip in clips])
    judged = [clips[index] for index in indices]
    return judged, [(clip.text if has_transcripts else original[clip.id]) or "" for clip in judged], has_transcripts


def _figures(scored: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in scored.items() if name not in {"clips", "unit"}}


def silence(
    clips: Sequence[Clip], original: Mapping[str, str], compressed: Mapping[str, str], language: str
) -> dict[str, Any] | None:
    """Return how many words, or characters, each model writes on clips where nobody speaks; None if there are none."""
    silent = [clip for clip in clips if clip.text is not None and not clip.text.strip()]
    if not silent:
        return None
    return {
        "unit": unit_of(language),
        "num_clips": len(silent),
        "heard": {
            name: sum(count_units(text_of[clip.id], language) for clip in silent)
            for name, text_of in (("original", original), ("compressed", compressed))
        },
    }

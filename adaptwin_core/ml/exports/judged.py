"""An export is heard before it is offered: in its own runtime, on held-out clips, against its checkpoint."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from adaptwin_core.domain.audio import seconds_of
from adaptwin_core.ml.evaluation.report import held_out
from adaptwin_core.ml.evaluation.scoring import judged_by, score
from adaptwin_core.ml.exports.recognizers import Recognizer
from adaptwin_core.speech.corpus import Corpus

MOST_WORSE = 0.003  # of the error rate: what an export may lose against the checkpoint


@dataclass(frozen=True)
class HeldOut:
    """Clips, and what to score them against: transcripts, or where there are none the checkpoint's own words.

    `own_texts`: those words, where they are known already.
    """

    audios: Sequence[np.ndarray]
    texts: Sequence[str | None]
    own_texts: Sequence[str] | None = None

    @classmethod
    def of(cls, speaker: Corpus, own_texts: Mapping[str, str] | None = None) -> "HeldOut":
        """Return the clips that the model itself is judged on. `own_texts`, by clip id, count if none is missing."""
        clips = held_out(speaker, "speaker")
        known = own_texts if own_texts is not None and all(clip.id in own_texts for clip in clips) else None
        return cls(
            [speaker.audio(clip) for clip in clips],
            [clip.text for clip in clips],
            [known[clip.id] for clip in clips] if known is not None else None,
        )

    @property
    def seconds(self) -> float:
        return seconds_of(sum(len(audio) for audio in self.audios))


@dataclass(frozen=True)
class Heard:
    """What a recognizer made of held-out clips, and its seconds of compute for a second of audio."""

    texts: list[str]
    compute_s_per_audio_s: float


def hear(
    recognizer: Recognizer, held_out: HeldOut, progress: Callable[[int, int], None] = lambda _done, _total: None
) -> Heard:
    """Transcribe every clip. `progress` gets clips done and in all; it may raise to stop."""
    texts, began = [], time.perf_counter()
    for number, audio in enumerate(held_out.audios, 1):
        texts.append(recognizer(audio))
        progress(number, len(held_out.audios))
    return Heard(texts, (time.perf_counter() - began) / held_out.seconds)


def verdict(exported: Heard, own_texts: Sequence[str], held_out: HeldOut, language: str) -> dict[str, Any]:
    """Return error rates of export and checkpoint, the share of equal texts, speed, and whether it may be offered.

    The same clips count as in the model's own report. `error_rate` is of `unit`: characters, not words, where no spaces
    part words.

    Raises:
        InvalidInput: nobody said a word in the clips.
    """
    judged, has_transcripts = judged_by(held_out.texts)
    references = [(held_out.texts[index] if has_transcripts else own_texts[index]) or "" for index in judged]
    found, own = (
        score(references, [texts[index] for index in judged], language=language)
        for texts in (exported.texts, own_texts)
    )
    is_offered = found.error_rate <= own.error_rate + MOST_WORSE
    return {
        "reference": "transcripts" if has_transcripts else "the checkpoint's own output",
        "num_clips": len(references),
        "seconds": round(held_out.seconds, 1),
        "unit": found.unit,
        "error_rate": found.error_rate,
        "checkpoint_error_rate": own.error_rate,
        "wer": found.wer,
        "checkpoint_wer": own.wer,
        "same_text": sum(exported.texts[index] == own_texts[index] for index in judged) / len(judged),
        "compute_s_per_audio_s": round(exported.compute_s_per_audio_s, 4),
        "is_offered": is_offered,
        "why": None
        if is_offered
        else f"its {found.unit.rate} is {100 * (found.error_rate - own.error_rate):.1f} points above the checkpoint's; "
        f"at most {100 * MOST_WORSE:.1f} are allowed",
    }

"""The acceptance test of an export: in its own runtime, on held-out clips, against the checkpoint it was made from."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from adaptwin_core.domain.audio import seconds_of
from adaptwin_core.domain.progress import Progress, no_progress
from adaptwin_core.domain.task_keys import SpeechKind
from adaptwin_core.ml.evaluation.held_out import held_out_clips
from adaptwin_core.ml.evaluation.scoring import judged_by, score
from adaptwin_core.ml.evaluation.tolerance import TOLERATED, is_tolerated
from adaptwin_core.ml.exports.recognizers import Recognizer
from adaptwin_core.ml.model.transcription import Transcripts
from adaptwin_core.speech.corpus import Corpus


@dataclass(frozen=True)
class HeldOutSet:
    """Held-out clips and their transcripts. Where no clip has one, the checkpoint's own texts are the reference.

    Attributes:
        audios: of each clip, 16 kHz mono float32.
        texts: of each clip, its transcript or None.
        own_texts: of each clip, what the checkpoint transcribes; None where that is not known yet.
    """

    audios: Sequence[np.ndarray]
    texts: Sequence[str | None]
    own_texts: Sequence[str] | None = None

    @classmethod
    def of(cls, speaker: Corpus, own_texts: Mapping[str, str] | None = None) -> "HeldOutSet":
        """Return the clips that the model itself is judged on.

        Args:
            own_texts: what the checkpoint transcribes, by clip id. It is used only if no clip is missing.
        """
        clips = held_out_clips(speaker, SpeechKind.SPEAKER)
        known = own_texts if own_texts is not None and all(clip.id in own_texts for clip in clips) else None
        return cls(
            [speaker.audio(clip) for clip in clips],
            [clip.text for clip in clips],
            [known[clip.id] for clip in clips] if known is not None else None,
        )

    @property
    def seconds(self) -> float:
        return seconds_of(sum(len(audio) for audio in self.audios))


def transcribe_held_out(recognizer: Recognizer, held_out: HeldOutSet, progress: Progress = no_progress) -> Transcripts:
    """Transcribe every clip. `progress` is told of clips."""
    texts, began = [], time.perf_counter()
    for number, audio in enumerate(held_out.audios, 1):
        texts.append(recognizer(audio))
        progress(number, len(held_out.audios))
    return Transcripts(texts, time.perf_counter() - began, held_out.seconds)


def verdict(exported: Transcripts, own_texts: Sequence[str], held_out: HeldOutSet, language: str) -> dict[str, Any]:
    """Compare an export with its checkpoint, on the clips that count in the model's own report.

    Args:
        own_texts: what the checkpoint transcribes.

    Returns:
        error rates of export and checkpoint, the share of equal texts, speed, and whether it may be handed out
        (`is_offered`). `error_rate` is of `unit`: words, or characters where no spaces separate words.

    Raises:
        InvalidInput: nobody says a word in the clips.
    """
    judged, has_transcripts = judged_by(held_out.texts)
    references = [(held_out.texts[index] if has_transcripts else own_texts[index]) or "" for index in judged]
    found, own = (
        score(references, [texts[index] for index in judged], language=language)
        for texts in (exported.texts, own_texts)
    )
    is_offered = is_tolerated(found.num_errors - own.num_errors, found.num_units)
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
        f"at most {TOLERATED} is allowed",
    }

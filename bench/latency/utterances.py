"""Held-out speech as utterances of about one length."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from adaptwin_core.domain.audio import WINDOW_S, seconds_of
from adaptwin_core.ml.evaluation.held_out import spread
from adaptwin_core.speech.corpus import Clip, Corpus

BAND = 1.15  # an utterance may be longer or shorter than the wanted length by this factor


@dataclass(frozen=True)
class Utterance:
    """What a person says at once: 16 kHz mono samples, and its words."""

    audio: np.ndarray
    text: str

    @property
    def seconds(self) -> float:
        return seconds_of(len(self.audio))


def utterances(corpus: Corpus, seconds: float, count: int) -> list[Utterance]:
    """Return up to `count` utterances of about `seconds` from the transcribed held-out clips."""
    clips = [clip for clip in corpus.split("test") if clip.text]
    return [
        Utterance(np.concatenate([corpus.audio(clip) for clip in group]), " ".join(clip.text or "" for clip in group))
        for group in chosen(clips, seconds, count)
    ]


def chosen(clips: Sequence[Clip], seconds: float, count: int) -> list[list[Clip]]:
    """Return up to `count` groups of clips, each of which makes one utterance. No clip is in two.

    Whole clips within the band come first, spread evenly. Where there are too few, consecutive clips are joined until
    they are in the band. Where there are still too few, the clips that are nearest in length are taken.
    """
    found = [[clip] for clip in spread([clip for clip in clips if _is_near(clip.seconds, seconds)], count)]
    found += _joined(clips, seconds)[: count - len(found)]
    taken = {clip.id for group in found for clip in group}
    left = [clip for clip in clips if clip.id not in taken and clip.seconds < WINDOW_S]
    left.sort(key=lambda clip: abs(np.log(clip.seconds / seconds)))
    return found + [[clip] for clip in left[: count - len(found)]]


def _joined(clips: Sequence[Clip], seconds: float) -> list[list[Clip]]:
    """Return groups of two or more consecutive clips in the band, none of which is in it by itself."""
    groups, group = list[list[Clip]](), list[Clip]()
    for clip in clips:
        if clip.seconds * BAND >= seconds:  # in the band, or too long for it
            group = []
            continue
        group = [*group, clip]
        while sum(clip.seconds for clip in group) > seconds * BAND:
            group = group[1:]
        if len(group) > 1 and _is_near(sum(clip.seconds for clip in group), seconds):
            groups.append(group)
            group = []
    return groups


def _is_near(length: float, seconds: float) -> bool:
    return seconds / BAND <= length <= seconds * BAND

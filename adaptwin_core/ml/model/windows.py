"""Clips packed into the 30 s windows that Whisper sees, or the first part of one.

A window of one six-second clip is 80 % padding and costs as much as a full one, so anything that is measured or
trained on takes packed windows.
"""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from adaptwin_core.domain.audio import FRAMES_PER_S, WINDOW_FRAMES, WINDOW_S, WINDOW_SAMPLES, samples_of
from adaptwin_core.domain.digest import digest_json
from adaptwin_core.domain.splits import Split
from adaptwin_core.speech.corpus import Clip, Corpus

GAP_S = 0.15  # silence between packed clips
# A short window holds up to SHORT_S of speech (or one longer clip) and at least MARGIN_S of silence after it. With that
# silence the original transcribes it nearly as it would in a whole window.
SHORT_S, MARGIN_S = 13.0, 2.0
# Windows are filled to a random share in this range, so that training sees padding as single short clips have it.
MIN_FILL, MAX_FILL = 0.4, 1.0
MAX_LABEL_TOKENS = 440  # the decoder holds 448 positions
MAX_TEXT_TOKENS = MAX_LABEL_TOKENS - 5  # the words' share: the prompt takes four at most, the end one

NumTokens = Callable[[str], int]  # counts the tokens of a text's words, with a model's own tokenizer


@dataclass(frozen=True)
class Window:
    """Clips of one corpus that share a window. A short window ends soon after its last clip.

    A short one saves much: the encoder's attention costs the square of the window's length.
    """

    corpus: Corpus
    clips: tuple[Clip, ...]
    is_short: bool = False

    @property
    def text(self) -> str | None:
        """What is said: None unless every clip has a transcript; empty where nobody speaks in any of them."""
        if not self.has_text:
            return None
        return " ".join(clip.text for clip in self.clips if clip.text)

    @property
    def has_text(self) -> bool:
        """Whether every clip has a transcript. An empty transcript says that nobody speaks."""
        return all(clip.text is not None for clip in self.clips)

    @property
    def name(self) -> str:
        """A name that depends only on the clips and the window's length, so it is the same in any process."""
        return digest_json([self.corpus.digest, self.num_frames, *(clip.id for clip in self.clips)])

    @property
    def num_frames(self) -> int:
        """How many frames the encoder is given; a whole number of seconds."""
        spoken_s = sum(clip.seconds + GAP_S for clip in self.clips)
        return min(WINDOW_FRAMES, math.ceil(spoken_s + MARGIN_S) * FRAMES_PER_S) if self.is_short else WINDOW_FRAMES

    def audio(self) -> np.ndarray:
        """Return the clips' samples in a row, float32 at 16 kHz, at most 30 s."""
        gap = np.zeros(samples_of(GAP_S), np.float32)
        pieces = [piece for clip in self.clips for piece in (self.corpus.audio(clip), gap)]
        return np.concatenate(pieces)[:WINDOW_SAMPLES]


@dataclass(frozen=True, eq=False)
class NonspeechWindow:
    """Sound in which nobody speaks; its transcript is empty."""

    samples: np.ndarray
    text: str = ""
    num_frames: int = WINDOW_FRAMES

    def audio(self) -> np.ndarray:
        return self.samples


def pack(
    corpus: Corpus, split: Split, *, seed: int, labelled: bool = False, num_tokens: NumTokens | None = None
) -> list[Window]:
    """Return windows of the split's clips in an order set by `seed`.

    Args:
        labelled: leave out clips without a transcript.
        num_tokens: limits the transcript of each window to what the decoder holds; clips that exceed it alone
            (`too_wordy`) are left out. None where only the sound is wanted.
    """
    left_out = set() if num_tokens is None else {clip.id for clip in too_wordy(corpus, split, num_tokens)}
    clips = [
        clip for clip in corpus.split(split) if clip.id not in left_out and (clip.text is not None or not labelled)
    ]
    return _packed(corpus, clips, WINDOW_S, seed, num_tokens, is_short=False)


def pack_short(windows: Sequence[Window], *, seed: int, num_tokens: NumTokens | None = None) -> list[Window]:
    """Return the clips of `windows`, all of one corpus, in short windows."""
    clips = [clip for window in windows for clip in window.clips]
    return _packed(windows[0].corpus, clips, SHORT_S, seed, num_tokens, is_short=True) if windows else []


def too_wordy(corpus: Corpus, split: Split, num_tokens: NumTokens) -> list[Clip]:
    """Return the clips whose transcript alone has more tokens than the decoder holds."""
    return [clip for clip in corpus.split(split) if _num_tokens(clip, num_tokens) > MAX_TEXT_TOKENS]


def _num_tokens(clip: Clip, num_tokens: NumTokens | None) -> int:
    return num_tokens(clip.text) if clip.text and num_tokens is not None else 0


def _packed(
    corpus: Corpus, clips: list[Clip], most_s: float, seed: int, num_tokens: NumTokens | None, *, is_short: bool
) -> list[Window]:
    rng = random.Random(seed)  # noqa: S311  # an order, not a secret
    rng.shuffle(clips)
    windows: list[Window] = []
    current: list[Clip] = []
    room_s, room = most_s * rng.uniform(MIN_FILL, MAX_FILL), MAX_TEXT_TOKENS
    for clip in clips:
        tokens = _num_tokens(clip, num_tokens)
        if current and (clip.seconds + GAP_S > room_s or tokens > room):
            windows.append(Window(corpus, tuple(current), is_short))
            current, room_s, room = [], most_s * rng.uniform(MIN_FILL, MAX_FILL), MAX_TEXT_TOKENS
        current.append(clip)
        room_s -= clip.seconds + GAP_S
        room -= tokens
    if current:
        windows.append(Window(corpus, tuple(current), is_short))
    return windows

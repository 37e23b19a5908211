"""Clips packed into the 30 s windows that Whisper sees, or into fitted ones that end soon after the speech.

A window of one six-second clip is 80 % padding and costs as much as a full one, so anything that is measured or
trained on takes packed windows.
"""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from adaptwin_core.domain.audio import WINDOW_FRAMES, WINDOW_S, WINDOW_SAMPLES, samples_of, window_frames
from adaptwin_core.domain.digest import digest_json
from adaptwin_core.domain.splits import Split
from adaptwin_core.speech.corpus import Clip, Corpus

GAP_S = 0.15  # silence between packed clips
# A fitted window holds up to FITTED_S of speech, or one longer clip. It ends LEAST_MARGIN_S to MOST_MARGIN_S after the
# speech, drawn evenly in the logarithm: the shorter a margin, the less of it the original knows. A model that has seen
# few short margins says a sentence again where no silence follows it.
FITTED_S = 9.0
LEAST_MARGIN_S, MOST_MARGIN_S = 0.03, 3.0
# Windows are filled to a random share in a range, so that training sees padding as single short clips have it. Half of
# the fitted windows, those with a share below 0, hold one clip, as in use: a model that has seen few windows of one
# short clip says it again and again.
WHOLE_FILL, FITTED_FILL = (0.4, 1.0), (-1.0, 1.0)
MAX_LABEL_TOKENS = 440  # the decoder holds 448 positions
MAX_TEXT_TOKENS = MAX_LABEL_TOKENS - 5  # the words' share: the prompt takes four at most, the end one

NumTokens = Callable[[str], int]  # counts the tokens of a text's words, with a model's own tokenizer


@dataclass(frozen=True)
class Window:
    """Clips of one corpus that share a window.

    Attributes:
        margin_s: how long after its last clip a fitted window ends. None stands for a whole window.
    """

    corpus: Corpus
    clips: tuple[Clip, ...]
    margin_s: float | None = None

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
        """How many frames the encoder is given."""
        spoken_s = sum(clip.seconds + GAP_S for clip in self.clips) - GAP_S
        return window_frames(samples_of(spoken_s), self.margin_s)

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
    return [Window(corpus, together) for together in _packed(clips, WINDOW_S, WHOLE_FILL, seed, num_tokens)]


def pack_fitted(windows: Sequence[Window], *, seed: int, num_tokens: NumTokens | None = None) -> list[Window]:
    """Return the clips of `windows`, all of one corpus, in fitted windows of many margins."""
    clips = [clip for window in windows for clip in window.clips]
    margins = random.Random(seed)  # noqa: S311  # sizes, not secrets
    bounds = math.log(LEAST_MARGIN_S), math.log(MOST_MARGIN_S)
    return [
        Window(windows[0].corpus, together, math.exp(margins.uniform(*bounds)))
        for together in _packed(clips, FITTED_S, FITTED_FILL, seed, num_tokens)
    ]


def too_wordy(corpus: Corpus, split: Split, num_tokens: NumTokens) -> list[Clip]:
    """Return the clips whose transcript alone has more tokens than the decoder holds."""
    return [clip for clip in corpus.split(split) if _num_tokens(clip, num_tokens) > MAX_TEXT_TOKENS]


def _num_tokens(clip: Clip, num_tokens: NumTokens | None) -> int:
    return num_tokens(clip.text) if clip.text and num_tokens is not None else 0


def _packed(
    clips: list[Clip], most_s: float, fill: tuple[float, float], seed: int, num_tokens: NumTokens | None
) -> list[tuple[Clip, ...]]:
    """Return the clips in groups, each of a share of `most_s` of speech within `fill`, or of one longer clip."""
    rng = random.Random(seed)  # noqa: S311  # an order, not a secret
    rng.shuffle(clips)
    groups: list[tuple[Clip, ...]] = []
    current: list[Clip] = []
    room_s, room = most_s * rng.uniform(*fill), MAX_TEXT_TOKENS
    for clip in clips:
        tokens = _num_tokens(clip, num_tokens)
        if current and (clip.seconds + GAP_S > room_s or tokens > room):
            groups.append(tuple(current))
            current, room_s, room = [], most_s * rng.uniform(*fill), MAX_TEXT_TOKENS
        current.append(clip)
        room_s -= clip.seconds + GAP_S
        room -= tokens
    return [*groups, tuple(current)] if current else groups

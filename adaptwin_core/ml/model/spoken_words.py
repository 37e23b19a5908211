"""Tokens with times become words, and words become segments that a subtitle can hold."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from transformers.models.whisper.tokenization_whisper import _combine_tokens_into_words

from adaptwin_core.domain.language_names import NAMES
from adaptwin_core.domain.transcription import Segment, Word
from adaptwin_core.ml.model.alignment import Aligned

WITHOUT_SPACES = {"zh", "ja", "th", "lo", "my", "yue"}
_SENTENCE_ENDS = (".", "?", "!", "…", "。", "？", "！", "।", "؟")
_CLOSING = "\"'”’»)]}」』"
# The alignment gives a pause to the word beside it. As in Whisper's own, a word at the edge of a sentence lasts at most
# twice the median, and the median counts as 0.7 s at most.
_LONGEST_TO_MEDIAN, _MOST_MEDIAN_S = 2.0, 0.7
_PAUSE_S = 1.0  # a segment ends where nothing is said for so long
_MOST_S, _MOST_CHARS = 7.0, 84  # of a subtitle: two lines of 42 characters, as is usual


@dataclass(frozen=True)
class SpokenWord:
    """A word as it is written in the text, with the space before it. `tokens`: their positions in what was heard."""

    text: str
    start: float
    end: float
    tokens: range

    @property
    def ends_sentence(self) -> bool:
        return self.text.rstrip().rstrip(_CLOSING).endswith(_SENTENCE_ENDS)


def words_of(tokenizer: Any, language: str, tokens: Sequence[int], aligned: Aligned) -> list[SpokenWord]:
    """Return the words that tokens make, in order: what spaces part, or single letters where no spaces are written."""
    name = NAMES[language].split(", ")[0]
    places: list[tuple[str, range]] = []
    for text, _, indices in zip(*_combine_tokens_into_words(tokenizer, list(tokens), name), strict=True):
        if not text.strip():
            continue
        if places and language not in WITHOUT_SPACES and not text.startswith(" "):  # the rest of 114,300
            before, at = places.pop()
            places.append((before + text, range(at.start, indices[-1] + 1)))
        else:
            places.append((text, range(indices[0], indices[-1] + 1)))
    return _without_pauses(
        [SpokenWord(text, float(aligned.starts[at[0]]), float(aligned.ends[at[-1]]), at) for text, at in places]
    )


def _without_pauses(words: Sequence[SpokenWord]) -> list[SpokenWord]:
    lasting = [word.end - word.start for word in words if word.end > word.start]
    longest_s = _LONGEST_TO_MEDIAN * min(_MOST_MEDIAN_S, median(lasting)) if lasting else 0.0
    clipped = []
    for index, word in enumerate(words):
        if word.end - word.start <= longest_s:
            clipped.append(word)
        elif index == 0 or words[index - 1].ends_sentence:
            clipped.append(replace(word, start=word.end - longest_s))
        elif index == len(words) - 1 or word.ends_sentence:
            clipped.append(replace(word, end=word.start + longest_s))
        else:
            clipped.append(word)
    return clipped


def segments_of(
    words: Sequence[SpokenWord], tokens: Sequence[int], aligned: Aligned, *, offset_s: float
) -> Iterator[Segment]:
    """Yield words in segments: one ends with its sentence, before a pause, or when a subtitle would be too long.

    Args:
        offset_s: when the window of these words begins in the recording.
    """
    group: list[SpokenWord] = []
    for word in words:
        if group and _is_over(group, word):
            yield _segment(group, tokens, aligned, offset_s)
            group = []
        group.append(word)
    if group:
        yield _segment(group, tokens, aligned, offset_s)


def _is_over(group: Sequence[SpokenWord], following: SpokenWord) -> bool:
    last = group[-1]
    num_chars = sum(len(word.text) for word in group) + len(following.text)
    return (
        last.ends_sentence
        or following.start - last.end >= _PAUSE_S
        or following.end - group[0].start > _MOST_S
        or num_chars > _MOST_CHARS
    )


def _segment(group: Sequence[SpokenWord], tokens: Sequence[int], aligned: Aligned, offset_s: float) -> Segment:
    places = range(group[0].tokens.start, group[-1].tokens.stop)

    def at(seconds: float) -> float:
        return round(offset_s + seconds, 3)

    return Segment(
        start=at(group[0].start),
        end=at(group[-1].end),
        text="".join(word.text for word in group).strip(),
        words=tuple(Word(text=word.text.strip(), start=at(word.start), end=at(word.end)) for word in group),
        tokens=tuple(tokens[place] for place in places),
        mean_log_probability=float(aligned.log_probabilities[places.start : places.stop].mean()),
        window_start=at(0.0),
        silence_probability=aligned.silence_probability,
    )

"""Tells by what columns hold, where no header does, which one names the recording and which hold its text."""

import re
from collections import Counter
from collections.abc import Collection, Sequence

from adaptwin_core.speech.texts.recording_names import RecordingNames, is_audio_name
from adaptwin_core.speech.texts.tables import Row
from adaptwin_core.speech.texts.value_kinds import (
    is_code,
    is_letter,
    is_like_a_name,
    is_number,
    is_phonetic,
    is_spelled_out,
    letters_of,
    num_dense,
    num_marks,
    words_of,
)

_SAMPLE_ROWS = 1000
_SENTENCE_ENDS = tuple(".?!…。？！।؟")
_MANY = 4  # rows; of fewer, nothing follows from values that come back
_FEW_DISTINCT = 0.5  # of many rows, more than half of the texts differ
_CLEAR_LEAD = 3  # a text is clear where it weighs this many times what any other column does
_LETTERS_OF_DENSE = 3  # that a sign for a syllable or a word counts as
_UNSPACED = re.compile(r"[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff]")  # Thai, Lao, Tibetan, Burmese, Khmer
_RESEMBLES = 0.6  # share of one text's words that the other has too


def file_column(rows: Sequence[Row], recordings: RecordingNames) -> int | None:
    """Return the column that names the recordings, or None.

    It is the one with most names of the set's recordings, else with most names of audio files, if half its rows have
    one. Otherwise it is the first column, where every row has a word there that no other row has.
    """
    sample = rows[:_SAMPLE_ROWS]
    for is_one in (recordings.__contains__, is_audio_name):
        counts = {i: sum(map(is_one, column)) for i, column in _columns(sample).items()}
        best = max(counts, key=counts.__getitem__, default=None)
        if best is not None and counts[best] * 2 >= len(sample):
            return best
    first = _columns(sample).get(0, [])
    is_key = first and len(set(first)) == len(first) and all(value and len(value.split()) == 1 for value in first)
    return 0 if is_key else None


def text_columns(rows: Sequence[Row], file: int, excluded: Collection[int] = ()) -> tuple[int, ...]:
    """Return the columns of texts, the best one first, or none where it cannot be told.

    A column of numbers, of few different values, of codes or of phonemes is no text. Of two columns that say the same,
    the later one comes first: in LJSpeech's form that is the normalized text.
    """
    columns = {
        i: [value for value in column if value]
        for i, column in _columns(rows[:_SAMPLE_ROWS]).items()
        if i != file and i not in excluded
    }
    likely = {i: column for i, column in columns.items() if column and _may_be_text(column)}
    for is_worse in (_are_phonetic, _is_constant, _comes_back):  # such columns are kept where there is no other
        likely = {i: column for i, column in likely.items() if not is_worse(column)} or likely
    return _heaviest({i: _weight(column) for i, column in likely.items()}, rows[:_SAMPLE_ROWS])


def _heaviest(likely: dict[int, float], rows: Sequence[Row]) -> tuple[int, ...]:
    """Return the columns to take of those that may be texts, by their weights; none where two differ and none leads."""
    if not likely:
        return ()
    best = max(likely, key=likely.__getitem__)
    close = [i for i, weight in likely.items() if weight * _CLEAR_LEAD >= likely[best]]
    alike = {i: [j for j in close if i == j or _resemble(rows, min(i, j), max(i, j))] for i in close}
    if len(alike[best]) < len(close):
        # The first text is there in several forms. Columns behind it that have one form are most often translations.
        first = alike[min(close)]
        lone = [i for i in close if alike[i] == [i]]
        if len(first) == 1 or len(first) + len(lone) < len(close) or max(first) > min(lone):
            return ()
        best, close = min(close), first
    if len(likely) > len(close) and all(is_like_a_name(row.fields[best]) for row in rows if len(row.fields) > best):
        return ()
    raw = [i for i in likely if i < best and i not in close and _resemble(rows, i, best)]
    while len(close) > 1 and _loses_marks(rows, close[-2], close[-1]):
        close.pop()
    return (*reversed(close), *raw)


def _columns(rows: Sequence[Row]) -> dict[int, list[str]]:
    width = max((len(row.fields) for row in rows), default=0)
    return {i: [(row.fields[i] if i < len(row.fields) else None) or "" for row in rows] for i in range(width)}


def _may_be_text(column: list[str]) -> bool:
    num_rows = len(column)
    if 2 * sum(map(is_number, column)) > num_rows:
        return False
    if num_rows >= _MANY and len(set(column)) <= max(1, _FEW_DISTINCT * num_rows) and _most_common_is_short(column):
        return False
    return 2 * sum(is_code(value) or is_audio_name(value) for value in column) <= num_rows


def _most_common_is_short(column: list[str]) -> bool:
    """Tell whether the commonest value is a label, and not a sentence that a person recorded many times."""
    [(value, count)] = Counter(column).most_common(1)
    return count == len(column) or len(value.split()) <= 3


def _is_constant(column: list[str]) -> bool:
    return len(column) > 1 and len(set(column)) == 1


def _comes_back(column: list[str]) -> bool:
    return len(column) >= _MANY and len(set(column)) <= _FEW_DISTINCT * len(column)


def _are_phonetic(column: list[str]) -> bool:
    return 2 * sum(is_phonetic(value) or is_spelled_out(value) for value in column) > len(column)


def _weight(column: list[str]) -> float:
    """Return how much a column looks like text: its letters a row, up to twice that where values have spaces between
    words (or the script needs none), and up to twice that again where they end as sentences do.
    """
    dense = sum(num_dense(value) for value in column)
    unspaced = sum(len(_UNSPACED.findall(value)) for value in column) + _LETTERS_OF_DENSE * dense
    letters = sum(sum(map(is_letter, value)) for value in column) + 1 + (_LETTERS_OF_DENSE - 1) * dense
    spaced = 1.0 if 2 * unspaced > letters else sum(" " in v for v in column) / len(column)
    ended = sum(value.endswith(_SENTENCE_ENDS) for value in column) / len(column)
    return letters / len(column) * (1 + spaced) * (1 + ended)


def _loses_marks(rows: Sequence[Row], first: int, second: int) -> bool:
    """Tell whether the second column is the first one without its capitals and punctuation."""
    pairs = [
        (row.fields[first] or "", row.fields[second] or "") for row in rows if len(row.fields) > max(first, second)
    ]
    num_same = sum(letters_of(one) == letters_of(other) and num_marks(one) > num_marks(other) for one, other in pairs)
    return 2 * num_same > len(pairs)


def _resemble(rows: Sequence[Row], first: int, second: int) -> bool:
    """Tell whether the second column has most of the words of the first, numbers left out, or most of its letters."""
    shares = []
    for row in rows:
        one, other = (row.fields[i] if i < len(row.fields) else None for i in (first, second))
        if not one or not other:
            continue
        cut = words_of if " " in one + other else letters_of
        if words := Counter(cut(one)):
            shares.append((words & Counter(cut(other))).total() / words.total())
    return bool(shares) and sum(shares) >= _RESEMBLES * len(shares)

"""Which column of a table names the recording and which holds its text, where no header tells: by what they hold."""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Sequence

from adaptwin_core.speech.texts.recording_names import RecordingNames, is_audio_name
from adaptwin_core.speech.texts.tables import Row

_SAMPLE_ROWS = 1000
_NUMBER = re.compile(r"[-+]?[\d.,:]+\s*(s|ms|sec|%)?")
_CODE = re.compile(r"[!-~]*[_\d/\\][!-~]*|\S+\.[A-Za-z0-9]{2,4}")  # spk_01, texts/a.txt, 7: no word of a sentence
_IPA = re.compile(
    "[ˈˌːɐɑɒɕʑɘɚɜɝɟɡɢɦɧɥɪʝɭɬɫɮʟɱɰɯɳɸɹɺɾɻʀʁɽʂʃʈʊʌʍʎʏʐʒ]"
)  # without ə, ɛ, ɔ and others that languages write
_PHONE = re.compile(r"[A-Z]{1,3}[0-2]|[a-zü]+[1-5]|sil|sp|spn")  # ARPABET with stress, pinyin with tones
_SENTENCE_ENDS = tuple(".?!…。？！।؟")
_SINGLE = 0.8  # of the tokens are single letters: a text was cut into them
_MANY, _FEW_DISTINCT = 4, 0.5  # of so many rows, texts are not half the same
_CLEAR_LEAD = 3  # the text is so much longer than what else could be one
_DENSE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")  # a syllable or a word each
_LETTERS_OF_DENSE = 3
_UNSPACED = re.compile(r"[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff]")  # Thai, Lao, Tibetan, Burmese, Khmer
_NAME = re.compile(r"[^\W\d_]+(?:[-'’.][^\W\d_]*)*(?: [^\W\d_]+(?:[-'’.][^\W\d_]*)*){1,3}")
_RESEMBLES = 0.6  # share of one text's words that the other has too


def file_column(rows: Sequence[Row], recordings: RecordingNames) -> int | None:
    """Return the column of the set's names, or else of names of audio, or else the first, if it is of single words."""
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
    """Return the columns of texts, the one to take first; none where it cannot be told.

    A column of numbers, of few different values, of codes or of sounds is no text. Of two that say the same, the later
    one is taken, which is the normalized text in LJSpeech's form.
    """
    columns = {
        i: [value for value in column if value]
        for i, column in _columns(rows[:_SAMPLE_ROWS]).items()
        if i != file and i not in excluded
    }
    likely = {i: column for i, column in columns.items() if column and _may_be_text(column)}
    for is_worse in (_is_phonetic, _is_constant, _comes_back):  # where there is nothing else, they are taken
        likely = {i: column for i, column in likely.items() if not is_worse(column)} or likely
    return _heaviest({i: _weight(column) for i, column in likely.items()}, rows[:_SAMPLE_ROWS])


def _heaviest(likely: dict[int, float], rows: Sequence[Row]) -> tuple[int, ...]:
    if not likely:
        return ()
    best = max(likely, key=likely.__getitem__)
    close = [i for i, weight in likely.items() if weight * _CLEAR_LEAD >= likely[best]]
    alike = {i: [j for j in close if i == j or _resemble(rows, min(i, j), max(i, j))] for i in close}
    if len(alike[best]) < len(close):
        first = alike[min(close)]  # in several forms; what stands behind it once each is most often a translation
        lone = [i for i in close if alike[i] == [i]]
        if len(first) == 1 or len(first) + len(lone) < len(close) or max(first) > min(lone):
            return ()
        best, close = min(close), first
    if len(likely) > len(close) and all(_is_like_a_name(row.fields[best]) for row in rows if len(row.fields) > best):
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
    if 2 * sum(bool(_NUMBER.fullmatch(value)) for value in column) > num_rows:
        return False
    if num_rows >= _MANY and len(set(column)) <= max(1, _FEW_DISTINCT * num_rows) and _most_common_is_short(column):
        return False
    return 2 * sum(bool(_CODE.fullmatch(value)) or is_audio_name(value) for value in column) <= num_rows


def _most_common_is_short(column: list[str]) -> bool:
    """Tell whether the value that comes back is a label; people also record one sentence many times."""
    [(value, count)] = Counter(column).most_common(1)
    return count == len(column) or len(value.split()) <= 3


def _is_constant(column: list[str]) -> bool:
    return len(column) > 1 and len(set(column)) == 1


def _comes_back(column: list[str]) -> bool:
    return len(column) >= _MANY and len(set(column)) <= _FEW_DISTINCT * len(column)


def _is_phonetic(column: list[str]) -> bool:
    return 2 * sum(tells_sounds(value) or _is_cut_up(value) for value in column) > len(column)


def _is_cut_up(value: str) -> bool:
    """Tell whether these are the letters of a text one by one."""
    tokens = value.split()
    num_single = sum(len(token) == 1 and not _DENSE.match(token) for token in tokens)
    return len(tokens) > _MANY and num_single >= _SINGLE * len(tokens)


def _is_like_a_name(value: str | None) -> bool:
    words = (value or "").split()
    return bool(_NAME.fullmatch(value or "")) and all(word[0].isupper() and not word.isupper() for word in words)


def tells_sounds(value: str) -> bool:
    """Tell whether a text is of phonemes or of syllables with tones."""
    tokens = value.split()
    num_phones = sum(bool(_PHONE.fullmatch(token)) for token in tokens)
    return bool(_IPA.search(value)) or (len(tokens) > 1 and 3 * num_phones >= len(tokens))


def _weight(column: list[str]) -> float:
    """Return letters a row, more where words are parted by spaces, if the script parts them, and sentences end."""
    dense = sum(len(_DENSE.findall(value)) for value in column)
    unspaced = sum(len(_UNSPACED.findall(value)) for value in column) + _LETTERS_OF_DENSE * dense
    letters = sum(sum(map(_is_letter, value)) for value in column) + 1 + (_LETTERS_OF_DENSE - 1) * dense
    spaced = 1.0 if 2 * unspaced > letters else sum(" " in v for v in column) / len(column)
    ended = sum(value.endswith(_SENTENCE_ENDS) for value in column) / len(column)
    return letters / len(column) * (1 + spaced) * (1 + ended)


def _is_letter(c: str) -> bool:
    """Tell whether this is a letter or a sign of one, such as vowels in Hindi and Thai."""
    return c.isalpha() or (c > "\x7f" and unicodedata.category(c)[0] == "M")


def _loses_marks(rows: Sequence[Row], first: int, second: int) -> bool:
    """Tell whether the second column is the first one without its capitals and punctuation."""
    pairs = [
        (row.fields[first] or "", row.fields[second] or "") for row in rows if len(row.fields) > max(first, second)
    ]
    num_same = sum(_letters(one) == _letters(other) and _num_marks(one) > _num_marks(other) for one, other in pairs)
    return 2 * num_same > len(pairs)


def _num_marks(text: str) -> int:
    return sum(c.isupper() or not (c.isalnum() or c.isspace()) for c in text)


def _resemble(rows: Sequence[Row], first: int, second: int) -> bool:
    """Tell whether what the first column says, its numbers aside, is found in the second one."""
    shares = []
    for row in rows:
        one, other = (row.fields[i] if i < len(row.fields) else None for i in (first, second))
        if not one or not other:
            continue
        cut = _words if " " in one + other else _letters
        if words := Counter(cut(one)):
            shares.append((words & Counter(cut(other))).total() / words.total())
    return bool(shares) and sum(shares) >= _RESEMBLES * len(shares)


def _words(text: str) -> list[str]:
    words = [_letters(word) for word in text.casefold().split() if not any(map(str.isdigit, word))]
    return ["".join(word) for word in words if word]


def _letters(text: str) -> list[str]:
    return [c for c in text.casefold() if _is_letter(c)]

"""Tells a number, a code, a name, phonemes and spelled-out text apart, and gives the letters and words of a value."""

import re
import unicodedata

_NUMBER = re.compile(r"[-+]?[\d.,:]+\s*(s|ms|sec|%)?")
_CODE = re.compile(r"[!-~]*[_\d/\\][!-~]*|\S+\.[A-Za-z0-9]{2,4}")  # spk_01, texts/a.txt, 7: no word of a sentence
_NAME = re.compile(r"[^\W\d_]+(?:[-'’.][^\W\d_]*)*(?: [^\W\d_]+(?:[-'’.][^\W\d_]*)*){1,3}")
# Signs of the International Phonetic Alphabet, without ə, ɛ, ɔ and others that languages write.
_IPA = re.compile("[ˈˌːɐɑɒɕʑɘɚɜɝɟɡɢɦɧɥɪʝɭɬɫɮʟɱɰɯɳɸɹɺɾɻʀʁɽʂʃʈʊʌʍʎʏʐʒ]")
_PHONE = re.compile(r"[A-Z]{1,3}[0-2]|[a-zü]+[1-5]|sil|sp|spn")  # ARPABET with stress, pinyin with tones
_DENSE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")  # a syllable or a word each
_SPELLED = 0.8  # from this share of single letters on, a text is spelled out
_MIN_TOKENS = 4  # a text that is spelled out has more


def is_number(value: str) -> bool:
    """Tell whether a value is a number or a time, perhaps with a unit."""
    return bool(_NUMBER.fullmatch(value))


def is_code(value: str) -> bool:
    """Tell whether a value is an id, a path or the like."""
    return bool(_CODE.fullmatch(value))


def num_dense(value: str) -> int:
    """Return how many of the letters stand for a syllable or a word each: kana, Han and Hangul."""
    return len(_DENSE.findall(value))


def is_spelled_out(value: str) -> bool:
    """Tell whether a text is given letter by letter, with spaces between."""
    tokens = value.split()
    num_single = sum(len(token) == 1 and not _DENSE.match(token) for token in tokens)
    return len(tokens) > _MIN_TOKENS and num_single >= _SPELLED * len(tokens)


def is_like_a_name(value: str | None) -> bool:
    """Tell whether a value is two to four words that all begin with a capital, as a person's name does."""
    words = (value or "").split()
    return bool(_NAME.fullmatch(value or "")) and all(word[0].isupper() and not word.isupper() for word in words)


def is_phonetic(value: str) -> bool:
    """Tell whether a text is of phonemes or of syllables with tones."""
    tokens = value.split()
    num_phones = sum(bool(_PHONE.fullmatch(token)) for token in tokens)
    return bool(_IPA.search(value)) or (len(tokens) > 1 and 3 * num_phones >= len(tokens))


def is_letter(c: str) -> bool:
    """Tell whether a character is a letter or a mark of one, such as vowels in Hindi and Thai."""
    return c.isalpha() or (c > "\x7f" and unicodedata.category(c)[0] == "M")


def num_marks(text: str) -> int:
    """Return how many capitals and signs of punctuation a text has."""
    return sum(c.isupper() or not (c.isalnum() or c.isspace()) for c in text)


def words_of(text: str) -> list[str]:
    """Return the words in small letters, without punctuation; words with digits are left out."""
    words = [letters_of(word) for word in text.casefold().split() if not any(map(str.isdigit, word))]
    return ["".join(word) for word in words if word]


def letters_of(text: str) -> list[str]:
    """Return the letters in small form, without anything between them."""
    return [c for c in text.casefold() if is_letter(c)]

"""Reads sidecars, which are text files named like a recording, and chooses one of several for each recording."""

from collections import defaultdict
from collections.abc import Iterable

from adaptwin_core.speech.annotations import Claim
from adaptwin_core.speech.texts.plain_text import require_words
from adaptwin_core.speech.texts.readings import Entry, Reading, TextFile
from adaptwin_core.speech.texts.recording_names import RecordingNames
from adaptwin_core.speech.texts.timed_text import read_timed

TIMED = frozenset({"srt", "vtt", "lrc"})
# A person's own text goes before subtitles, and subtitles before forms that recognizers write too.
_ORDER = ("txt", "lab", "srt", "vtt", "lrc", "tsv", "csv", "json")
_VARIANTS = ("normalized", "normalised", "original")  # of LibriTTS, the best first


def read(file: TextFile, recordings: RecordingNames) -> Reading:
    """Read a file that is the text of one recording, with or without times.

    Raises:
        InvalidAudio: timed_text: it has times that cannot be read; transcript_form: it has no words.
    """
    key = key_of(file, recordings)
    if not file.text.strip():
        return Reading((Entry(key, "", None, 0),), is_sidecar=True)
    words = read_timed(file.text, must_be=file.suffix in TIMED)
    require_words(file.text if words is None else words)
    if words is None:
        return Reading((Entry(key, file.text, None, 0),), is_sidecar=True)
    return Reading(
        (Entry(key, words, None, 0),), "timed_text", "text with times, read as words without them", is_sidecar=True
    )


def key_of(file: TextFile, recordings: RecordingNames) -> str:
    """Return the recording's name: `a` for `a.txt`, and for `a.normalized.txt` or `a.en.srt` if `a` exists."""
    name, _, ending = file.stem.rpartition(".")
    is_variant = ending.casefold() in _VARIANTS or (ending.isalpha() and len(ending) in {2, 3})
    return name if name and is_variant and file.stem not in recordings and name in recordings else file.stem


def one_each(claims: Iterable[Claim]) -> tuple[list[Claim], list[str]]:
    """Return the claim of one sidecar for each recording, and the places of others that have another text."""
    groups: dict[tuple[str, str], list[Claim]] = defaultdict(list)
    for claim in claims:
        groups[claim.folder, claim.key].append(claim)
    kept: list[Claim] = []
    others: list[str] = []
    for group in groups.values():
        first, *rest = sorted(group, key=_rank)
        kept.append(first)
        others += [claim.place for claim in rest if claim.annotation.text and _letters(claim) != _letters(first)]
    return kept, others


def _rank(claim: Claim) -> tuple[bool, int, int, str]:
    *_, variant, suffix = ("", *claim.place.casefold().split("."))
    order = _ORDER.index(suffix) if suffix in _ORDER else len(_ORDER)
    return not claim.annotation.text, order, _VARIANTS.index(variant) + 1 if variant in _VARIANTS else 0, claim.place


def _letters(claim: Claim) -> str:
    return "".join(c for c in (claim.annotation.text or "").casefold() if c.isalnum())

"""Turns the entries of transcript files into claims: splits are settled, and texts cleaned or refused."""

from collections.abc import Sequence
from dataclasses import replace

from adaptwin_core.domain.splits import Split
from adaptwin_core.speech.annotations import Annotation, Claim
from adaptwin_core.speech.notices import Notices, SharedNotes
from adaptwin_core.speech.split_names import SPLIT_OF
from adaptwin_core.speech.texts import sidecars
from adaptwin_core.speech.texts.cleaning import cleaned
from adaptwin_core.speech.texts.readings import Entry, Reading, TextFile
from adaptwin_core.speech.texts.table_splits import splits_by_name

# What spreadsheets and programs write into a cell that has no value. German ones have words of their own.
_CELL_ERRORS = "#NAME? #N/A #REF! #VALUE! #DIV/0! #NUM! #NULL! #ERROR! #FIELD! #SPILL! #BEZUG! #WERT! #NV"
_NO_VALUES = frozenset({*_CELL_ERRORS.split(), "nan", "NaN", "NAN", "<NA>", "NULL", "None", "undefined"})

ReadFile = tuple[TextFile, Reading]


def claims_of(readings: Sequence[ReadFile], notices: Notices, notes: SharedNotes) -> list[Claim]:
    """Return what the files of a set say, those of tables and lists first, then one sidecar's for each recording."""
    tables = [(file, reading) for file, reading in readings if not reading.is_sidecar]
    own_files = [(file, reading) for file, reading in readings if reading.is_sidecar]
    return _of_tables(tables, notices, notes) + _of_sidecars(own_files, notices)


def _of_tables(readings: Sequence[ReadFile], notices: Notices, notes: SharedNotes) -> list[Claim]:
    splits = splits_by_name([file for file, reading in readings if reading.entries])
    claims: list[Claim] = []
    for file, reading in readings:
        split = splits.get(file.name)
        if split is not None:
            notes.add(file.name, "split", f"its name says that its recordings are for {split}")
        of_file = [_claim(file, entry, split, notices, is_sidecar=False) for entry in reading.entries]
        claims += _with_silence_settled(of_file, notices)
    return claims


def _of_sidecars(readings: Sequence[ReadFile], notices: Notices) -> list[Claim]:
    claims = [
        _claim(file, entry, None, notices, is_sidecar=True) for file, reading in readings for entry in reading.entries
    ]
    kept, overruled_places = sidecars.one_each(claims)
    for place in overruled_places:
        notices.warn("overruled_transcript", place)
    return _with_silence_settled(kept, notices)


def _claim(file: TextFile, entry: Entry, split: Split | None, notices: Notices, *, is_sidecar: bool) -> Claim:
    """Return an entry's claim. The split that the entry gives goes before that of the file's name."""
    given = (entry.split or "").strip()
    if given:
        split = SPLIT_OF.get(given.casefold())
        if split is None:
            notices.warn("unknown_split", given[:40])
    text = None if entry.text is None else cleaned(entry.text)
    place = f"{file.name}, line {entry.number}" if entry.number else file.name
    if text and ("\ufffd" in text or (entry.number and text in _NO_VALUES)):
        notices.warn("lost_letters", place)
        text = None
    return Claim(entry.key.strip(), file.folder, Annotation(text, split), place, is_sidecar)


def _with_silence_settled(claims: Sequence[Claim], notices: Notices) -> list[Claim]:
    """Return the claims that say something.

    An empty text says that nobody speaks where it is the exception. Where most are empty, the set is not yet
    transcribed, and they say nothing.
    """
    empty = [claim.place for claim in claims if claim.annotation.text == ""]
    if len(empty) > sum(bool(claim.annotation.text) for claim in claims):
        for place in empty:
            notices.warn("empty_texts", place)
        claims = [_without_empty_text(claim) for claim in claims]
    elif empty:
        silence = SharedNotes()
        for place in empty:
            silence.add(place, "silence", "its text is empty: nobody speaks in this recording")
        silence.tell(notices)
    return [claim for claim in claims if claim.annotation != Annotation()]


def _without_empty_text(claim: Claim) -> Claim:
    if claim.annotation.text != "":
        return claim
    return replace(claim, annotation=replace(claim.annotation, text=None))

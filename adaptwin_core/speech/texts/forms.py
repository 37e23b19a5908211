"""Tells which files are transcripts, and reads each in its form."""

import re

from adaptwin_core.speech.files.sources import base
from adaptwin_core.speech.texts import json_files, sidecars, table_files
from adaptwin_core.speech.texts.kaldi import KALDI, KaldiFolder, read_kaldi
from adaptwin_core.speech.texts.line_lists import read_list
from adaptwin_core.speech.texts.readings import Reading, TextFile
from adaptwin_core.speech.texts.recording_names import RecordingNames

_TABLES = frozenset({"csv", "tsv", "psv"})
_JSON = frozenset({"json", "jsonl", "ndjson"})
_PLAIN = frozenset({"txt", "lab", "list", "lst"})
_BEGINS_JSON = re.compile(r'\s*(?:\{\s*"|\[\s*\{\s*")')
_FESTIVAL = "txt.done.data"


def is_transcript(name: str) -> bool:
    """Tell by its label whether a file that is not audio is to be read for transcripts."""
    last = base(name).casefold()
    suffix = last.rpartition(".")[2] if "." in last else ""
    return suffix in _TABLES | _JSON | _PLAIN | sidecars.TIMED or last in KALDI or last == _FESTIVAL


def read_form(file: TextFile, kaldi: KaldiFolder, recordings: RecordingNames) -> Reading:
    """Read a file in its form.

    Args:
        kaldi: the other files of its folder, if it is one of Kaldi's.

    Raises:
        InvalidAudio: transcript_form or timed_text.
    """
    if file.suffix in _JSON:
        return json_files.read(file, recordings)
    if file.suffix in _TABLES:
        return table_files.read(file, recordings)
    if file.base in KALDI:
        return read_kaldi(file, kaldi, recordings)
    return sidecars.read(file, recordings) if file.suffix in sidecars.TIMED else _read_plain(file, recordings)


def _read_plain(file: TextFile, recordings: RecordingNames) -> Reading:
    if _BEGINS_JSON.match(file.text):
        return json_files.read(file, recordings)
    is_of_one = sidecars.key_of(file, recordings) in recordings
    if table_files.is_table(file, recordings, is_of_one=is_of_one):
        return table_files.read(file, recordings)
    if not is_of_one and (reading := read_list(file, recordings)) is not None:
        return reading
    return sidecars.read(file, recordings)

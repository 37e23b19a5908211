"""Tells whether a text is a table of recordings, which delimiter it has, and whether it has a header."""

from collections.abc import Sequence

from adaptwin_core.speech.texts.columns import is_header
from adaptwin_core.speech.texts.recording_names import RecordingNames, is_audio_name
from adaptwin_core.speech.texts.table_fields import sample_fields

_DELIMITERS = ("\t", "|", ";", ",")
_REGULAR = 0.8  # of the lines have the delimiter


def form_of(lines: Sequence[str], recordings: RecordingNames) -> tuple[str | None, bool]:
    """Return the delimiter, or None, and whether the first row is a header."""
    delimiter, has_header = form_by_names(lines, recordings)
    if delimiter is not None:
        return delimiter, has_header
    first = next((line for line in lines if line.strip()), "")
    return next((d for d in _DELIMITERS if d in first and (d != "," or _any_known(lines, recordings))), None), False


def _any_known(lines: Sequence[str], recordings: RecordingNames) -> bool:
    """Tell whether a recording ever stands before the first comma, since texts have commas too."""
    return any(fields[0] in recordings for fields in sample_fields(lines, ","))


def form_by_names(lines: Sequence[str], recordings: RecordingNames) -> tuple[str | None, bool]:
    """Return the same as `form_of`, but only by known names of columns or recordings."""
    cut = {delimiter: sample_fields(lines, delimiter) for delimiter in _DELIMITERS}
    for delimiter, sample in cut.items():
        if sample and len(sample[0]) > 1 and is_header(sample[0], recordings):
            return delimiter, True
    for is_one in (recordings.__contains__, is_audio_name):
        for delimiter, sample in cut.items():
            named = [len(fields) > 1 and any(map(is_one, fields)) for fields in sample]
            if any(named) and (2 * sum(named) >= len(named) or _is_regular(delimiter, sample, sum(named))):
                return delimiter, len(named) > 2 and not named[0] and all(named[1:])
    return None, False


def _is_regular(delimiter: str, sample: Sequence[Sequence[str]], num_named: int) -> bool:
    """Tell whether lines are rows although most of the recordings that they name are missing."""
    num_rows = sum(len(fields) > 1 for fields in sample)
    return delimiter in "\t|" and num_named > 1 and num_rows >= _REGULAR * len(sample)

"""Chooses the columns of a table that name recordings and hold texts and splits: by its header, else by content."""

from collections.abc import Sequence

from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.speech.texts import column_content, columns
from adaptwin_core.speech.texts.columns import Columns
from adaptwin_core.speech.texts.recording_names import RecordingNames
from adaptwin_core.speech.texts.tables import Row


def choose_columns(
    header: Sequence[str | None] | None, rows: Sequence[Row], recordings: RecordingNames
) -> tuple[Columns | None, str]:
    """Return the columns, and words for the note. The columns are None if rows have times and texts but no file."""
    named: int | None = None
    known = Columns(0, ())
    excluded: set[int] = set()
    if header is not None:
        named, known = columns.by_name(header, rows, recordings)
        excluded = {i for i, field in enumerate(header) if columns.plain_name(field) in columns.OTHER_NAMES}
        if named is None and known.texts and known.start is not None:
            return None, ""
    file = named if named is not None else column_content.file_column(rows, recordings)
    if file is None:
        raise unclear("it cannot be told which column names the recordings")
    excluded |= {i for i in (known.split, known.start) if i is not None}
    texts = tuple(i for i in known.texts if i != file)
    if not texts:
        texts = column_content.text_columns(rows, file, excluded)
    if not texts and known.split is None:
        raise unclear("it cannot be told which column is what was said")
    how = f"files in {_called(file, header)}, " + (
        "texts in " + ", else ".join(_called(i, header) for i in texts) if texts else "no texts"
    )
    how += f", splits in {_called(known.split, header)}" if known.split is not None else ""
    return Columns(file, texts, known.split, known.start), how


def _called(column: int, header: Sequence[str | None] | None) -> str:
    return f"column {column + 1}" + (f" ({(header[column] or '')[:40]})" if header else "")


def unclear(what: str) -> InvalidAudio:
    return InvalidAudio(
        f"{what}; give it a first line such as file_name,text (see docs/audio.md)", code="transcript_form"
    )

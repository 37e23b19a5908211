"""What kind of file something is, where it is not audio: an archive to open, or something to refuse and why."""

import os
from pathlib import Path

from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.speech.files.sources import SourceFile
from adaptwin_core.speech.sound.sniff import (
    HEAD_BYTES,
    READ_FORMS,
    Archive,
    foreign_audio,
    is_foreign_archive,
    sniff_archive,
)

_DOCUMENTS = (".xlsx", ".xlsm", ".xls", ".ods", ".numbers", ".docx", ".doc", ".odt", ".pages", ".rtf", ".pdf")


def check_readable(path: Path) -> None:
    """Refuse what is listed in a folder and is no file, or may not be read.

    Raises:
        InvalidAudio: not_a_file or unreadable_file.
    """
    if path.is_dir():
        raise InvalidAudio(
            "it is a folder that is read already under another name, or may not be read; put the files themselves here",
            code="not_a_file",
        )
    if not path.is_file():
        raise InvalidAudio("it is a broken link or no plain file; put the file itself in its place", code="not_a_file")
    if not os.access(path, os.R_OK):
        raise InvalidAudio("it may not be read; change its permissions", code="unreadable_file")


def archive_of(source: SourceFile) -> Archive | None:
    """Return the form of archive to open a file as, or None. An office document is not opened, though it is a zip."""
    if _is_document(source.name):
        return None
    with source.path.open("rb") as file:
        return sniff_archive(file.read(HEAD_BYTES))


def _is_document(name: str) -> bool:
    """Tell whether a name is that of a table or a text of an office program."""
    return name.casefold().endswith(_DOCUMENTS)


def not_audio(name: str, head: bytes) -> InvalidAudio:
    """Return the refusal of a file that is neither audio nor a transcript, by what its name and first bytes show."""
    if _is_document(name):
        return InvalidAudio("it is a document; save its table as csv, or its text as txt, in UTF-8", code="not_audio")
    if sniff_archive(head) is not None:
        return InvalidAudio("it is an archive inside an archive; pack the files themselves", code="nested_archive")
    if is_foreign_archive(head):
        return InvalidAudio("archives of this kind are not read; use tar, tar.gz or zip", code="archive_form")
    form = foreign_audio(head)
    if form is not None:
        return InvalidAudio(f"it looks like {form}, which is not read; convert it to wav or flac", code="not_audio")
    return InvalidAudio(f"its content is not audio we read: {READ_FORMS}", code="not_audio")

"""The names of the entries of a zip. A flag or an extra field tells their encoding, but many tools write neither."""

import codecs
import contextlib
import struct
import zipfile
import zlib
from collections.abc import Iterator

from adaptwin_core.speech.files.name_encoding import decoded

_IS_UTF8 = 0x800
_IS_ENCRYPTED = 0x1
_UNICODE_PATH = 0x7075  # Info-ZIP's extra field: version, CRC-32 of the name it stands for, the name in UTF-8
_TABLES = (".csv", ".tsv", ".txt", ".jsonl", ".json", ".lst", ".psv")
_MAX_TABLE_BYTES, _MAX_TABLES_BYTES = 1 << 20, 2 << 20
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def zip_names(archive: zipfile.ZipFile) -> list[str]:
    """Return the name of each entry, in the archive's order; unmarked ones are all read in one encoding."""
    infos = archive.infolist()
    unmarked = {i: name for i, info in enumerate(infos) if (name := _unmarked(info)) is not None}
    is_plain = all(_is_utf8(name) for name in unmarked.values())
    read = decoded(list(unmarked.values()), "" if is_plain else _table_texts(archive))
    names = dict(zip(unmarked, read, strict=True))
    return [names[i] if i in names else _unicode_path(info) or info.filename for i, info in enumerate(infos)]


def _unmarked(info: zipfile.ZipInfo) -> bytes | None:
    """Return the bytes of a name whose encoding is not given, or None. `zipfile` has read them as code page 437."""
    if info.flag_bits & _IS_UTF8 or _unicode_path(info):
        return None
    return info.orig_filename.encode("cp437").partition(b"\0")[0]


def _unicode_path(info: zipfile.ZipInfo) -> str | None:
    extra = info.extra
    while len(extra) >= 4:
        kind, length = struct.unpack("<HH", extra[:4])
        data, extra = extra[4 : 4 + length], extra[4 + length :]
        if kind == _UNICODE_PATH and len(data) > 5 and not info.flag_bits & _IS_UTF8:
            is_current = zlib.crc32(info.orig_filename.encode("cp437")) == int.from_bytes(data[1:5], "little")
            with contextlib.suppress(UnicodeDecodeError):
                return data[5:].decode("utf-8") if is_current else None
    return None


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _table_texts(archive: zipfile.ZipFile) -> str:
    """Return the text of the tables in the archive that are Unicode, since they name the recordings."""
    return "\n".join(_texts(archive))


def _texts(archive: zipfile.ZipFile) -> Iterator[str]:
    left_bytes = _MAX_TABLES_BYTES
    for info in sorted(archive.infolist(), key=lambda info: -info.file_size):  # a table is longer than a sidecar
        is_small = info.file_size <= min(_MAX_TABLE_BYTES, left_bytes)
        is_packed_plainly = info.compress_type in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
        if not info.filename.lower().endswith(_TABLES) or not is_small or not is_packed_plainly:
            continue
        if info.flag_bits & _IS_ENCRYPTED:
            continue
        with contextlib.suppress(zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, struct.error):
            with archive.open(info) as file:
                data = file.read(info.file_size)
            left_bytes -= len(data)
            yield data.decode("utf-16" if data.startswith(_UTF16) else "utf-8-sig")

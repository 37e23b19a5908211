"""What a file is, by its first bytes. Names and MIME types are never asked."""

from typing import Literal

Container = Literal["wav", "flac", "ogg", "mp3", "mp4", "webm"]
Archive = Literal["tar", "tar.gz", "zip"]

HEAD_BYTES = 4096

_ID3_HEADER_BYTES = 10
_FOREIGN_ARCHIVES = (b"\xfd7zXZ\x00", b"BZh", b"7z\xbc\xaf\x27\x1c", b"Rar!", b"\x28\xb5\x2f\xfd")
_KBITS_V1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBITS_V2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES_HZ = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}  # by MPEG version bits


def sniff_audio(head: bytes) -> Container | None:
    """Return the audio container that a file's first `HEAD_BYTES` show, or None."""
    shown: dict[Container, bool] = {
        "wav": head[:4] in {b"RIFF", b"RF64"} and head[8:12] == b"WAVE",
        "flac": head[_id3_bytes(head) :][:4] == b"fLaC",  # some taggers put an ID3 tag before FLAC too
        "ogg": head[:4] == b"OggS",
        "mp4": head[4:8] == b"ftyp",
        "webm": head[:4] == b"\x1a\x45\xdf\xa3",
        "mp3": head[:3] == b"ID3" or _is_mp3(head),
    }
    return next((container for container, is_it in shown.items() if is_it), None)


def sniff_archive(head: bytes) -> Archive | None:
    """Return the archive form we read, or None."""
    if head[:4] in {b"PK\x03\x04", b"PK\x05\x06"}:
        return "zip"
    if head[:3] == b"\x1f\x8b\x08":
        return "tar.gz"
    return "tar" if head[257:262] == b"ustar" else None


def is_foreign_archive(head: bytes) -> bool:
    """Tell whether it is an archive of a form we do not read: xz, bzip2, zstd, 7z, rar."""
    return head.startswith(_FOREIGN_ARCHIVES)


def _id3_bytes(head: bytes) -> int:
    """Return the length of the ID3 tag that a file starts with: four bytes of seven bits say it."""
    if head[:3] != b"ID3" or len(head) < _ID3_HEADER_BYTES:
        return 0
    a, b, c, d = (byte & 0x7F for byte in head[6:10])
    return _ID3_HEADER_BYTES + (a << 21 | b << 14 | c << 7 | d)


def _is_mp3(head: bytes) -> bool:
    """One frame header is 11 set bits and could be chance: ask for a second where the first says it begins."""
    length = _mp3_frame_bytes(head[:4])
    if length is None:
        return False
    following = head[length : length + 4]
    return len(following) < 4 or _mp3_frame_bytes(following) is not None


def _mp3_frame_bytes(header: bytes) -> int | None:
    """Return the length of an MPEG layer III frame, or None where `header` is not one."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    bitrate, rate, padding = header[2] >> 4, header[2] >> 2 & 3, header[2] >> 1 & 1
    if version == 1 or layer != 1 or bitrate in {0, 15} or rate == 3:
        return None
    kbits = (_KBITS_V1 if version == 3 else _KBITS_V2)[bitrate]
    return (144_000 if version == 3 else 72_000) * kbits // _RATES_HZ[version][rate] + padding

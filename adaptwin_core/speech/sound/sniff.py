"""Tells what a file is by its first bytes. Names and MIME types are not used."""

from collections.abc import Callable
from typing import Literal

Form = Literal["wav", "w64", "aiff", "caf", "flac", "ogg", "mp3", "adts", "amr", "mp4", "webm"]
# A tag with a picture may be longer than the head. The decoder, which can seek, then finds what lies behind it.
Container = Form | Literal["tagged"]
Archive = Literal["tar", "tar.gz", "zip"]

HEAD_BYTES = 4096
NAMES: dict[Form, str] = {  # for messages
    "wav": "WAV",
    "w64": "Wave64",
    "aiff": "AIFF",
    "caf": "CAF",
    "flac": "FLAC",
    "ogg": "Ogg",
    "mp3": "MP3",
    "adts": "AAC",
    "amr": "AMR",
    "mp4": "M4A or MP4",
    "webm": "WebM",
}
READ_FORMS = "wav, flac, mp3, ogg, opus, m4a, webm, aac, aiff, caf or amr"  # for messages

_ID3_HEADER_BYTES = 10
_ID3_FOOTER = 0x10
_FRAME_HEADER_BYTES = 7  # of ADTS; of MPEG audio 4
_NUM_AAC_RATES = 13
_WAVE64 = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00"
_FOREIGN_ARCHIVES = (b"\xfd7zXZ\x00", b"BZh", b"7z\xbc\xaf\x27\x1c", b"Rar!", b"\x28\xb5\x2f\xfd")
_FOREIGN_AUDIO = (  # what it starts with, its name
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "WMA"),
    (b"MAC ", "Monkey's Audio"),
    (b"wvpk", "WavPack"),
    (b"TTA", "True Audio"),
    (b"MPCK", "Musepack"),
    (b"MP+", "Musepack"),
    (b"OFR ", "OptimFROG"),
    (b"DSD ", "DSD"),
    (b"FRM8", "DSD"),
    (b".snd", "Sun AU"),
    (b"NIST_1A", "NIST SPHERE"),
    (b"MThd", "MIDI, which holds notes and no sound"),
    (b".RMF", "RealMedia"),
    (b".ra\xfd", "RealAudio"),
    (b"\x02dss", "DSS dictation"),
    (b"\x03ds2", "DS2 dictation"),
    (b"Creative Voice File", "Creative VOC"),
    (b"\x0b\x77", "AC-3"),
    (b"\x7f\xfe\x80\x01", "DTS"),
    (b"ADIF", "AAC in ADIF"),
    (b"FLV\x01", "Flash video"),
    (b"\x00\x00\x01\xba", "an MPEG film"),
)
_KBITS_V1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBITS_V2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES_HZ = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}  # by MPEG version bits


def sniff_audio(head: bytes) -> Container | None:
    """Return the audio container that a file's first `HEAD_BYTES` show, or None."""
    start = id3_bytes(head)
    return sniff_untagged(head[start:]) or ("tagged" if start else None)


def sniff_untagged(head: bytes) -> Form | None:
    """Return the container that the bytes behind any ID3 tag show, or None."""
    shown: dict[Form, bool] = {
        "wav": head[:4] in {b"RIFF", b"RF64", b"BW64"} and head[8:12] == b"WAVE",
        "w64": head[:16] == _WAVE64,
        "aiff": head[:4] == b"FORM" and head[8:12] in {b"AIFF", b"AIFC"},
        "caf": head[:6] == b"caff\x00\x01",
        "flac": head[:4] == b"fLaC",
        "ogg": head[:4] == b"OggS",
        "mp4": head[4:8] == b"ftyp",
        "webm": head[:4] == b"\x1a\x45\xdf\xa3",
        "amr": head.startswith((b"#!AMR\n", b"#!AMR-WB\n")),
        "mp3": _follows_itself(head, _mp3_frame_bytes),
        "adts": _follows_itself(head, _adts_frame_bytes),
    }
    return next((form for form, is_it in shown.items() if is_it), None)


def foreign_audio(head: bytes) -> str | None:
    """Return the name of a form of sound that is known and not read, or None."""
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "an AVI film"
    if head[257:262] != b"ustar" and len(head) > 2 * 188 and head[0] == head[188] == head[2 * 188] == 0x47:
        return "an MPEG transport stream"
    return next((name for start, name in _FOREIGN_AUDIO if head.startswith(start)), None)


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


def id3_bytes(head: bytes) -> int:
    """Return the length of the ID3 tag at the start, or 0. Four bytes of seven bits give it."""
    if head[:3] != b"ID3" or len(head) < _ID3_HEADER_BYTES:
        return 0
    a, b, c, d = (byte & 0x7F for byte in head[6:10])
    footer_bytes = _ID3_HEADER_BYTES if head[5] & _ID3_FOOTER else 0
    return _ID3_HEADER_BYTES + (a << 21 | b << 14 | c << 7 | d) + footer_bytes


def _follows_itself(head: bytes, frame_bytes: Callable[[bytes], int | None]) -> bool:
    """Tell whether a frame is followed by another. One frame header is a few bits, and may be there by chance."""
    length = frame_bytes(head)
    if length is None:
        return False
    following = head[length : length + _FRAME_HEADER_BYTES]
    return len(following) < _FRAME_HEADER_BYTES or frame_bytes(following) is not None


def _adts_frame_bytes(header: bytes) -> int | None:
    """Return the length of an AAC frame with its own header, or None where `header` is not one."""
    if len(header) < _FRAME_HEADER_BYTES or header[0] != 0xFF or header[1] & 0xF6 != 0xF0:
        return None
    length = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    return length if length > _FRAME_HEADER_BYTES and header[2] >> 2 & 0xF < _NUM_AAC_RATES else None


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

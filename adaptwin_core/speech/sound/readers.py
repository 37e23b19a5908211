"""Reads one open file with libsndfile or FFmpeg, block by block. Only the decoder's process imports it.

Shapes: T sample frames in time, C channels.
"""

import io
import os
from collections.abc import Iterator
from typing import IO

import av
import soundfile

from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.speech.sound.av_reader import read_av
from adaptwin_core.speech.sound.blocks import BLOCK_VALUES, Block
from adaptwin_core.speech.sound.sniff import HEAD_BYTES, Container, Form, id3_bytes, sniff_untagged

UNREADABLE = (soundfile.LibsndfileError, av.FFmpegError, ValueError, MemoryError)  # what the readers' libraries raise

_MAX_TAGS = 8
# MP3 and Ogg are left to FFmpeg: of files joined end to end, libsndfile reads only the first.
_SOUNDFILE_FORMATS: dict[Form, frozenset[str]] = {
    "wav": frozenset({"WAV", "WAVEX", "RF64"}),
    "w64": frozenset({"W64"}),
    "aiff": frozenset({"AIFF"}),
    "caf": frozenset({"CAF"}),
    "flac": frozenset({"FLAC"}),
}


class OpenFile:
    """An open file from where its ID3 tags end. Some programs write such tags before any form of sound."""

    def __init__(self, fd: int, container: Container) -> None:
        self._fd = fd
        self._start = 0
        if container == "mp3":  # FFmpeg reads past them
            self.form: Form = container
            return
        for _ in range(_MAX_TAGS):
            length = id3_bytes(os.pread(fd, HEAD_BYTES, self._start))
            self._start += length
            if not length:
                break
        if container == "tagged":
            container = sniff_untagged(os.pread(fd, HEAD_BYTES, self._start)) or "mp3"
        self.form = container

    def readers(self) -> Iterator[Iterator[Block]]:
        """Yield each reader that may read the file, each from the start of the file."""
        if self.form in _SOUNDFILE_FORMATS:
            yield self._read_soundfile(_SOUNDFILE_FORMATS[self.form])
        with self._open() as file:
            yield read_av(file, self.form)

    def _open(self) -> IO[bytes]:
        file = os.fdopen(os.dup(self._fd), "rb", buffering=0)
        file.seek(self._start)
        return file if not self._start else io.BufferedReader(_From(file, self._start))

    def _read_soundfile(self, formats: frozenset[str]) -> Iterator[Block]:
        with (
            self._open() as opened,
            soundfile.SoundFile(opened if self._start else opened.fileno(), closefd=False) as file,
        ):
            if file.format not in formats:
                raise InvalidAudio("it is not of the form that its first bytes say", code="decode_failed")
            num_frames = max(1, BLOCK_VALUES // file.channels)
            while len(x_TC := file.read(num_frames, dtype="float32", always_2d=True)):
                yield Block(x_TC, file.samplerate)


class _From(io.RawIOBase):
    """A file that begins at some byte of another one."""

    def __init__(self, file: IO[bytes], start: int) -> None:
        self._file, self._start = file, start

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset + self._start if whence == os.SEEK_SET else offset, whence) - self._start

    def tell(self) -> int:
        return self._file.tell() - self._start

    def close(self) -> None:
        self._file.close()
        super().close()

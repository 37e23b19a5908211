"""Reads the sound of one open file with libsndfile or FFmpeg, block by block. For the decoder's process alone.

Shapes: T sample frames in time, C channels.
"""

import io
import os
from collections.abc import Iterator
from typing import IO, NamedTuple

import av
import numpy as np
import soundfile
from av.stream import Disposition

from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.speech.sniff import HEAD_BYTES, Container, Form, id3_bytes, sniff_untagged

UNREADABLE = (soundfile.LibsndfileError, av.FFmpegError, ValueError, MemoryError)  # what the readers' libraries raise

_BLOCK_VALUES = 1 << 18
_MAX_BAD_PACKETS = 100
_MAX_TAGS = 8
# Not for MP3 and Ogg, which libsndfile reads too: of files joined end to end it gives the first alone.
_SOUNDFILE_FORMATS: dict[Form, frozenset[str]] = {
    "wav": frozenset({"WAV", "WAVEX", "RF64"}),
    "w64": frozenset({"W64"}),
    "aiff": frozenset({"AIFF"}),
    "caf": frozenset({"CAF"}),
    "flac": frozenset({"FLAC"}),
}
_DEMUXERS: dict[Form, str] = {
    "wav": "wav",
    "w64": "w64",
    "aiff": "aiff",
    "caf": "caf",
    "flac": "flac",
    "ogg": "ogg",
    "mp3": "mp3",
    "adts": "aac",
    "amr": "amr",
    "mp4": "mp4",
    "webm": "matroska",
}
_CODECS = frozenset({"aac", "alac", "amrnb", "amrwb", "flac", "mp3", "mp3float", "opus", "libopus", "vorbis", "speex"})


class Track(NamedTuple):
    """Which of a file's sound tracks is read, counted from 1."""

    number: int
    of: int


class Block(NamedTuple):
    """Samples in a row: float32 x_TC."""

    x_TC: np.ndarray
    rate_hz: int
    track: Track = Track(1, 1)


class OpenFile:
    """A file as an open descriptor, from where its ID3 tags end: some taggers put them before any form of sound."""

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
        """Yield each way to read the file, anew from its start."""
        if self.form in _SOUNDFILE_FORMATS:
            yield self._read_soundfile(_SOUNDFILE_FORMATS[self.form])
        yield self._read_av()

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
            num_frames = max(1, _BLOCK_VALUES // file.channels)
            while len(x_TC := file.read(num_frames, dtype="float32", always_2d=True)):
                yield Block(x_TC, file.samplerate)

    def _read_av(self) -> Iterator[Block]:
        """Read one track with the demuxer that our own sniff says.

        FFmpeg gets an open object, and so has no path and no protocol to open anything else with.
        """
        options = {"protocol_whitelist": "none"}
        with (
            self._open() as file,
            av.open(file, mode="r", format=_DEMUXERS[self.form], options=options, metadata_errors="ignore") as media,
        ):
            stream, track = _readable_track(media.streams.audio)
            stream.codec_context.thread_type = "NONE"
            blocks = _blocks(media, stream, track)
            if self.form == "mp4" and stream.duration and stream.time_base:
                blocks = _without_padding(blocks, float(stream.duration * stream.time_base))
            yield from _gathered(blocks)


class _From(io.RawIOBase):
    """A file as it is from some byte on."""

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


def _readable_track(streams: "tuple[av.AudioStream, ...]") -> tuple[av.AudioStream, Track]:
    """Return the track that the file calls its main one, or else the first, of those whose codec we read."""
    if not streams:
        raise InvalidAudio("it holds no sound track; send the recording itself", code="decode_failed")
    codecs = [stream.codec_context.name if stream.codec_context else "something unknown" for stream in streams]
    readable = [i for i, codec in enumerate(codecs) if codec in _CODECS or codec.startswith("pcm_")]
    if not readable:
        raise InvalidAudio(f"its sound is coded as {codecs[0]}; save it as wav, flac or opus", code="decode_failed")
    main = next((i for i in readable if streams[i].disposition & Disposition.default), readable[0])
    return streams[main], Track(main + 1, len(streams))


def _blocks(media: av.container.InputContainer, stream: av.AudioStream, track: Track) -> Iterator[Block]:
    num_bad = 0
    for packet in media.demux(stream):
        try:
            frames = packet.decode()
        except av.FFmpegError:  # one broken packet: FFmpeg picks up at the next
            num_bad += 1
            if num_bad > _MAX_BAD_PACKETS:
                raise
            continue
        for frame in frames:
            yield Block(_floats(frame), frame.sample_rate, track)
    if num_bad:
        raise InvalidAudio("some of its packets are broken", code="decode_failed")


def _without_padding(blocks: Iterator[Block], end_s: float) -> Iterator[Block]:
    """Cut the last block where the header says that the sound ends: FFmpeg honours padding at the start alone."""
    last: Block | None = None
    before_s = 0.0  # that lies before the last block
    for block in blocks:
        if last is not None:
            before_s += len(last.x_TC) / last.rate_hz
            yield last
        last = block
    if last is not None:
        num_meant = round((end_s - before_s) * last.rate_hz)
        yield last._replace(x_TC=last.x_TC[:num_meant]) if num_meant > 0 else last


def _floats(frame: av.AudioFrame) -> np.ndarray:
    """Return a frame's samples as float32 x_TC. FFmpeg's own converter crashes on channels without a named layout."""
    values = frame.to_ndarray()
    x_TC = values.T if frame.format.is_planar else values.reshape(-1, frame.layout.nb_channels)
    if x_TC.dtype == np.uint8:
        return (x_TC.astype(np.float32) - 128) / 128
    if x_TC.dtype.kind == "i":
        return (x_TC / 2.0 ** (8 * x_TC.dtype.itemsize - 1)).astype(np.float32)
    return x_TC.astype(np.float32)


def _gathered(blocks: Iterator[Block]) -> Iterator[Block]:
    """Join a codec's frames of a few milliseconds into blocks that are worth handling."""
    held: list[Block] = []
    num_values = 0
    try:
        for block in blocks:
            same = not held or (block.rate_hz == held[0].rate_hz and block.x_TC.shape[1] == held[0].x_TC.shape[1])
            if not same or num_values >= _BLOCK_VALUES:
                yield _joined(held)
                held, num_values = [], 0
            held.append(block)
            num_values += block.x_TC.size
    except (InvalidAudio, av.FFmpegError):
        if held:  # what came before the damage is good
            yield _joined(held)
        raise
    if held:
        yield _joined(held)


def _joined(blocks: list[Block]) -> Block:
    return blocks[0]._replace(x_TC=np.concatenate([block.x_TC for block in blocks]))

"""The decoder: a process that turns files handed to it into 16 kHz mono samples, and can do nothing else.

Run as `python -m adaptwin_core.speech.decoder_child MAX_BYTES`. It serves requests until its stdin closes.
Shapes: T sample frames in time, C channels.
"""

import contextlib
import json
import os
import socket
import sys
from collections.abc import Iterator

from adaptwin_core.speech import confine

confine.leave_network()

import av  # noqa: E402
import numpy as np  # noqa: E402
import soundfile  # noqa: E402
import soxr  # noqa: E402

from adaptwin_core.domain.errors import InvalidAudio  # noqa: E402
from adaptwin_core.speech.decoder_protocol import (  # noqa: E402
    AUDIO,
    END,
    FRAME,
    MAX_FRAME_BYTES,
    REFUSED,
    REQUEST,
    SAMPLE_RATE_HZ,
)

Block = tuple[np.ndarray, int]  # float32 x_TC, rate in Hz

_BLOCK_VALUES = 1 << 18
_MIN_RATE_HZ, _MAX_RATE_HZ = 4_000, 768_000  # a header that says 1 Hz would make days out of a megabyte
_CLIPPED = 0.9999  # of full scale
_MAX_BAD_PACKETS = 100
# Not for MP3 and Ogg, which libsndfile reads too: of files joined end to end it gives the first alone.
_SOUNDFILE_FORMATS = {"wav": {"WAV", "WAVEX", "RF64"}, "flac": {"FLAC"}}
_DEMUXERS = {"wav": "wav", "flac": "flac", "ogg": "ogg", "mp3": "mp3", "mp4": "mp4", "webm": "matroska"}
_CODECS = frozenset({"aac", "alac", "flac", "mp3", "mp3float", "opus", "libopus", "vorbis", "speex"})


class Speech:
    """Takes blocks of a file as they come, sends 16 kHz mono samples on, and keeps count."""

    def __init__(self, out: int) -> None:
        self._out = out
        self._rate_hz = 0
        self._resampler: soxr.ResampleStream | None = None
        self.num_frames = 0
        self.num_clipped = 0

    def push(self, x_TC: np.ndarray, rate_hz: int) -> None:
        """Send one block on.

        Raises:
            InvalidAudio: not_finite, or a sample rate no speech has.
        """
        if not self._rate_hz:
            self._start(rate_hz)
        elif rate_hz != self._rate_hz:
            raise InvalidAudio("its sample rate changes midway; save it again with one rate", code="decode_failed")
        if not np.isfinite(x_TC).all():
            raise InvalidAudio("it holds NaN or infinite samples; export it again", code="not_finite")
        self.num_frames += len(x_TC)
        self.num_clipped += int((np.abs(x_TC) >= _CLIPPED).any(axis=1).sum())
        self._send(x_TC.mean(axis=1, dtype=np.float32), last=False)

    def finish(self) -> None:
        """Send what the resampler still holds."""
        if self._rate_hz:
            self._send(np.zeros(0, np.float32), last=True)

    def _start(self, rate_hz: int) -> None:
        if not _MIN_RATE_HZ <= rate_hz <= _MAX_RATE_HZ:
            raise InvalidAudio(f"its header says {rate_hz} samples a second; export it again", code="decode_failed")
        self._rate_hz = rate_hz
        if rate_hz != SAMPLE_RATE_HZ:
            self._resampler = soxr.ResampleStream(rate_hz, SAMPLE_RATE_HZ, 1, dtype="float32", quality="HQ")

    def _send(self, x_T: np.ndarray, *, last: bool) -> None:
        if self._resampler is not None:
            x_T = self._resampler.resample_chunk(x_T, last=last)
        samples = np.clip(np.rint(x_T * 32768.0), -32768, 32767).astype("<i2").tobytes()
        for start in range(0, len(samples), MAX_FRAME_BYTES):
            send_frame(self._out, AUDIO, samples[start : start + MAX_FRAME_BYTES])


def send_frame(out: int, kind: bytes, payload: bytes) -> None:
    view = memoryview(FRAME.pack(kind, len(payload)) + payload)
    while view:
        view = view[os.write(out, view) :]


def read_soundfile(fd: int, container: str) -> Iterator[Block]:
    """Yield the blocks of a wav or flac file as libsndfile reads them."""
    os.lseek(fd, 0, os.SEEK_SET)
    with soundfile.SoundFile(fd, closefd=False) as file:
        if file.format not in _SOUNDFILE_FORMATS[container]:
            raise InvalidAudio(f"it looks like {container} but reads as {file.format}", code="decode_failed")
        num_frames = max(1, _BLOCK_VALUES // file.channels)
        while len(x_TC := file.read(num_frames, dtype="float32", always_2d=True)):
            yield x_TC, file.samplerate


def _floats(frame: av.AudioFrame) -> np.ndarray:
    """Return a frame's samples as float32 x_TC. FFmpeg's own converter crashes on channels without a named layout."""
    values = frame.to_ndarray()
    x_TC = values.T if frame.format.is_planar else values.reshape(-1, frame.layout.nb_channels)
    if x_TC.dtype == np.uint8:
        return (x_TC.astype(np.float32) - 128) / 128
    if x_TC.dtype.kind == "i":
        return (x_TC / 2.0 ** (8 * x_TC.dtype.itemsize - 1)).astype(np.float32)
    return x_TC.astype(np.float32)


class _Block:
    """Gathers a codec's frames of a few milliseconds into blocks that are worth handling."""

    def __init__(self) -> None:
        self._frames: list[np.ndarray] = []
        self._num_values = 0
        self._rate_hz = 0

    def add(self, x_TC: np.ndarray, rate_hz: int) -> Iterator[Block]:
        same = not self._frames or (rate_hz == self._rate_hz and x_TC.shape[1] == self._frames[0].shape[1])
        if not same or self._num_values >= _BLOCK_VALUES:
            yield from self.rest()
        self._frames.append(x_TC)
        self._num_values += x_TC.size
        self._rate_hz = rate_hz

    def rest(self) -> Iterator[Block]:
        if self._frames:
            yield np.concatenate(self._frames), self._rate_hz
        self._frames, self._num_values = [], 0


def read_av(fd: int, container: str) -> Iterator[Block]:
    """Yield the blocks of the first audio stream as FFmpeg reads them, with the demuxer fixed by our own sniff.

    The file comes as an open object: FFmpeg has no path and no protocol to open anything else with.
    """
    os.lseek(fd, 0, os.SEEK_SET)
    options = {"protocol_whitelist": "none"}
    with (
        os.fdopen(os.dup(fd), "rb") as file,
        av.open(file, mode="r", format=_DEMUXERS[container], options=options, metadata_errors="ignore") as media,
    ):
        if not media.streams.audio:
            raise InvalidAudio("it holds no audio track", code="decode_failed")
        stream = media.streams.audio[0]
        codec = stream.codec_context.name if stream.codec_context else "something unknown"
        if codec not in _CODECS and not codec.startswith("pcm_"):
            raise InvalidAudio(f"its sound is coded as {codec}; save it as wav, flac or opus", code="decode_failed")
        stream.codec_context.thread_type = "NONE"
        block = _Block()
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
                yield from block.add(_floats(frame), frame.sample_rate)
        yield from block.rest()
        if num_bad:
            raise InvalidAudio("some of its packets are broken", code="decode_failed")


def decode(fd: int, container: str, out: int) -> None:
    """Send one file's samples and how it ended. What breaks off midway is kept, marked as damaged.

    Raises:
        InvalidAudio: nothing of it can be used.
    """
    readers = [read_soundfile, read_av] if container in _SOUNDFILE_FORMATS else [read_av]
    speech = Speech(out)
    failure: InvalidAudio | None = None
    for reader in readers:
        failure = None
        try:
            for x_TC, rate_hz in reader(fd, container):
                speech.push(x_TC, rate_hz)
        except (soundfile.LibsndfileError, av.FFmpegError, ValueError, MemoryError) as error:
            failure = InvalidAudio(f"it cannot be decoded as {container}: {error}", code="decode_failed")
        except InvalidAudio as error:
            if error.code != "decode_failed":
                raise
            failure = error
        if speech.num_frames:
            break
    else:
        raise failure or InvalidAudio("it holds no samples", code="too_short")
    speech.finish()
    end = {"num_clipped": speech.num_clipped, "num_frames": speech.num_frames, "damaged": failure is not None}
    send_frame(out, END, json.dumps(end).encode())


def serve(requests: socket.socket, out: int) -> None:
    """Answer one request after another until the parent hangs up."""
    while True:
        message, fds, _, _ = socket.recv_fds(requests, REQUEST.size, 1)
        if len(message) < REQUEST.size or not fds:
            return
        name, cpu_s = REQUEST.unpack(message)
        confine.allow_cpu(cpu_s)
        try:
            decode(fds[0], name.rstrip(b"\0").decode("ascii"), out)
        except InvalidAudio as error:
            send_frame(out, REFUSED, json.dumps({"code": error.code, "reason": error.message}).encode())
        finally:
            os.close(fds[0])


def main() -> None:
    """Lock the process in, then serve. Libraries that print must not reach the pipe: stdout is moved aside first."""
    out = os.dup(1)
    os.dup2(2, 1)
    av.logging.set_level(None)
    confine.limit_resources(int(sys.argv[1]))
    confine.close_files()
    with socket.socket(fileno=0) as requests, contextlib.suppress(BrokenPipeError):
        serve(requests, out)


if __name__ == "__main__":
    main()

"""The decoder: a process that turns files handed to it into 16 kHz mono samples, and can do nothing else.

Run as `python -m adaptwin_core.speech.sound.decoder_child MAX_BYTES`. It serves requests until its stdin closes.
Shapes: T sample frames in time, C channels.
"""

import contextlib
import json
import os
import socket
import sys
from collections.abc import Iterator

from adaptwin_core.speech.sound import confine

confine.leave_network()

import av  # noqa: E402
import numpy as np  # noqa: E402
import soxr  # noqa: E402

from adaptwin_core.domain.audio import SAMPLE_RATE_HZ  # noqa: E402
from adaptwin_core.domain.errors import InvalidAudio  # noqa: E402
from adaptwin_core.speech.sound.blocks import Block, Track  # noqa: E402
from adaptwin_core.speech.sound.decoder_protocol import (  # noqa: E402
    AGAIN,
    AUDIO,
    END,
    FRAME,
    MAX_FRAME_BYTES,
    REFUSED,
    REQUEST,
)
from adaptwin_core.speech.sound.mixing import Levels, Mix  # noqa: E402
from adaptwin_core.speech.sound.readers import UNREADABLE, OpenFile  # noqa: E402
from adaptwin_core.speech.sound.sniff import NAMES, Container, Form  # noqa: E402

_MIN_RATE_HZ, _MAX_RATE_HZ = 4_000, 768_000  # a header that says 1 Hz would make days out of a megabyte
_CLIPPED = 0.9999  # of full scale
_MAX_DETAIL_CHARS = 1000


class UnreadableError(Exception):
    """A file cannot be used. `detail` is what a library said: it is for logs, not for people."""

    def __init__(self, refusal: InvalidAudio, detail: str = "") -> None:
        super().__init__(refusal.message)
        self.refusal, self.detail = refusal, detail


class Speech:
    """Takes blocks of a file as they come, sends 16 kHz mono samples on, and keeps count."""

    def __init__(self, out: int, mix: Mix) -> None:
        self._out, self._mix = out, mix
        self.levels = Levels()
        self.track: Track | None = None
        self._rate_hz = 0
        self._resampler: soxr.ResampleStream | None = None
        self.num_frames = 0
        self.num_clipped = 0

    def push(self, block: Block) -> None:
        """Send one block on.

        Raises:
            InvalidAudio: not_finite, or a sample rate no speech has.
        """
        x_TC, rate_hz, self.track = block
        if not self._rate_hz:
            self._start(rate_hz)
        elif rate_hz != self._rate_hz:
            raise InvalidAudio("its sample rate changes midway; save it again with one rate", code="decode_failed")
        if not np.isfinite(x_TC).all():
            raise InvalidAudio("it holds NaN or infinite samples; export it again", code="not_finite")
        self.levels.add(x_TC)
        x_TC = self._mix.apply(x_TC)
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


def decode(fd: int, container: Container, out: int) -> None:
    """Send one file's samples and how it ended. What breaks off midway is kept, marked as damaged.

    How the channels are to be mixed shows at the file's end alone: where it was not the usual way, all is sent again.

    Raises:
        InvalidAudio, UnreadableError: nothing of it can be used.
    """
    file = OpenFile(fd, container)
    speech, is_damaged = _send(file, out, Mix())
    mix = speech.levels.mix()
    if mix != Mix():
        send_frame(out, AGAIN, b"")
        speech, is_damaged = _send(file, out, mix)
    end = {
        "num_clipped": speech.num_clipped,
        "num_frames": speech.num_frames,
        "damaged": is_damaged,
        "one_channel": mix.channel is not None,
        "rescaled": mix.full_scale != 1.0,
        "track": speech.track,
    }
    send_frame(out, END, json.dumps(end).encode())


def _send(file: OpenFile, out: int, mix: Mix) -> tuple[Speech, bool]:
    """Send what the first reader that gets anything out of the file gets, and tell whether it broke off midway."""
    speech = Speech(out, mix)
    failures: list[UnreadableError | None] = []
    for blocks in file.readers():
        failures.append(_pushed(blocks, speech, file.form))
        if speech.num_frames:
            speech.finish()
            return speech, failures[-1] is not None
    if None in failures:
        raise InvalidAudio("it is empty: it holds no sound; export it again, or leave it out", code="too_short")
    raise failures[-1] or AssertionError("a file has a reader")


def _pushed(blocks: Iterator[Block], speech: Speech, form: Form) -> UnreadableError | None:
    """Push all blocks, and return why they broke off, if they did."""
    try:
        for block in blocks:
            speech.push(block)
    except MemoryError as error:
        too_large = "it takes too much memory to decode; save it as wav or flac"
        return UnreadableError(InvalidAudio(too_large, code="decode_failed"), repr(error))
    except UNREADABLE as error:
        broken = f"it looks like {NAMES[form]}, but its content is damaged or incomplete; export or copy it again"
        return UnreadableError(InvalidAudio(broken, code="decode_failed"), str(error))
    except InvalidAudio as error:
        if error.code != "decode_failed":
            raise
        return UnreadableError(error)
    return None


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
            _refuse(out, error)
        except UnreadableError as error:
            _refuse(out, error.refusal, error.detail)
        finally:
            os.close(fds[0])


def _refuse(out: int, refusal: InvalidAudio, detail: str = "") -> None:
    said = {"code": refusal.code, "reason": refusal.message, "detail": detail[:_MAX_DETAIL_CHARS]}
    send_frame(out, REFUSED, json.dumps(said).encode())


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

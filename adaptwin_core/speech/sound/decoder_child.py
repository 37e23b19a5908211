"""The decoder: a confined process that turns open files into 16 kHz mono samples.

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

from adaptwin_core.domain.errors import InvalidAudio  # noqa: E402
from adaptwin_core.speech.sound.blocks import Block  # noqa: E402
from adaptwin_core.speech.sound.decoder_protocol import AGAIN, END, REFUSED, REQUEST, send_frame  # noqa: E402
from adaptwin_core.speech.sound.mixing import Mix  # noqa: E402
from adaptwin_core.speech.sound.mono import MonoStream  # noqa: E402
from adaptwin_core.speech.sound.readers import UNREADABLE, OpenFile  # noqa: E402
from adaptwin_core.speech.sound.sniff import NAMES, Container, Form  # noqa: E402

_MAX_DETAIL_CHARS = 1000


class UnreadableError(Exception):
    """A file cannot be used. `detail` is what a library said: it is for logs, not for people."""

    def __init__(self, refusal: InvalidAudio, detail: str = "") -> None:
        super().__init__(refusal.message)
        self.refusal, self.detail = refusal, detail


def decode(fd: int, container: Container, out: int) -> None:
    """Send the samples of one file, and then how it ended. A file that breaks off midway is marked as damaged.

    How its channels must be mixed is known only at its end. If that is not the mean of all, the file is sent again.

    Raises:
        InvalidAudio, UnreadableError: nothing of it can be used.
    """
    file = OpenFile(fd, container)
    stream, is_damaged = _send(file, out, Mix())
    mix = stream.levels.mix()
    if mix != Mix():
        send_frame(out, AGAIN, b"")
        stream, is_damaged = _send(file, out, mix)
    end = {
        "num_clipped": stream.num_clipped,
        "num_frames": stream.num_frames,
        "damaged": is_damaged,
        "one_channel": mix.channel is not None,
        "rescaled": mix.full_scale != 1.0,
        "track": stream.track,
    }
    send_frame(out, END, json.dumps(end).encode())


def _send(file: OpenFile, out: int, mix: Mix) -> tuple[MonoStream, bool]:
    """Send the samples of the first reader that can read any, and tell whether the file broke off midway."""
    stream = MonoStream(out, mix)
    failures: list[UnreadableError | None] = []
    for blocks in file.readers():
        failures.append(_pushed(blocks, stream, file.form))
        if stream.num_frames:
            stream.finish()
            return stream, failures[-1] is not None
    if None in failures:
        raise InvalidAudio("it is empty: it holds no sound; export it again, or leave it out", code="too_short")
    raise failures[-1] or AssertionError("a file has a reader")


def _pushed(blocks: Iterator[Block], stream: MonoStream, form: Form) -> UnreadableError | None:
    """Push all blocks, and return why they broke off, or None."""
    try:
        for block in blocks:
            stream.push(block)
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
    """Answer one request after another until the parent closes the socket."""
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
    """Confine the process, then serve. First stdout is moved, so that what libraries print does not reach the pipe."""
    out = os.dup(1)
    os.dup2(2, 1)
    av.logging.set_level(None)
    confine.limit_resources(int(sys.argv[1]))
    confine.close_files()
    with socket.socket(fileno=0) as requests, contextlib.suppress(BrokenPipeError):
        serve(requests, out)


if __name__ == "__main__":
    main()

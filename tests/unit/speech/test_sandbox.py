"""The decoder's process is confined, and what goes wrong in it costs one file."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.speech.files.sources import read_folder
from adaptwin_core.speech.ingest import Limits, build_corpus
from adaptwin_core.speech.sound import child_process, sandbox
from tests.unit.speech.sounds import Nowhere, build, flac_bomb, rejects, voice, write

MISBEHAVING_CHILD = """
import os, signal, struct, time
from adaptwin_core.speech.sound import decoder_child

real = decoder_child.decode

def decode(fd, container, out):
    order = os.pread(fd, 5, os.fstat(fd).st_size - 5)
    if order == b"CRASH":
        decoder_child.send_frame(out, b"A", bytes(32000))
        os.kill(os.getpid(), signal.SIGSEGV)
    if order == b"HANGS":
        time.sleep(600)
    if order == b"SPINS":
        while True: pass
    if order == b"EATS_":
        bytearray(4 << 30)
    if order == b"LIES_":
        os.write(out, struct.pack("<cI", b"A", 0xFFFFFFFF) + bytes(100))
    if order == b"ENDS_":
        decoder_child.send_frame(out, b"E", b'{"num_clipped": "x"}')
        return
    if order == b"CODE_":
        decoder_child.send_frame(out, b"F", b'{"code": "internal", "reason": "x"}')
        return
    real(fd, container, out)

decoder_child.decode = decode
decoder_child.main()
"""


@pytest.mark.parametrize("order", ["CRASH", "HANGS", "SPINS", "EATS_", "LIES_", "ENDS_", "CODE_"])
def test_misbehaving_decoder_costs_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: str) -> None:
    script = tmp_path / "child.py"
    script.write_text(MISBEHAVING_CHILD)
    monkeypatch.setattr(child_process, "DECODER_COMMAND", (sys.executable, str(script)))
    for i in range(3):
        write(tmp_path / "in" / f"{i}.wav", voice(1.0, i), subtype="PCM_16")
    with (tmp_path / "in" / "1.wav").open("ab") as file:
        file.write(order.encode())
    start = time.monotonic()
    corpus = build(tmp_path / "in", tmp_path / "out", max_stall_s=2.0, max_file_cpu_s=1)
    assert time.monotonic() - start < 10
    assert rejects(corpus) == {"1.wav": "decode_failed"}
    assert [clip.recording for clip in corpus.clips] == ["0.wav", "2.wav"]
    assert corpus.seconds == pytest.approx(2.0)


def test_file_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    bomb = flac_bomb(tmp_path / "a.flac", 20)
    with sandbox.Decoder(Limits(max_file_wall_s=1.0)) as decoder, pytest.raises(InvalidAudio, match="too long"):
        decoder.decode(bomb, "flac", Nowhere(), max_samples=10**12)


def test_a_hundred_hours_of_silence_are_stopped_at_the_cap(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    bomb = flac_bomb(tmp_path / "in" / "bomb.flac", 100)
    assert bomb.stat().st_size < 2 << 20
    start = time.monotonic()
    with pytest.raises(InvalidAudio, match=r"more than 0\.1 h of audio, reached in bomb\.flac") as raised:
        build(tmp_path / "in", tmp_path / "out", max_decoded_s=360.0)
    assert raised.value.code == "too_long"
    assert time.monotonic() - start < 10
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == []


def test_cap_counts_the_whole_set(tmp_path: Path) -> None:
    for i in range(4):
        write(tmp_path / "in" / f"{i}.wav", voice(3.0, i))
    assert build(tmp_path / "in", tmp_path / "fits", max_decoded_s=12.0).seconds == pytest.approx(12.0)
    with pytest.raises(InvalidAudio) as raised:
        build(tmp_path / "in", tmp_path / "out", max_decoded_s=11.9)
    assert raised.value.code == "too_long"


CONFINED = """
import json, os, socket, sys
from adaptwin_core.speech.sound import confine

before = os.stat("/proc/self/ns/net").st_ino
confine.leave_network()
moved = os.stat("/proc/self/ns/net").st_ino != before
landlock = __import__("ctypes").CDLL(None).syscall(444, None, 0, 1) > 0
confine.limit_resources(1 << 30)
confine.close_files()

def tries(act):
    try:
        act()
    except BaseException as error:
        return type(error).__name__
    return "done"

print(json.dumps({
    "moved": moved, "landlock": landlock,
    "memory": tries(lambda: bytearray(2 << 30)),
    "connect": tries(lambda: socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1)),
    "open": tries(lambda: open("/etc/hostname")),
    "environ": tries(lambda: open(f"/proc/{os.getppid()}/environ")),
    "list": tries(lambda: os.listdir("/")),
    "write": tries(lambda: open(sys.argv[2], "w", 1).write("x\\n")),
}))
"""


def test_child_can_open_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        command = [sys.executable, "-c", CONFINED, str(server.getsockname()[1]), str(tmp_path / "x")]
        said = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    assert said["memory"] == "MemoryError"
    assert said["write"] != "done"
    if said["moved"]:
        assert said["connect"] != "done"
    if not said["landlock"]:
        pytest.skip("this kernel has no Landlock")
    assert {said[what] for what in ("open", "environ", "list", "write")} == {"PermissionError"}


def test_one_child_serves_many_files_and_none_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []
    real = subprocess.Popen

    class Counted(real):  # type: ignore[misc,valid-type]
        def __init__(self, *args: object, **kwargs: object) -> None:
            super().__init__(*args, **kwargs)
            started.append(self.pid)

    monkeypatch.setattr(subprocess, "Popen", Counted)
    for i in range(60):
        write(tmp_path / "in" / f"{i:02}.wav", voice(0.5, i))
    assert len(build(tmp_path / "in", tmp_path / "out").clips) == 60
    assert len(started) == 1
    assert not Path(f"/proc/{started[0]}").exists()


def test_stopping_by_progress_ends_the_child_and_the_spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "in" / "a.wav", voice(60.0))

    class StopError(Exception):
        pass

    seen: list[int] = []

    def stop(_done: int, total: int, /, **_figures: float) -> None:
        seen.append(total)
        raise StopError

    with pytest.raises(StopError):
        build_corpus(read_folder(tmp_path / "in"), tmp_path / "out", Limits(), stop)
    assert seen[0] == 1
    assert [p.name for p in (tmp_path / "out").iterdir()] == []
    assert not _children()


def _children() -> list[str]:
    return [
        stat.parent.name
        for stat in Path("/proc").glob("[0-9]*/cmdline")
        if b"decoder_child" in stat.read_bytes() and f"\nPPid:\t{os.getpid()}\n" in (stat.parent / "status").read_text()
    ]

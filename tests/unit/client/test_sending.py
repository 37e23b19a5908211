"""A folder goes up whole, whatever breaks."""

import random
from pathlib import Path

import httpx
import pytest

from adaptwin_core.client import DifferentFile, Progress, Sent, ServiceError, Unreachable, sending
from adaptwin_core.client.folder import files_in
from adaptwin_core.client.sending import Sender
from tests.unit.client.answering import connected, problem
from tests.unit.client.tus_server import TusServer, Upload

pytestmark = pytest.mark.anyio
FILES = {"a.wav": b"abcdefghij" * 3, "deep/b.wav": b"0123456789", "empty.txt": b""}


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "PIECE_BYTES", 8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, data in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    return tmp_path


async def send(server: TusServer, folder: Path, *, num_parallel: int = 4, told: list[Progress] | None = None) -> Sent:
    files, left_out = files_in(folder)
    on_progress = None if told is None else told.append
    sender = Sender(connected(server), "ds_1")
    return await sender.send(files, left_out, num_parallel=num_parallel, on_progress=on_progress)


async def test_a_folder_goes_up_and_its_progress_is_told(folder: Path) -> None:
    server, told = TusServer(), list[Progress]()
    sent = await send(server, folder, told=told)
    assert server.files() == FILES
    assert sent == Sent(("a.wav", "deep/b.wav", "empty.txt"), (), ())
    assert (told[-1].done_bytes, told[-1].total_bytes) == (40, 40)
    assert max(one.file_done_bytes for one in told if one.name == "a.wav") == 30
    assert [one.done_bytes for one in told] == sorted(one.done_bytes for one in told)


@pytest.mark.parametrize("seed", range(8))
async def test_it_goes_up_whole_over_a_bad_network(folder: Path, seed: int) -> None:
    chance = random.Random(seed)
    breaks = [chance.choice(["", "", "request", "half", "answer"]) for _ in range(60)]
    server = TusServer(breaks)
    for _ in range(40):  # too many breaks in a row end a run: the next goes on
        try:
            await send(server, folder, num_parallel=1 + seed % 3)
            break
        except Unreachable:
            continue
    assert server.files() == FILES
    assert len(server.uploads) == len(FILES), "no file was begun twice"


async def test_a_second_run_sends_what_the_first_did_not(folder: Path) -> None:
    server = TusServer(uploads=[Upload("up_a", "a.wav", 30, FILES["a.wav"]), Upload("up_b", "deep/b.wav", 10, b"0123")])
    told = list[Progress]()
    sent = await send(server, folder, told=told)
    assert server.files() == FILES
    assert sent == Sent(("deep/b.wav", "empty.txt"), ("a.wav",), ())
    assert server.asked.count("POST") == server.asked.count("PATCH") == 1
    assert told[0] == Progress("a.wav", 30, 30, 30, 40)
    assert await send(server, folder) == Sent((), ("a.wav", "deep/b.wav", "empty.txt"), ())


async def test_other_bytes_of_the_same_name_are_not_replaced_unasked(folder: Path) -> None:
    server = TusServer(uploads=[Upload("up_a", "a.wav", 30, b"z" * 30)])
    with pytest.raises(DifferentFile, match=r"other bytes under the name a\.wav.*delete_upload\('up_a'\)"):
        await send(server, folder)
    assert server.asked == ["GET"]


async def test_a_file_that_changed_between_two_runs_is_noticed(folder: Path) -> None:
    server = TusServer(uploads=[Upload("up_a", "a.wav", 30, b"zzz")])
    with pytest.raises(DifferentFile, match="the file changed"):
        await send(server, folder)


async def test_what_was_begun_with_another_length_is_begun_anew(folder: Path) -> None:
    server = TusServer(uploads=[Upload("up_a", "a.wav", 99, b"zzz")])
    await send(server, folder)
    assert server.files() == FILES


async def test_an_upload_that_expired_is_begun_anew(folder: Path) -> None:
    server = TusServer(uploads=[Upload("up_a", "a.wav", 30, b"abc")])

    async def expiring(request: httpx.Request) -> httpx.Response:
        if request.method == "HEAD":
            server.uploads[0].is_gone = True
        return await server(request)

    files, _ = files_in(folder)
    await Sender(connected(expiring), "ds_1").send(files, num_parallel=1, on_progress=None)
    assert server.files() == FILES


@pytest.mark.parametrize("code", ["offset_mismatch", "upload_taken_over"])
async def test_an_older_request_of_its_own_does_not_end_it(folder: Path, code: str) -> None:
    server = TusServer(refuse=problem(409, code))
    await send(server, folder)
    assert server.files() == FILES


async def test_a_refusal_ends_all_and_is_the_error_itself(folder: Path) -> None:
    server = TusServer(refuse=problem(507, "disk_full", "try again later"))
    with pytest.raises(ServiceError, match="disk_full: try again later"):
        await send(server, folder)


async def test_an_error_of_the_callback_is_the_error_itself(folder: Path) -> None:
    def stop(progress: Progress) -> None:
        if progress.file_done_bytes >= 8:
            raise InterruptedError("enough")

    files, _ = files_in(folder)
    server = TusServer()
    with pytest.raises(InterruptedError, match="enough"):
        await Sender(connected(server), "ds_1").send(files, num_parallel=3, on_progress=stop)
    await send(server, folder)
    assert server.files() == FILES


async def test_the_key_goes_to_no_other_place_that_an_answer_names(folder: Path) -> None:
    server, hosts = TusServer(prefix="http://elsewhere.test/under"), set[str]()

    async def watched(request: httpx.Request) -> httpx.Response:
        hosts.add(request.url.host)
        return await server(request)

    files, _ = files_in(folder)
    await Sender(connected(watched), "ds_1").send(files, num_parallel=1, on_progress=None)
    assert server.files() == FILES
    assert hosts == {"service.test"}

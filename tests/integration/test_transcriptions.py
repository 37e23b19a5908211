"""A finished model is tried by OpenAI's own package, and nothing of what was said is kept."""

import http.client
import io
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from select import select as ready_sockets
from typing import Any

import httpx
import numpy as np
import openai
import pytest
import soundfile
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from adaptwin_core.domain.errors import Cancelled, InvalidInput, LimitExceeded
from adaptwin_core.domain.progress import Progress, no_progress
from adaptwin_core.domain.transcription import Segment, Transcription, Wanted, Word
from adaptwin_core.local.servers import ServerUrls
from adaptwin_core.service import models, sweeper, transcriptions
from adaptwin_core.store.tables import Outbox, Task
from adaptwin_core.store.tables import Transcription as Row
from api.transcription_form import FIELDS_BYTES, FILE_BYTES
from tests.integration import world
from tests.integration.api_world import add_model
from tests.integration.conftest import ApiProcess, Principal, start_api
from tests.service_under_test import changed, get_settings, service, unit_of_work
from tests.unit.speech.sounds import RATE_HZ, voice
from tests.waiting import wait_until
from worker import transcribe
from worker.runner import run_task

PATH = "/v1/audio/transcriptions"
NOBODYS = "mdl_00000000000000000000000000"
Samples = np.ndarray


def segment(start: float, text: str) -> Segment:
    said = text.split()
    words = tuple(Word(text=word, start=start + at, end=start + at + 0.5) for at, word in enumerate(said))
    return Segment(
        start=start,
        end=start + len(said),
        text=text,
        words=words,
        tokens=(5, 6),
        mean_log_probability=-0.2,
        window_start=0.0,
        silence_probability=0.01,
    )


class FakeListener:
    """Hears the same in every recording, and keeps how it was asked."""

    def __init__(self) -> None:
        self.asked: list[Wanted] = []
        self.seconds: list[float] = []
        self.first: Callable[[Progress], None] = lambda _: None

    def hear(self, samples: Samples, wanted: Wanted, progress: Progress = no_progress) -> Transcription:
        self.asked.append(wanted)
        self.seconds.append(len(samples) / RATE_HZ)
        self.first(progress)
        segments = (segment(0.0, "Good morning."), segment(2.0, "How are you?")) if wanted.times else ()
        return Transcription(
            language=wanted.language, seconds=4.0, text="Good morning. How are you?", segments=segments
        )


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The languages of the models that were loaded."""
    found: list[str] = []
    monkeypatch.setattr(transcribe, "_load", lambda *given: found.append(given[-1]) or _LISTENERS[-1])
    transcribe.LAST.drop()
    yield found
    transcribe.LAST.drop()


_LISTENERS: list[FakeListener] = []


@pytest.fixture
def listener(loads: list[str]) -> Iterator[FakeListener]:
    _LISTENERS.append(FakeListener())
    yield _LISTENERS[-1]
    _LISTENERS.pop()


def work_once() -> None:
    """Do what waits to be transcribed. The tasks of the model's job wait for ever: it has succeeded without them."""
    with unit_of_work() as session:
        waiting = select(Task.id).where(Task.state == "queued", Task.stage == "transcribe")
        task_ids = session.scalars(waiting).all()
    for task_id in task_ids:
        run_task(service(), task_id, lambda: world.stub_stage)


@contextmanager
def a_worker() -> Iterator[None]:
    """Do what waits to be transcribed, until the context ends."""
    is_over = threading.Event()

    def work() -> None:
        while not is_over.wait(0.01):
            work_once()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


@pytest.fixture
def model_id(owner: Principal, tmp_path: Path) -> str:
    return add_model(owner, tmp_path)[1]


def wav(seconds: float = 4.0) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, voice(seconds), RATE_HZ, format="WAV")
    return file.getvalue()


def send(who: Principal, model_id: str, audio: bytes = b"", **fields: Any) -> httpx.Response:
    file = {"file": ("me.wav", audio or wav(), "audio/wav")}
    return who.client.post(PATH, files=file, data={"model": model_id, **fields})


def fault(answer: httpx.Response) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"message", "type", "param", "code"}
    found: dict[str, Any] = body["error"]
    return found


def openai_client(api: ApiProcess, key: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{api.url}/v1", api_key=key, max_retries=0)


def num_rows() -> tuple[int, int]:
    """How many transcriptions there are, and tasks of them."""
    with unit_of_work() as session:
        rows = session.scalar(select(func.count()).select_from(Row))
        tasks = session.scalar(select(func.count()).select_from(Task).where(Task.stage == "transcribe"))
    return rows or 0, tasks or 0


def add_row(who: Principal, model_id: str) -> str:
    with unit_of_work() as session:
        row = transcriptions.request(
            session,
            who.scope,
            model_id,
            wav(),
            language=None,
            prompt="",
            temperature=0.0,
            times=False,
            max_unfinished=100,
        )
        return row.id


def test_the_package_of_openai_gets_every_form(
    api: ApiProcess, owner: Principal, model_id: str, listener: FakeListener, tmp_path: Path
) -> None:
    path = tmp_path / "me.wav"
    path.write_bytes(wav())
    client = openai_client(api, owner.token).audio.transcriptions
    with a_worker():
        assert client.create(model=model_id, file=path).text == "Good morning. How are you?"
        assert client.create(model=model_id, file=path, response_format="text") == "Good morning. How are you?\n"
        assert client.create(model=model_id, file=path, response_format="srt") == (
            "1\n00:00:00,000 --> 00:00:02,000\nGood morning.\n\n2\n00:00:02,000 --> 00:00:05,000\nHow are you?\n\n"
        )
        assert client.create(model=model_id, file=path, response_format="vtt") == (
            "WEBVTT\n\n00:00:00.000 --> 00:00:02.000\nGood morning.\n\n00:00:02.000 --> 00:00:05.000\nHow are you?\n\n"
        )
        told = client.create(
            model=model_id,
            file=path,
            response_format="verbose_json",
            timestamp_granularities=["word", "segment"],
            language="en",
            prompt="Ada",
            temperature=0.5,
            chunking_strategy="auto",
        )
    assert (told.text, told.language, told.duration) == ("Good morning. How are you?", "english", 4.0)
    assert told.words is not None
    assert [(word.word, word.start, word.end) for word in told.words][:2] == [
        ("Good", 0.0, 0.5),
        ("morning.", 1.0, 1.5),
    ]
    assert told.segments is not None
    first = told.segments[0]
    assert (first.id, first.seek, first.start, first.end, first.text) == (0, 0, 0.0, 2.0, "Good morning.")
    assert (first.tokens, first.temperature, first.avg_logprob, first.no_speech_prob) == ([5, 6], 0.5, -0.2, 0.01)
    assert first.compression_ratio == pytest.approx(13 / 21)
    assert listener.asked[0] == Wanted(language="en")
    assert listener.asked[-1] == Wanted(language="en", prompt="Ada", temperature=0.5, times=True)
    assert listener.seconds == pytest.approx([4.0] * 5)


def test_times_are_told_of_what_they_are_wanted_for(owner: Principal, model_id: str, listener: FakeListener) -> None:
    with a_worker():
        plain = send(owner, model_id, response_format="verbose_json").json()
        words = send(owner, model_id, response_format="verbose_json", **{"timestamp_granularities[]": ["word"]}).json()
    assert ("segments" in plain, "words" in plain) == (True, False)
    assert ("segments" in words, "words" in words) == (False, True)


def test_nothing_of_it_is_kept(
    api: ApiProcess, owner: Principal, model_id: str, listener: FakeListener, loads: list[str]
) -> None:
    before = sorted(path for path in api.data_dir.rglob("*") if path.is_file())
    kept: list[int | None] = []

    def look(_: Progress) -> None:
        with unit_of_work() as session:
            kept.append(session.scalar(select(func.octet_length(Row.audio))))

    listener.first = look
    with a_worker():
        assert send(owner, model_id).status_code == 200
        assert num_rows() == (0, 0)
        assert send(owner, model_id).status_code == 200
    assert kept == [len(wav())] * 2
    assert num_rows() == (0, 0)
    assert sorted(path for path in api.data_dir.rglob("*") if path.is_file()) == before
    with unit_of_work() as session:
        sent = session.scalars(select(Outbox.args).where(Outbox.queue == "audio")).all()
    assert [len(args) for args in sent] == [1, 1], "a message carries an id and nothing else"
    assert loads == ["en"], "the second recording finds the model loaded"


def test_the_sound_goes_before_the_answer_is_taken(owner: Principal, model_id: str, listener: FakeListener) -> None:
    row_id = add_row(owner, model_id)
    work_once()
    with unit_of_work() as session:
        row = session.get_one(Row, row_id)
        assert (row.audio, row.heard.text if row.heard else None) == (None, "Good morning. How are you?")


def test_the_sweeper_forgets_what_a_dead_server_left(owner: Principal, model_id: str) -> None:
    old, new = add_row(owner, model_id), add_row(owner, model_id)
    with unit_of_work() as session:
        long_ago = func.now() - timedelta(minutes=61)
        session.execute(update(Row).where(Row.id == old).values(created_at=long_ago))
    swept = sweeper.sweep(service())
    assert swept is not None
    assert swept.num_forgotten == 1
    with unit_of_work() as session:
        assert session.scalars(select(Row.id)).all() == [new]
    assert num_rows() == (1, 1)


def test_a_client_that_hangs_up_is_not_worked_for(owner: Principal, model_id: str) -> None:
    with pytest.raises(httpx.ReadTimeout):
        owner.client.post(PATH, files={"file": ("a.wav", wav())}, data={"model": model_id}, timeout=0.5)
    wait_until(lambda: num_rows() == (0, 0), 5, "the end of the task")


def test_a_worker_stops_once_the_client_has_hung_up(owner: Principal, model_id: str, listener: FakeListener) -> None:
    stopped: list[type[Exception]] = []
    begun = threading.Event()

    def go_on(progress: Progress) -> None:
        begun.set()
        try:
            for step in range(1000):
                progress(step, 1000)
                time.sleep(0.01)
        except Cancelled as stop:
            stopped.append(type(stop))
            raise

    listener.first = go_on
    with changed(heartbeat_s=0.05), a_worker():
        row_id = add_row(owner, model_id)
        assert begun.wait(10)
        with unit_of_work() as session:
            transcriptions.forget(session, owner.scope, row_id)
        wait_until(lambda: stopped, 5, "the stop")
    assert stopped == [Cancelled]


def test_a_request_that_no_worker_takes_is_given_up(
    servers: ServerUrls, api: ApiProcess, owner: Principal, model_id: str
) -> None:
    impatient = start_api(servers, api.data_dir, ADAPTWIN_TRANSCRIPTION_WAIT_S="0.3")
    try:
        answer = httpx.post(
            f"{impatient.url}{PATH}",
            headers=owner.headers,
            files={"file": ("a.wav", wav())},
            data={"model": model_id},
            timeout=30,
        )
    finally:
        impatient.stop()
    assert (answer.status_code, fault(answer)["code"]) == (503, "no_worker")
    assert fault(answer)["type"] == "server_error"
    assert int(answer.headers["retry-after"]) > 0
    assert num_rows() == (0, 0)


def test_one_owner_does_not_fill_the_queue(owner: Principal, stranger: Principal, model_id: str) -> None:
    for _ in range(get_settings().max_transcriptions):
        add_row(owner, model_id)
    answer = send(owner, model_id)
    assert (answer.status_code, fault(answer)["code"]) == (429, "too_many")
    assert "retry-after" in answer.headers
    assert send(stranger, model_id).status_code == 404


def test_requests_that_come_at_once_count_each_other(owner: Principal, model_id: str) -> None:
    def request(session: Session) -> None:
        transcriptions.request(
            session,
            owner.scope,
            model_id,
            wav(),
            language=None,
            prompt="",
            temperature=0.0,
            times=False,
            max_unfinished=1,
        )

    refused: list[str] = []

    def request_too() -> None:
        try:
            with unit_of_work() as session:
                request(session)
        except LimitExceeded as error:
            refused.append(error.code)

    second = threading.Thread(target=request_too)
    with unit_of_work() as session:
        request(session)
        second.start()
        second.join(1)
    second.join(10)
    assert refused == ["too_many"]
    assert num_rows() == (1, 1)


def test_one_owner_does_not_fill_the_memory(api: ApiProcess, owner: Principal, stranger: Principal) -> None:
    most = get_settings().max_transcriptions
    unfinished = [http.client.HTTPConnection(httpx.URL(api.url).netloc.decode()) for _ in range(most + 1)]
    form = {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": "1000"}
    for connection in unfinished:
        connection.request("POST", PATH, body=b"--x", headers=owner.headers | form)
    # The one too many is answered at once, which shows that the others have begun: they wait for their bodies.
    answered, _, _ = ready_sockets([connection.sock for connection in unfinished], [], [], 5)
    (refused,) = [connection for connection in unfinished if connection.sock in answered]
    assert refused.getresponse().status == 429
    answer = send(owner, NOBODYS)
    assert (fault(answer)["code"], "retry-after" in answer.headers) == ("too_many", True)
    assert send(stranger, NOBODYS).status_code == 404
    for connection in unfinished:
        connection.close()
    wait_until(lambda: send(owner, NOBODYS).status_code == 404, 5, "the forms to end")


@pytest.mark.parametrize(
    ("fields", "param", "told"),
    [
        ({"stream": "true"}, "stream", "the answer comes whole"),
        ({"response_format": "mp3"}, "response_format", "must be 'json', 'text', 'srt', 'verbose_json' or 'vtt'"),
        ({"temperature": "2"}, "temperature", "less than or equal to 1"),
        ({"langauge": "en"}, "langauge", "did you mean language?"),
        ({"include[]": "logprobs"}, "include", "unknown field include"),
        ({"timestamp_granularities[]": "word"}, None, "needs response_format=verbose_json"),
        ({"model": "whisper-1"}, "model", "does not have the form"),
        ({"language": ["en", "de"]}, "language", "more than once"),
        ({"language": "Klingon"}, None, "Klingon"),
        ({"prompt": "a\x00b"}, "prompt", "does not have the form"),
        ({"prompt": "a" * FIELDS_BYTES + "a"}, None, "64 KiB"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_field_that_cannot_be_used_is_named(
    owner: Principal, model_id: str, fields: dict[str, Any], param: str | None, told: str
) -> None:
    answer = send(owner, model_id, **fields)
    found = fault(answer)
    assert answer.status_code in {400, 413}
    assert (found["type"], found["param"]) == ("invalid_request_error", param)
    assert told in found["message"]
    assert num_rows() == (0, 0)


def test_a_form_without_one_file_is_refused(owner: Principal, model_id: str) -> None:
    none = owner.client.post(PATH, files={"model": (None, model_id)})
    two = owner.client.post(PATH, files=[("file", ("a", b"1")), ("file", ("b", b"2"))], data={"model": model_id})
    text = owner.client.post(PATH, files={"file": (None, "me.wav"), "model": (None, model_id)})
    assert [(answer.status_code, fault(answer)["param"]) for answer in (none, two, text)] == [(400, "file")] * 3
    json = owner.client.post(PATH, json={"model": model_id})
    assert (json.status_code, fault(json)["code"]) == (415, "unsupported_media_type")


def test_a_file_may_have_25_mib(owner: Principal, model_id: str) -> None:
    answer = send(owner, model_id, bytes(FILE_BYTES + 1))
    assert (answer.status_code, fault(answer)["code"]) == (413, "body_too_large")
    assert "compressed form" in fault(answer)["message"]


@pytest.mark.parametrize(
    ("audio", "code"), [(b"this is no sound", "not_audio"), (wav(0.1), "too_short"), (wav(3.0), "too_long")]
)
def test_what_cannot_be_heard_is_told_by_the_worker(
    api: ApiProcess, owner: Principal, model_id: str, listener: FakeListener, audio: bytes, code: str
) -> None:
    with changed(max_transcribed_s=2.0), a_worker(), pytest.raises(openai.BadRequestError) as refusal:
        openai_client(api, owner.token).audio.transcriptions.create(model=model_id, file=("me.wav", audio))
    assert refusal.value.code == code
    assert listener.asked == []
    assert num_rows() == (0, 0)


def test_the_package_of_openai_raises_the_right_errors(
    api: ApiProcess, owner: Principal, stranger: Principal, model_id: str, listener: FakeListener
) -> None:
    file = ("me.wav", wav())
    with pytest.raises(openai.AuthenticationError):
        openai_client(api, "adtw_wrong").audio.transcriptions.create(model=model_id, file=file)
    for who, asked in ((stranger, model_id), (owner, NOBODYS), (stranger, NOBODYS)):
        with pytest.raises(openai.NotFoundError) as unknown:
            openai_client(api, who.token).audio.transcriptions.create(model=asked, file=file)
        assert unknown.value.code == "not_found"

    def refuse(_: Progress) -> None:
        raise InvalidInput("the prompt holds a control token")

    listener.first = refuse
    with a_worker():
        with pytest.raises(openai.BadRequestError, match="control token"):
            openai_client(api, owner.token).audio.transcriptions.create(model=model_id, file=file)
        listener.first = lambda _: 1 / 0
        with pytest.raises(openai.InternalServerError, match="unforeseen ZeroDivisionError"):
            openai_client(api, owner.token).audio.transcriptions.create(model=model_id, file=file)
    assert num_rows() == (0, 0)


def test_a_model_that_is_deleted_hears_no_more(owner: Principal, model_id: str, listener: FakeListener) -> None:
    row_id = add_row(owner, model_id)
    with unit_of_work() as session:
        models.delete(session, owner.scope, model_id)
    work_once()
    with unit_of_work() as session:
        assert (session.get_one(Row, row_id).error or {})["code"] == "gone"
    answer = send(owner, model_id)
    assert (answer.status_code, fault(answer)["code"]) == (410, "gone")
    assert listener.asked == []


def test_the_model_makes_room_for_the_task_of_a_job(
    owner: Principal, model_id: str, listener: FakeListener, loads: list[str], tmp_path: Path
) -> None:
    add_row(owner, model_id)
    work_once()
    job_id = world.submit(owner.scope, tmp_path)
    run_task(service(), world.task_rows(job_id)[0].id, lambda: world.stub_stage)
    add_row(owner, model_id)
    work_once()
    assert loads == ["en", "en"]


def test_an_unknown_query_parameter_is_refused(owner: Principal, model_id: str) -> None:
    answer = owner.client.post(f"{PATH}?modell=x", files={"file": ("a.wav", wav())}, data={"model": model_id})
    assert (answer.status_code, fault(answer)["param"]) == (400, "query.modell")

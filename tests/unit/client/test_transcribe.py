"""A file is sent as OpenAI's clients send it, and what is answered in OpenAI's form is understood."""

from pathlib import Path

import httpx
import pytest

from adaptwin_core.client import Busy, ServiceError
from adaptwin_core.client.models import AsyncModels
from tests.unit.client.answering import Script, found

pytestmark = pytest.mark.anyio
MODEL = "mdl_01kbd5c0r2t9s5f1d7h3k8p4vg"
HEARD = {
    "task": "transcribe",
    "language": "english",
    "duration": 1.5,
    "text": "Good morning.",
    "segments": [],
    "words": [{"word": "Good", "start": 0.0, "end": 0.5}, {"word": "morning.", "start": 0.5, "end": 1.0}],
}


def fault(status: int, code: str, param: str | None = None, **headers: str) -> httpx.Response:
    error = {"message": "do this", "type": "invalid_request_error", "param": param, "code": code}
    return httpx.Response(status, json={"error": error}, headers={k.replace("_", "-"): v for k, v in headers.items()})


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "me.wav"
    path.write_bytes(b"the sound")
    return path


async def test_a_recording_is_sent_as_a_form_and_heard(recording: Path) -> None:
    script = Script(found(HEARD))
    heard = await AsyncModels(script.connection).transcribe(MODEL, recording, language="en", temperature=0.5)
    assert (heard.text, heard.duration) == ("Good morning.", 1.5)
    assert [word.word for word in heard.words or ()] == ["Good", "morning."]
    assert script.asked == ["POST /v1/audio/transcriptions"]
    body = script.requests[0].content
    assert b'name="file"; filename="me.wav"' in body
    assert b"the sound" in body
    for name, value in (
        ("model", MODEL),
        ("language", "en"),
        ("temperature", "0.5"),
        ("response_format", "verbose_json"),
        ("timestamp_granularities[]", "segment"),
        ("timestamp_granularities[]", "word"),
    ):
        assert f'name="{name}"\r\n\r\n{value}\r\n'.encode() in body
    assert b'name="prompt"' not in body


async def test_a_refusal_names_the_field(recording: Path) -> None:
    with pytest.raises(ServiceError, match="validation_failed: language: do this") as refusal:
        await AsyncModels(Script(fault(400, "validation_failed", "language")).connection).transcribe(MODEL, recording)
    assert (refusal.value.status, refusal.value.code) == (400, "validation_failed")
    with pytest.raises(ServiceError, match="not_audio: do this"):
        await AsyncModels(Script(fault(400, "not_audio")).connection).transcribe(MODEL, recording)


async def test_a_busy_service_is_asked_again(recording: Path) -> None:
    script = Script(fault(429, "too_many", retry_after="0"), httpx.ReadError("cut"), found(HEARD))
    assert (await AsyncModels(script.connection).transcribe(MODEL, recording)).text == "Good morning."
    assert all(b"the sound" in request.content for request in script.requests)
    busy = Script(*[fault(503, "no_worker", retry_after="0")] * 4)
    with pytest.raises(Busy, match="no_worker"):
        await AsyncModels(busy.connection).transcribe(MODEL, recording)

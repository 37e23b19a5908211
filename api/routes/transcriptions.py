"""/v1/audio/transcriptions: a finished model is tried, by any client of OpenAI's API."""

import asyncio
import time

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, PlainTextResponse

from adaptwin_core.domain import subtitles
from adaptwin_core.domain.errors import InvalidInput, ResourceExhausted
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.transcription import Transcription
from adaptwin_core.rest.transcriptions import TIMED_FORMS, NewTranscription, TranscriptionOut, VerboseTranscription
from adaptwin_core.service import transcriptions
from adaptwin_core.service.bootstrap import Service
from api.deps import Running, Scope, announce, in_transaction
from api.limits import limited
from api.request_errors import RequestErrorRoute, documented
from api.transcription_form import FIELDS_BYTES, FILE_BYTES, OPENAPI_BODY, SHORTER, read_form
from api.transcription_intake import Intake

FIRST_POLL_S, LONGEST_POLL_S = 0.05, 0.4
INTAKE = Intake()


class TranscriptionRoute(RequestErrorRoute):
    def limit(self, request: Request) -> Request:
        return limited(request, FILE_BYTES + FIELDS_BYTES, SHORTER)


router = APIRouter(prefix="/v1/audio", tags=["transcriptions"], route_class=TranscriptionRoute)


@router.post(
    "/transcriptions",
    response_model=TranscriptionOut | VerboseTranscription,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
        **documented(400, 401, 404, 408, 410, 413, 415, 429, 431, 500, 503, 507),
    },
    openapi_extra={"requestBody": OPENAPI_BODY},
)
async def transcribe(request: Request, scope: Scope, service: Running) -> Response:
    """Transcribe a recording with a finished model, in the form of OpenAI's API.

    The recording and what was said are forgotten as soon as the answer is given.
    """
    with INTAKE.one_more(scope, most_of_one=service.settings.max_transcriptions):
        wanted, transcription_id = await _taken_in(service, request, scope)
    try:
        await run_in_threadpool(announce, service)
        return _answer(await _heard(service, request, scope, transcription_id), wanted)
    finally:
        await in_transaction(service, transcriptions.forget, scope, transcription_id)


async def _taken_in(service: Service, request: Request, scope: TenantScope) -> tuple[NewTranscription, str]:
    """Store the recording. Once this returns, the sound is no longer in memory."""
    max_unfinished = service.settings.max_transcriptions
    await in_transaction(service, transcriptions.require_room, scope, max_unfinished=max_unfinished)
    wanted, audio = await read_form(request)
    row = await in_transaction(
        service,
        transcriptions.request,
        scope,
        wanted.model,
        audio,
        language=wanted.language,
        prompt=wanted.prompt,
        temperature=wanted.temperature,
        times=wanted.response_format in TIMED_FORMS,
        max_unfinished=max_unfinished,
    )
    return wanted, row.id


async def _heard(service: Service, request: Request, scope: TenantScope, transcription_id: str) -> Transcription:
    """Wait until a worker has heard the recording.

    Raises:
        ResourceExhausted: none did in time.
        InvalidInput: the client has hung up, or the recording cannot be used.
    """
    wait_s = service.settings.transcription_wait_s
    deadline, pause_s = time.monotonic() + wait_s, FIRST_POLL_S
    while True:
        heard = await in_transaction(service, transcriptions.outcome, scope, transcription_id)
        if heard is not None:
            return heard
        if await request.is_disconnected():
            raise InvalidInput("the client has hung up", code="request_timeout")
        if time.monotonic() > deadline:
            raise ResourceExhausted(
                f"no worker transcribed the recording within {wait_s:g} s: all are busy, or none runs. Try again later",
                code="no_worker",
            )
        await asyncio.sleep(pause_s)
        pause_s = min(1.2 * pause_s, LONGEST_POLL_S)


def _answer(heard: Transcription, wanted: NewTranscription) -> Response:
    match wanted.response_format:
        case "text":
            return PlainTextResponse(f"{heard.text}\n")
        case "srt":
            return PlainTextResponse(subtitles.srt(heard.segments))
        case "vtt":
            return PlainTextResponse(subtitles.vtt(heard.segments))
        case "verbose_json":
            shown: TranscriptionOut = VerboseTranscription.of(heard, wanted)
        case "json":
            shown = TranscriptionOut(text=heard.text)
    return JSONResponse(shown.model_dump(mode="json", exclude_none=True))

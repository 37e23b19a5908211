"""Transcribing a recording with a finished model: asked for, waited for, and forgotten."""

from datetime import timedelta
from typing import Final, get_args

from sqlalchemy.orm import Session

from adaptwin_core.domain import languages
from adaptwin_core.domain.errors import (
    AdaptwinError,
    AudioCode,
    InvalidInput,
    LimitExceeded,
    NotFound,
    ResourceExhausted,
)
from adaptwin_core.domain.ids import new_id
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.task_keys import TranscriptionKey
from adaptwin_core.domain.transcription import Transcription as Heard
from adaptwin_core.domain.transcription import Wanted
from adaptwin_core.service import models, pipeline
from adaptwin_core.service.task_owner import ErrorDict
from adaptwin_core.store.queries import auth, owned
from adaptwin_core.store.queries import transcriptions as queries
from adaptwin_core.store.tables import Job, Transcription

KEPT_AT_MOST: Final = timedelta(hours=1)  # where the request died with its server

_OF_THE_REQUEST: Final = {*get_args(AudioCode), "invalid_input", "invalid_spec", "language_not_in_base"}
_OF_THE_MODEL: Final = {"not_found", "gone"}
_PASSING: Final = {"resource_exhausted", "poison", "deadline"}


def require_room(session: Session, scope: TenantScope, *, max_unfinished: int) -> None:
    """Check that the tenant may send another recording. Raises LimitExceeded."""
    if queries.num_unfinished(session, scope) >= max_unfinished:
        raise LimitExceeded(
            f"{max_unfinished} recordings of yours are being transcribed: wait until one is done", code="too_many"
        )


def request(
    session: Session,
    scope: TenantScope,
    model_id: str,
    audio: bytes,
    *,
    language: str | None,
    prompt: str,
    temperature: float,
    times: bool,
    max_unfinished: int,
) -> Transcription:
    """Have a recording transcribed.

    Args:
        language: as people write it; None for that which the model was made for.
        prompt, temperature, times: as in `Wanted`.

    Raises:
        InvalidSpec: Whisper has no such language.
        NotFound: no such model, or it was deleted.
        LimitExceeded: too many of the tenant's wait already.
    """
    auth.lock_tenant(session, scope)  # of requests that come at once, each counts those before it
    model = models.get(session, scope, model_id)
    require_room(session, scope, max_unfinished=max_unfinished)
    own_language = owned.get(session, scope, Job, model.job_id).members[model.place].spec.language
    code = own_language if language is None else languages.code_of(language)
    wanted = Wanted(language=code, prompt=prompt, temperature=temperature, times=times)
    row = Transcription(
        id=new_id("tr"),
        tenant_id=scope.tenant_id,
        model_id=model_id,
        wanted_json=wanted.model_dump(mode="json"),
        audio=audio,
    )
    session.add(row)
    session.flush()
    pipeline.add_task(session, Stage.TRANSCRIBE, TranscriptionKey(), transcription_id=row.id)
    return row


def outcome(session: Session, scope: TenantScope, transcription_id: str) -> Heard | None:
    """Return what was heard, or None while it is not known.

    Raises:
        InvalidInput: the recording or the wish cannot be used.
        NotFound: the model, or the request itself, is gone.
        ResourceExhausted: another try may succeed.
        AdaptwinError: it failed otherwise.
    """
    row = queries.find(session, scope, transcription_id)
    if row is None:
        raise NotFound("the request was given up: send it again")
    if row.error is not None:
        raise _as_raised(row.error)
    return row.heard


def forget(session: Session, scope: TenantScope, transcription_id: str) -> None:
    """Forget a request with its sound and its text. A worker that hears it stops at its next heartbeat."""
    queries.forget(session, scope, transcription_id)


def forget_left(session: Session) -> int:
    """Forget requests whose server died, so that nobody takes their answer; return how many. For the sweeper."""
    return queries.forget_left(session, after=KEPT_AT_MOST)


def _as_raised(error: ErrorDict) -> AdaptwinError:
    code, message = error["code"], error["message"]
    if code in _OF_THE_REQUEST:
        return InvalidInput(message, code=code)
    if code in _OF_THE_MODEL:
        return NotFound(message, code=code)
    return ResourceExhausted(message, code=code) if code in _PASSING else AdaptwinError(message, code=code)

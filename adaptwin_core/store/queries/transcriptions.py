"""Rows of transcriptions."""

from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, undefer

from adaptwin_core.domain.errors import LeaseLost
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.store.tables import Transcription


def find(session: Session, scope: TenantScope, transcription_id: str) -> Transcription | None:
    """Return a transcription without its sound, or None if it is gone."""
    return session.scalar(
        select(Transcription).where(Transcription.id == transcription_id, Transcription.tenant_id == scope.tenant_id)
    )


def with_audio(session: Session, scope: TenantScope, transcription_id: str) -> Transcription | None:
    """Return a transcription with its sound, or None if it is gone."""
    return session.scalar(
        select(Transcription)
        .where(Transcription.id == transcription_id, Transcription.tenant_id == scope.tenant_id)
        .options(undefer(Transcription.audio))
    )


def num_unfinished(session: Session, scope: TenantScope) -> int:
    """Count the transcriptions of a tenant that wait or run."""
    query = select(func.count()).select_from(Transcription).where(Transcription.tenant_id == scope.tenant_id)
    return session.scalar(query.where(Transcription.heard_json.is_(None), Transcription.error.is_(None))) or 0


def forget(session: Session, scope: TenantScope, transcription_id: str) -> None:
    """Delete a transcription with its sound, its text and its task."""
    session.execute(
        delete(Transcription).where(Transcription.id == transcription_id, Transcription.tenant_id == scope.tenant_id)
    )


def locked(session: Session, transcription_id: str) -> Transcription:
    """Return a transcription, held against other writers until the transaction ends. For its task's worker.

    Raises:
        LeaseLost: it is gone, since nobody waits for it any more.
    """
    query = select(Transcription).where(Transcription.id == transcription_id).with_for_update(key_share=True)
    row = session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise LeaseLost(f"nobody waits for transcription {transcription_id} any more")
    return row


def forget_left(session: Session, *, after: timedelta) -> int:
    """Delete those that are older than `after`, of which nobody took the answer; return how many. For the sweeper."""
    query = delete(Transcription).where(Transcription.created_at < func.now() - after).returning(Transcription.id)
    return len(session.scalars(query).all())

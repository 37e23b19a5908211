"""The uncompressed models that jobs may start from. They belong to no tenant."""

from collections.abc import Sequence
from difflib import get_close_matches

from sqlalchemy.orm import Session

from adaptwin_core.domain.errors import Conflict, NotFound
from adaptwin_core.domain.shape import ModelShape
from adaptwin_core.store.queries import base_models as queries
from adaptwin_core.store.tables import BaseModel


def register(
    session: Session,
    *,
    id: str,  # noqa: A002  # the row's own word
    source: str,
    digest: str,
    shape: ModelShape,
    languages: Sequence[str],
    licence: str | None,
) -> BaseModel:
    """Offer a base model under a short name, or replace what that name stood for.

    Args:
        languages: the codes of those that it can be asked for.

    Raises:
        Conflict: a job that has not ended started from other weights of this name.
    """
    row = queries.locked(session, id)
    if row is None:
        row = BaseModel(id=id)
        session.add(row)
    elif row.digest != digest and queries.is_in_use(session, id):
        raise Conflict(f"jobs still run on other weights named {id}: let them end, or use another name")
    row.source, row.digest, row.shape, row.licence = source, digest, shape, licence
    row.languages = list(languages)
    session.flush()
    return row


def list_base_models(session: Session) -> Sequence[BaseModel]:
    """Return all base models by name."""
    return queries.all_by_name(session)


def get(session: Session, base_model_id: str) -> BaseModel:
    """Return a base model. Raises NotFound, with the nearest name that there is."""
    row = session.get(BaseModel, base_model_id)
    if row is None:
        known = [other.id for other in queries.all_by_name(session)]
        near = get_close_matches(base_model_id.rsplit("/", 1)[-1].lower(), known, n=1)
        meant = f" Did you mean {near[0]}?" if near else ""
        raise NotFound(
            f"no base model is called {base_model_id}.{meant} GET /v1/base-models lists those that there are; "
            "whoever runs this service adds one with `adaptwin base add`"
        )
    return row

"""Removes the bytes of what was deleted, given up or has expired. Every step may be repeated: the sweeper does.

While a file of a tenant is being stored, which may take minutes, nothing of that tenant is erased, and nobody waits.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy.orm import Session

from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.states import UploadState, next_state
from adaptwin_core.service.upload_files import UploadFiles
from adaptwin_core.store.blobs import BlobRef, BlobStore, from_json
from adaptwin_core.store.database import Database
from adaptwin_core.store.queries import blobs
from adaptwin_core.store.queries import erasure as rows
from adaptwin_core.store.tables import Model

log = logging.getLogger(__name__)

BATCH = 500
MODEL_BATCH = 200  # a model or a result has several files


@dataclass(frozen=True)
class Eraser:
    """Erases from `blobs`, and from the `files` of unfinished uploads."""

    blobs: BlobStore
    files: UploadFiles

    def erase(self, database: Database) -> int:
        """Do every step once, each in its own transaction, so that none holds the locks of all.

        Returns:
            How many uploads expired, and rows, blobs and files were let go.
        """
        num_erased = 0
        for step in (self._expire_uploads, self._erase_models, self._erase_speech, self._drop_files):
            try:
                with database.transaction() as session:
                    num_erased += step(session)
            except Exception:  # what one step meets must not keep the others from being done
                log.exception("bytes wait to be erased: %s", step.__name__)
        return num_erased

    def _expire_uploads(self, session: Session) -> int:
        """Give up open uploads whose time is over."""
        late = rows.expired_uploads(session, limit=BATCH)
        for upload in late:
            upload.state = next_state(UploadState(upload.state), "abort").value
            upload.writer_token = None
        return len(late)

    def _erase_models(self, session: Session) -> int:
        """Erase deleted models, and every result that only deleted things stand on."""
        models = [
            model for model in rows.unerased_models(session, limit=MODEL_BATCH) if _is_free(session, model.tenant_id)
        ]
        results = [
            result for result in rows.dead_results(session, limit=MODEL_BATCH) if _is_free(session, result.tenant_id)
        ]
        files = [(model.tenant_id, file) for model in models for file in _files(model)]
        files += [(result.tenant_id, file) for result in results if result.tenant_id for file in result.files.values()]
        for model in models:
            model.manifest = {name: value for name, value in model.manifest.items() if name not in {"files", "exports"}}
        for result in results:
            session.delete(result)
        session.flush()
        for tenant_id, file in files:
            self._release(session, TenantScope(tenant_id), file.sha256)
        return len(models) + len(results)

    def _erase_speech(self, session: Session) -> int:
        """Erase uploads and corpora that are gone."""
        num_erased = 0
        for upload in rows.unerased_uploads(session, limit=BATCH):
            if not _is_free(session, upload.tenant_id):
                continue
            num_erased += self._release(session, TenantScope(upload.tenant_id), upload.sha256)
            upload.sha256 = None
        for dataset in rows.unerased_datasets(session, limit=BATCH):
            if not _is_free(session, dataset.tenant_id):
                continue
            for file in (dataset.files or {}).values():
                num_erased += self._release(session, TenantScope(dataset.tenant_id), file.sha256)
            dataset.files = None
        return num_erased

    def _drop_files(self, session: Session) -> int:
        """Remove files in flight that no open upload needs."""
        names = self.files.upload_ids()
        living = rows.open_ids(session, names)
        dead = [name for name in names if name not in living]
        for name in dead:
            self.files.remove(name)
        return len(dead)

    def _release(self, session: Session, scope: TenantScope, sha256: str | None) -> int:
        """Delete a blob unless something living stands on it; return how many went. `_is_free` comes first."""
        if sha256 is None:
            return 0
        if blobs.is_in_use(session, scope, sha256):
            return 0
        self.blobs.delete(sha256, scope=scope.tenant_id)
        return 1


def _is_free(session: Session, tenant_id: str | None) -> bool:
    """Have the tenant store no file until the transaction ends; False while it stores one. Nobody has no files."""
    return tenant_id is None or blobs.try_lock_exclusive(session, TenantScope(tenant_id))


def _files(model: Model) -> Iterator[BlobRef]:
    yield from from_json(model.manifest["files"]).values()
    for export in model.manifest.get("exports", {}).values():
        yield from from_json(export["files"]).values()

"""What can be downloaded of a model or an export: one of its files, or an archive of all of them."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy.orm import Session

from adaptwin_core.domain.errors import CorruptBlob, NotFound
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.service import exports, models, tar_layout
from adaptwin_core.service.pieces import Piece, check_range, num_bytes_of, read_range
from adaptwin_core.store.blobs import BlobStore, Files
from adaptwin_core.store.queries import models as queries


@dataclass(frozen=True)
class Target:
    """What a download is of. Without `form` it is the model itself; without `name` it is the archive of all files."""

    model_id: str
    form: str | None
    name: str | None


@dataclass(frozen=True)
class Download:
    """Bytes to hand out. `tag` identifies them: equal tags, equal bytes.

    `counts` says whether a model or an export is downloaded once the last byte was sent.
    """

    name: str
    tag: str
    scope: str
    pieces: tuple[Piece, ...]
    counts: bool

    @property
    def num_bytes(self) -> int:
        return num_bytes_of(self.pieces)

    def check(self, blobs: BlobStore, wanted: range) -> None:
        """Check that the bytes of a range are there. Raises CorruptBlob."""
        try:
            check_range(self.pieces, blobs, self.scope, wanted)
        except NotFound as missing:
            raise CorruptBlob(f"the bytes of {self.name} are lost: make the model again") from missing

    def read(self, blobs: BlobStore, wanted: range) -> Iterator[bytes]:
        """Yield the bytes of a range. Raises CorruptBlob."""
        return read_range(self.pieces, blobs, self.scope, wanted)


def find(session: Session, scope: TenantScope, target: Target) -> Download:
    """Return what a target names.

    Raises:
        NotFound: no such model, export or file.
        Conflict: the export is not ready, or was refused.
    """
    if target.form is None:
        files, owner = models.files(session, scope, target.model_id), f"model {target.model_id}"
    else:
        files, owner = exports.files(session, scope, target.model_id, target.form), f"export {target.form}"
    if target.name is None:
        return _archive(files, "-".join(filter(None, (target.model_id, target.form))), scope)
    if target.name not in files:
        raise NotFound(f"the {owner} has no file {target.name}; those it has are listed with it")
    blob = files[target.name]
    return Download(target.name, blob.sha256, scope.tenant_id, (blob,), counts=target.name == _largest(files))


def count(session: Session, scope: TenantScope, target: Target) -> None:
    """Note that a model or an export was downloaded."""
    queries.count_download(session, scope, target.model_id)


def _archive(files: Files, folder: str, scope: TenantScope) -> Download:
    layout = tar_layout.pieces_of(files, folder)
    return Download(f"{folder}.tar", tar_layout.tag_of(layout), scope.tenant_id, layout, counts=True)


def _largest(files: Files) -> str:
    """Return the file that makes a download of all files one at a time count once: the largest holds the weights."""
    return max(files, key=lambda name: (files[name].bytes, name))

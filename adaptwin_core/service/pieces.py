"""What is handed out as one file: bytes at hand and stored files, one after the other, of which any range is read."""

from collections.abc import Iterator, Sequence

from adaptwin_core.domain.errors import CorruptBlob, NotFound
from adaptwin_core.store.blobs import BlobRef, BlobStore

Piece = bytes | BlobRef


def num_bytes_of(pieces: Sequence[Piece]) -> int:
    """Return how many bytes the pieces have together."""
    return sum(_num_bytes(piece) for piece in pieces)


def check_range(pieces: Sequence[Piece], blobs: BlobStore, scope: str, wanted: range) -> None:
    """Check that the stored files of a range are there, and those of a beginning that they can be read.

    Raises:
        NotFound: the bytes of one are lost.
        CorruptBlob: one is not what was stored.
    """
    for piece, _ in _touched(pieces, wanted):
        if isinstance(piece, bytes):
            continue
        if wanted.start == 0:
            blobs.check(piece.sha256, scope=scope)
        elif not blobs.exists(piece.sha256, scope=scope):
            raise NotFound("no such file")


def read_range(pieces: Sequence[Piece], blobs: BlobStore, scope: str, wanted: range) -> Iterator[bytes]:
    """Yield the bytes of a range, a block of a stored file at a time.

    Raises:
        CorruptBlob: a stored file ends early. What comes after it would stand at a wrong place.
    """
    for piece, part in _touched(pieces, wanted):
        if isinstance(piece, bytes):
            yield piece[part.start : part.stop]
            continue
        left = len(part)
        for block in blobs.read(piece.sha256, scope=scope, start=part.start, length=len(part)):
            left -= len(block)
            yield block
        if left:
            raise CorruptBlob(f"stored file {piece.sha256[:12]} lacks {left} bytes")


def _touched(pieces: Sequence[Piece], wanted: range) -> Iterator[tuple[Piece, range]]:
    """Yield each piece that a range touches, with the part of the piece that it asks for."""
    begin = 0
    for piece in pieces:
        num_bytes = _num_bytes(piece)
        part = range(max(wanted.start - begin, 0), min(wanted.stop - begin, num_bytes))
        if part:
            yield piece, part
        begin += num_bytes


def _num_bytes(piece: Piece) -> int:
    return len(piece) if isinstance(piece, bytes) else piece.bytes

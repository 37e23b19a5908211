"""The layout of a tar archive of stored files, known before a byte of them is read.

A header of tar needs a name and a size only. One of zip also needs the CRC-32 of the bytes, which nobody has noted, and
would have to read all of them before it can answer a range.
"""

import tarfile

from adaptwin_core.domain.digest import digest_json
from adaptwin_core.service.pieces import Piece
from adaptwin_core.store.blobs import BlobRef, Files

END = bytes(2 * tarfile.BLOCKSIZE)


def pieces_of(files: Files, folder: str) -> tuple[Piece, ...]:
    """Return a tar archive (POSIX.1-2001) of files in one folder. The same files give the same bytes.

    Every member belongs to user 0 and has the time 0, so that nothing but names and contents matters.
    """
    pieces: list[Piece] = []
    padding = b""
    for name, blob in sorted(files.items()):
        member = tarfile.TarInfo(f"{folder}/{name}")
        member.size = blob.bytes
        header = member.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
        pieces += [padding + header, blob]
        padding = bytes(-blob.bytes % tarfile.BLOCKSIZE)
    return *pieces, padding + END


def tag_of(pieces: tuple[Piece, ...]) -> str:
    """Return what identifies these bytes, in hex: a SHA-256 over the headers and the files' own SHA-256."""
    return digest_json([[piece.sha256, piece.bytes] if isinstance(piece, BlobRef) else piece.hex() for piece in pieces])

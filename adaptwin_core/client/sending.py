"""Files on their way into a dataset. What is there already is not sent again, and what is begun goes on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from anyio import to_thread

from adaptwin_core.client import tus
from adaptwin_core.client.connection import GONE, Connection
from adaptwin_core.client.errors import DifferentFile, ServiceError
from adaptwin_core.client.folder import LeftOut, LocalFile
from adaptwin_core.client.parallel import each
from adaptwin_core.client.progress import Meter, OnProgress
from adaptwin_core.client.waiting import BREAKS
from adaptwin_core.domain.digest import digest_file
from adaptwin_core.domain.states import UploadState
from adaptwin_core.rest.datasets import DatasetOut, UploadOut

PIECE_BYTES = 4 << 20  # a proxy that keeps bodies back until they are whole loses no more than this in a break
# The offset is another one than thought: an earlier request was still being written.
GO_ON = {"offset_mismatch", "upload_taken_over", "request_timeout"}


@dataclass(frozen=True)
class Sent:
    """What a dataset holds now: the names of files that were sent, those that were there before, and what cannot be."""

    sent: tuple[str, ...]
    already_there: tuple[str, ...]
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True)
class Sender:
    """Sends files to one dataset."""

    connection: Connection
    dataset_id: str

    async def send(
        self,
        files: Sequence[LocalFile],
        left_out: Sequence[LeftOut] = (),
        *,
        num_parallel: int,
        on_progress: OnProgress | None,
    ) -> Sent:
        """Send what the dataset lacks of these files, and check that it then holds them as they are here.

        Raises:
            DifferentFile: it has other bytes under one of the names.
            ServiceError, Unreachable: sending failed; what was sent is kept, and the next call goes on from there.
        """
        meter = Meter({file.name: file.num_bytes for file in files}, on_progress)
        known = await self._known()
        there = [file for file in files if _is_complete(known.get(file.name))]
        await self._compare(there, known)
        for file in there:
            meter.at(file.name, file.num_bytes)
        lacking = [file for file in files if not _is_complete(known.get(file.name))]

        async def send_one(file: LocalFile) -> None:
            def at(offset: int) -> None:
                meter.at(file.name, offset)

            await self._send(file, known.get(file.name), at)

        await each(lacking, send_one, num_parallel)
        await self._compare(lacking, await self._known() if lacking else known)
        return Sent(tuple(file.name for file in lacking), tuple(file.name for file in there), tuple(left_out))

    async def _known(self) -> dict[str, UploadOut]:
        dataset = await self.connection.get(f"/v1/datasets/{self.dataset_id}", DatasetOut)
        return {upload.file_name: upload for upload in dataset.uploads}

    async def _compare(self, files: Sequence[LocalFile], known: Mapping[str, UploadOut]) -> None:
        for file in files:
            upload = known.get(file.name)
            if upload is None or upload.sha256 != await to_thread.run_sync(digest_file, file.path):
                where = f" Delete it first: datasets.delete_upload({upload.id!r})." if upload else ""
                raise DifferentFile(
                    f"the dataset has other bytes under the name {file.name} than {file.path}: the file changed, or it "
                    f"is another of the same name.{where}"
                )

    async def _send(self, file: LocalFile, begun: UploadOut | None, at: Callable[[int], None]) -> None:
        """Send one file, over as many connections as it takes."""
        path = tus.path_of(begun.id) if begun is not None and begun.length == file.num_bytes else None
        if begun is not None and path is None:
            await self.connection.delete(tus.path_of(begun.id), tus.VERSION)  # begun with what the file was then
        tries = self.connection.tries()
        furthest = 0
        while True:
            try:
                if path is None:
                    path, furthest = await self._begin(file), 0
                offset = await tus.offset(self.connection, path)
                while True:
                    at(offset)
                    if offset > furthest:
                        tries.moved()
                        furthest = offset
                    if offset == file.num_bytes:
                        return
                    piece = await to_thread.run_sync(_piece, file, offset)
                    offset = await tus.append(self.connection, path, offset, piece)
            except BREAKS as fault:
                await tries.wait(fault)
            except ServiceError as refusal:
                if refusal.status in GONE and path is not None:  # it expired
                    path = None
                elif refusal.code not in GO_ON:
                    raise
                await tries.wait(refusal)

    async def _begin(self, file: LocalFile) -> str:
        """Begin an upload, or find the one that a request began whose answer was lost; return its path."""
        try:
            return await tus.create(self.connection, self.dataset_id, file.name, file.num_bytes)
        except ServiceError as refusal:
            if refusal.code != "duplicate_file_name":
                raise
            found = (await self._known()).get(file.name)
            if found is None or found.length != file.num_bytes:
                raise
            return tus.path_of(found.id)


def _is_complete(upload: UploadOut | None) -> bool:
    return upload is not None and upload.state is UploadState.COMPLETE


def _piece(file: LocalFile, offset: int) -> bytes:
    """Return the next bytes to send."""
    with Path(file.path).open("rb") as opened:
        opened.seek(offset)
        piece = opened.read(min(PIECE_BYTES, file.num_bytes - offset))
    if not piece:
        raise DifferentFile(f"{file.path} became shorter while it was sent: send it again once nothing writes to it")
    return piece

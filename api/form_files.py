"""Stores the files of a form, all of them or none: each goes the way of a tus upload."""

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.service.bootstrap import Service
from adaptwin_core.service.upload_writer import Writer
from adaptwin_core.store.killpoints import killpoint
from adaptwin_core.store.tables import Upload
from api.body_stream import Segments, chunks_of
from api.deps import TenantRoute, erase_now, in_transaction
from api.file_names import checked_file_name
from api.form_parts import FileBegins, FileEnds, FormReader
from api.limits import limited

FORM_BYTES = 100 << 20
_TUS = (
    "Send larger files by tus, which also resumes a broken upload: see 'Large files' in docs/api.md, or use tuspy or "
    "tus-js-client"
)


class FormRoute(TenantRoute):
    """A route that takes a form with files."""

    def limit(self, request: Request) -> Request:
        return limited(request, FORM_BYTES, _TUS)


async def receive_files(service: Service, request: Request, scope: TenantScope, dataset_id: str) -> list[Upload]:
    """Stream the files of a form into a dataset, with one segment of memory, and return their uploads.

    Nothing is left of a form that breaks off or is refused, so it can be sent again as it is.

    Raises:
        InvalidInput, RequestValidationError: as `FormReader`; with code "request_timeout", the body broke off.
        Conflict, LimitExceeded, NotFound, ResourceExhausted: as `Uploads.create` and `Writers.write`.
    """
    writers: list[Writer] = []
    try:
        await _write_all(service, request, scope, dataset_id, writers)
        uploads = await in_transaction(service, service.writers.settle_all, scope, writers)
    except BaseException as error:  # also when the server stops, and cancels the request
        if writers:
            with anyio.CancelScope(shield=True):
                await run_in_threadpool(_give_up, service, scope, writers)
        if isinstance(error, ClientDisconnect | TimeoutError):
            raise InvalidInput(
                "the body broke off, and nothing of it is kept: send it again", code="request_timeout"
            ) from error
        raise
    killpoint("form_committed")
    for upload in uploads:
        await run_in_threadpool(service.uploads.forget_files, upload)
    return uploads


def _give_up(service: Service, scope: TenantScope, writers: list[Writer]) -> None:
    """Leave nothing of a form. In one thread: it comes to its end even if the request is cancelled once more."""
    with service.database.transaction() as session:
        service.writers.give_up(session, scope, writers)
    erase_now(service)


async def _write_all(
    service: Service, request: Request, scope: TenantScope, dataset_id: str, writers: list[Writer]
) -> None:
    """Put each file on disk. `writers` grows with them, so that the caller knows what to give up."""
    reader = FormReader(request.headers.get("content-type", ""))
    declared = request.headers.get("content-length", "")
    left_bytes = int(declared) if declared.isdecimal() else FORM_BYTES  # at most what the next file can have
    segments: Segments | None = None
    async for chunk in chunks_of(request):
        for event in reader.feed(chunk):
            if isinstance(event, FileBegins):
                writer = await in_transaction(
                    service,
                    service.writers.begin_held,
                    scope,
                    dataset_id=dataset_id,
                    file_name=checked_file_name(event.name),
                    max_bytes=min(left_bytes, service.settings.max_upload_bytes),
                )
                writers.append(writer)
                segments = Segments(service, scope, writer)
                continue
            assert segments is not None
            if isinstance(event, FileEnds):
                await segments.flush()
                await in_transaction(service, service.writers.end_here, scope, segments.writer)
            else:
                await segments.add(event)
        left_bytes -= len(chunk)
    reader.close()

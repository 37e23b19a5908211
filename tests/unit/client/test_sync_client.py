"""The client that waits is the one to await, method by method."""

import inspect
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import anyio
import pytest
from anyio.from_thread import start_blocking_portal

from adaptwin_core.client import AsyncClient, Client, Patience, Unreachable, blocking
from adaptwin_core.client.datasets import AsyncDatasets
from adaptwin_core.client.jobs import AsyncJobs
from adaptwin_core.client.loop import Loop
from adaptwin_core.client.models import AsyncExports, AsyncModels
from adaptwin_core.client.webhooks import AsyncWebhooks

PAIRS = [
    (Client, AsyncClient),
    (blocking.Datasets, AsyncDatasets),
    (blocking.Jobs, AsyncJobs),
    (blocking.Models, AsyncModels),
    (blocking.Exports, AsyncExports),
    (blocking.Webhooks, AsyncWebhooks),
]
READY = {"database": "ok", "broker": "ok", "free_disk_bytes": 1}
EVENT = {"id": 1, "created_at": "2026-01-01T00:00:00Z", "kind": "task", "message": "begun", "data": {}}


class Handler(BaseHTTPRequestHandler):
    """Ready, with a job that sends one event and then nothing more."""

    def do_GET(self) -> None:
        is_stream = self.path.endswith("/events")
        body = (f"data: {json.dumps(EVENT)}\n\n" if is_stream else json.dumps(READY)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body) + is_stream))
        self.end_headers()
        self.wfile.write(body)
        if is_stream:
            self.rfile.read(1)  # until the client goes

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's word
        pass


@pytest.fixture
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(("waits", "awaits"), PAIRS, ids=lambda kind: kind.__name__)
def test_both_have_the_same_methods_with_the_same_arguments(waits: type, awaits: type) -> None:
    def methods(kind: type) -> dict[str, list[inspect.Parameter]]:
        public = {name: method for name, method in vars(kind).items() if name[0] != "_"}
        return {name: list(inspect.signature(method).parameters.values()) for name, method in public.items()}

    assert methods(waits) == methods(awaits)


def test_it_answers_and_ends_its_thread(url: str) -> None:
    before = threading.active_count()
    with Client(url, "adtw_k") as service:
        assert service.ready().free_disk_bytes == 1
        events = service.jobs.follow("job_1")
        assert next(events).message == "begun"
        events.close()
        assert threading.active_count() > before
    assert threading.active_count() <= before + 1  # the server's own for its last connection


def test_errors_come_through_as_they_are() -> None:
    quick = Patience(num_tries=2, first_s=0.001)
    with Client("http://127.0.0.1:9", "adtw_k", patience=quick) as service, pytest.raises(Unreachable):
        service.ready()


def test_what_interrupts_the_caller_ends_the_work() -> None:
    begun, ended = threading.Event(), threading.Event()

    async def work() -> None:
        begun.set()
        try:
            await anyio.sleep(60)
        finally:
            ended.set()

    class CtrlC:
        """The portal, with a caller who presses Ctrl-C while they wait."""

        def start_task_soon(self, work: Any) -> Any:
            future = portal.start_task_soon(work)
            future.result = self.result  # type: ignore[method-assign]
            return future

        def result(self) -> None:
            begun.wait()
            raise KeyboardInterrupt

    with start_blocking_portal() as portal:
        with pytest.raises(KeyboardInterrupt):
            Loop(CtrlC()).run(work)  # type: ignore[arg-type]
        assert ended.is_set()

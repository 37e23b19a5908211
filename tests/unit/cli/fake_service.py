"""A service that answers what a test tells it to, over HTTP."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "adtw_key"
NOW = "2026-01-01T00:00:00Z"
READY = {"database": "ok", "broker": "ok", "free_disk_bytes": 5_000_000_000}


@dataclass
class FakeService:
    """`answers`: by method and path, a status and a body. `asked`: the requests, with their bodies and keys."""

    url: str = ""
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    asked: list[tuple[str, Any]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)

    def on(self, request: str, body: Any, status: int = 200) -> None:
        """Answer a request, such as `GET /v1/jobs`."""
        self.answers[request] = status, body

    def refuse(self, request: str, status: int, code: str, detail: str, **more: Any) -> None:
        problem = {"type": "urn", "title": "No", "status": status, "code": code, "detail": detail}
        self.on(request, problem | more, status)

    def bodies(self, request: str) -> list[Any]:
        """Return the bodies that came with a request."""
        return [body for name, body in self.asked if name == request]


@contextmanager
def fake_service() -> Iterator[FakeService]:
    service = FakeService()
    service.on("GET /v1/health/ready", READY)

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            request = f"{self.command} {self.path.partition('?')[0]}"
            service.asked.append((request, json.loads(body) if body else None))
            if not self.path.startswith("/v1/health"):
                service.keys.add((self.headers["Authorization"] or "").removeprefix("Bearer "))
            nowhere = 404, {"type": "urn", "title": "No", "status": 404, "code": "not_found", "detail": f"no {request}"}
            status, found = service.answers.get(request, nowhere)
            content = b"" if found is None else json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_POST = do_DELETE = do_HEAD = answer

        def log_message(self, *_: Any) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()


def page(*items: Any) -> dict[str, Any]:
    return {"items": list(items), "has_more": False}


def dataset(id_: str = "ds_1", name: str = "Ada", state: str = "ready", **more: Any) -> dict[str, Any]:
    of = {"id": id_, "name": name, "state": state, "created_at": NOW}
    return of | {"digest": None, "report": None, "error": None, "uploads": []} | more


def job(id_: str = "job_1", state: str = "succeeded", **more: Any) -> dict[str, Any]:
    times = {"created_at": NOW, "started_at": NOW, "finished_at": None}
    of = {"dataset_id": "ds_1", "general_dataset_id": None, "base_models": ["tiny"], "name": None}
    none = {"stage": None, "error": None, "model_id": None, "verdict": None, "choice": None, "accept_little": False}
    return {"id": id_, "state": state, "models": [], "stages": []} | times | of | none | more


def model(id_: str = "mdl_1", job_id: str = "job_1", **more: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "job_id": job_id,
        "created_at": NOW,
        "num_downloads": 0,
        "manifest": {"files": {}},
    } | more

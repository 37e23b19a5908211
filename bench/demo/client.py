"""The service's REST interface as a client sees it: nothing here knows more than the OpenAPI page says."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError

from bench.demo.settings import UPLOAD_CHUNK_BYTES

JSON = dict[str, Any]
NUM_TRIES = 5
RETRY_S = 1.0
TIMEOUT_S = 60.0
DOWNLOAD_CHUNK_BYTES = 1 << 20


class ServiceError(Exception):
    """The service said no, or nothing; the text says what to do."""


class Service:
    """One server and key."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self.headers = {"Authorization": f"Bearer {key}"}
        self._http = httpx.Client(base_url=url, headers=self.headers, timeout=TIMEOUT_S)

    def call(self, method: str, path: str, *, body: JSON | None = None, headers: dict[str, str] | None = None) -> JSON:
        """Send one request and return its JSON; the service's problem document becomes the error's text."""
        for attempt in range(NUM_TRIES):
            try:
                answer = self._http.request(method, path, json=body, headers=headers)
            except httpx.TransportError as fault:
                if attempt == NUM_TRIES - 1 or method == "POST":
                    raise ServiceError(f"{self.url} does not answer ({fault})") from fault
                time.sleep(RETRY_S)
                continue
            if answer.is_success:
                return dict(answer.json())
            problem = answer.json() if "json" in answer.headers.get("content-type", "") else {"detail": answer.text}
            raise ServiceError(f"{method} {path}: {problem.get('code', answer.status_code)}: {problem.get('detail')}")
        raise AssertionError

    def upload(
        self, dataset_id: str, path: Path, on_bytes: Callable[[int], None], on_cut: Callable[[int], None]
    ) -> None:
        """Upload a file by tus. Half-way the client gives up on purpose: a new one asks where to go on.

        Args:
            on_bytes: called with the offset that the server has confirmed.
            on_cut: called once, with the offset that the second client was told.
        """
        metadata = {"dataset": dataset_id, "filename": path.name}
        first = self._uploader(file_path=str(path), metadata=metadata)
        half = first.get_file_size() // 2
        while first.offset < half:
            first.upload_chunk()
            on_bytes(first.offset)
        second = self._uploader(file_path=str(path), url=first.url)
        on_cut(second.offset)
        while second.offset < second.get_file_size():
            second.upload_chunk()
            on_bytes(second.offset)

    def _uploader(self, **arguments: Any) -> Any:
        client = TusClient(f"{self.url}/v1/uploads", headers=self.headers)
        settings = {"chunk_size": UPLOAD_CHUNK_BYTES, "retries": NUM_TRIES, "retry_delay": RETRY_S, **arguments}
        try:
            return client.uploader(**settings)
        except TusCommunicationError as fault:
            raise ServiceError(f"the upload was refused: {fault}") from fault

    def clips(self, dataset_id: str) -> list[JSON]:
        """Return every clip that a dataset was cut into."""
        found: list[JSON] = []
        while True:
            after = f"&after={found[-1]['id']}" if found else ""
            page = self.call("GET", f"/v1/datasets/{dataset_id}/clips?limit=200{after}")
            found += page["items"]
            if not page["has_more"]:
                return found

    def events(self, job_id: str) -> Iterator[JSON]:
        """Yield a job's events as they happen until it ends, over as many connections as it takes."""
        last_id = 0
        while True:
            headers = {"Accept": "text/event-stream", "Last-Event-ID": str(last_id)}
            try:
                with self._http.stream("GET", f"/v1/jobs/{job_id}/events", headers=headers) as stream:
                    stream.raise_for_status()
                    for line in stream.iter_lines():
                        if line.startswith("data:"):
                            event = json.loads(line.removeprefix("data:"))
                            last_id = event["id"]
                            yield event
            except httpx.TransportError:
                time.sleep(RETRY_S)
            else:
                return

    def download(self, model_id: str, name: str, sha256: str, target: Path, on_bytes: Callable[[int], None]) -> None:
        """Download one file, going on where a broken connection left off, and check it against the manifest.

        Raises:
            ServiceError: the bytes are not those that the manifest names.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(target.name + ".part")
        part.unlink(missing_ok=True)
        for attempt in range(NUM_TRIES):
            start = part.stat().st_size if part.exists() else 0
            headers = {"Range": f"bytes={start}-", "If-Range": f'"{sha256}"'} if start else {}
            try:
                with self._http.stream("GET", f"/v1/models/{model_id}/files/{name}", headers=headers) as stream:
                    stream.raise_for_status()
                    with part.open("ab" if stream.status_code == httpx.codes.PARTIAL_CONTENT else "wb") as file:
                        for chunk in stream.iter_bytes(DOWNLOAD_CHUNK_BYTES):
                            file.write(chunk)
                            on_bytes(len(chunk))
                break
            except httpx.TransportError as fault:
                if attempt == NUM_TRIES - 1:
                    raise ServiceError(f"the download of {name} keeps breaking off: {fault}") from fault
                time.sleep(RETRY_S)
        found = hashlib.sha256(part.read_bytes()).hexdigest()
        if found != sha256:
            raise ServiceError(f"{name} has SHA-256 {found}, but the manifest says {sha256}: download it again")
        part.replace(target)

"""Who may do what: every route of the OpenAPI document, by its owner, a stranger, a revoked key and nobody."""

import socket
from pathlib import Path
from typing import Any

import httpx
import pytest

from adaptwin_core.service import auth
from api.main import make_app
from tests.integration import world
from tests.integration.api_world import EXPORT, FILE_NAME, WEBHOOK_URL, Things, add_things
from tests.integration.conftest import ApiProcess, Principal, make_principal
from tests.integration.tus_client import BYTES, TUS, metadata
from tests.service_under_test import idle_service, unit_of_work

OPEN_TO_ALL = {("GET", "/v1/health/live"), ("GET", "/v1/health/ready")}
# They wait for a worker, and their errors have another form: see test_transcriptions.py.
APART = {("POST", "/v1/audio/transcriptions")}
NOBODYS = {"/v1/base-models", "/v1/export-formats"}  # shown alike to all who hold a key
NOBODY = "00000000000000000000000000"

OPERATIONS = sorted(
    (method.upper(), path)
    for path, methods in make_app(idle_service()).openapi()["paths"].items()
    for method in methods
)


# What must have been done to a job before these can be.
BEFORE = {"resume": ("pause",), "retry": ("cancel",)}


def _request(method: str, path: str, things: Things) -> dict[str, Any]:
    """Return a request of this operation that its owner may make."""
    dataset_id = things.open_dataset_id
    if path.endswith("/seal"):
        dataset_id = things.full_dataset_id
    elif path.endswith("/clips"):
        dataset_id = things.ready_dataset_id
    url = path.format(
        upload_id=things.upload_id,
        dataset_id=dataset_id,
        job_id=things.job_id,
        model_id=things.model_id,
        form=EXPORT,
        name=FILE_NAME,
        webhook_id=things.webhook_id,
        delivery_id=things.delivery_id,
    )
    request: dict[str, Any] = {"method": method, "url": url, "headers": {}}
    if path.startswith("/v1/uploads"):
        request["headers"] = dict(BYTES if method == "PATCH" else TUS)
    match method, path:
        case "POST", "/v1/uploads":
            named = metadata(dataset=things.open_dataset_id, filename="new.wav")
            request["headers"] |= {"Upload-Length": "3", "Upload-Metadata": named}
        case "POST", "/v1/webhooks":
            request["json"] = {"url": WEBHOOK_URL}
        case "PATCH", "/v1/webhooks/{webhook_id}":
            request["json"] = {"is_enabled": False}
        case "PATCH", _:
            request["headers"]["Upload-Offset"] = "0"
            request["content"] = b"abc"
        case "POST", "/v1/datasets/{dataset_id}/files":
            request["files"] = {"file": ("new.wav", b"abc")}
        case "POST", "/v1/datasets":
            request["json"] = {"name": "new"}
        case "POST", "/v1/jobs" | "/v1/estimates":
            request["json"] = {"dataset_id": things.ready_dataset_id, "base_model": world.BASE_ID}
        case "POST", "/v1/models/{model_id}/exports":
            request["json"] = {"format": "ct2-int8"}
        case "POST", "/v1/models/{model_id}/links":
            request["json"] = {"export": EXPORT, "file": FILE_NAME}
    return request


def _of_nobody(request: dict[str, Any], things: Things) -> dict[str, Any]:
    """Return the same request for things that never were."""
    text = request["url"]
    body = dict(request.get("json", {}))
    for thing in vars(things).values():
        never = thing.split("_")[0] + "_" + NOBODY
        text = text.replace(thing, never)
        body = {key: never if value == thing else value for key, value in body.items()}
    headers = dict(request["headers"])
    if "Upload-Metadata" in headers:
        headers["Upload-Metadata"] = metadata(dataset=f"ds_{NOBODY}", filename="new.wav")
    return {**request, "url": text, "headers": headers, **({"json": body} if body else {})}


def _without_ids(answer: httpx.Response, things: Things) -> str:
    text = answer.text
    for thing in vars(things).values():
        text = text.replace(thing, "ID").replace(thing.split("_")[0] + "_" + NOBODY, "ID")
    return text


def test_the_document_lists_every_route_served():
    assert len(OPERATIONS) >= 24
    assert set(OPERATIONS) >= OPEN_TO_ALL | APART


@pytest.mark.parametrize("operation", [op for op in OPERATIONS if op not in OPEN_TO_ALL | APART], ids=" ".join)
def test_only_the_owner_gets_in(
    operation: tuple[str, str], api: ApiProcess, owner: Principal, stranger: Principal, tmp_path: Path
):
    method, path = operation
    things = add_things(owner, tmp_path)
    request = _request(method, path, things)
    revoked = make_principal(api, "revoked")
    with unit_of_work() as session:
        auth.revoke_key(session, revoked.scope, "_".join(revoked.token.split("_")[1:3]))
    for answer in (revoked.client.request(**request), httpx.request(**request | {"url": api.url + request["url"]})):
        assert answer.status_code == 401
        if method != "HEAD":
            assert answer.json()["code"] == "unauthorized"
    for needed in BEFORE.get(path.rsplit("/", 1)[1], ()):
        assert owner.client.post(f"/v1/jobs/{things.job_id}/{needed}").is_success
    refused = stranger.client.request(**request)
    names_a_thing = "{" in path or (method, path) in {("POST", "/v1/jobs"), ("POST", "/v1/uploads")}
    if names_a_thing:
        never = stranger.client.request(**_of_nobody(request, things))
        assert (refused.status_code, never.status_code) == (404, 404)
        assert _without_ids(refused, things) == _without_ids(never, things)
    elif path == "/v1/estimates":  # what is wrong with a job is its answer
        never = stranger.client.request(**_of_nobody(request, things))
        assert [problem["code"] for problem in refused.json()["problems"]] == ["not_found"]
        assert _without_ids(refused, things) == _without_ids(never, things)
    elif method == "GET" and path not in NOBODYS:
        assert refused.json() == {"items": [], "has_more": False}
    granted = owner.client.request(**request)  # the control: the same request is a good one
    assert granted.status_code in {200, 201, 202, 204}, granted.text


def test_the_key_is_checked_before_the_body_is_read(api: ApiProcess):
    for line in ("PATCH /v1/uploads/up_00000000000000000000000000", "POST /v1/datasets", "POST /v1/nowhere"):
        with socket.create_connection(("127.0.0.1", api.port), timeout=10) as raw:
            raw.sendall(f"{line} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n".encode())
            status = raw.recv(4096).split()[1]  # not one byte of the body was sent
            assert status == (b"404" if "nowhere" in line else b"401")


def test_health_is_open(api: ApiProcess):
    ready = httpx.get(f"{api.url}/v1/health/ready")
    assert ready.status_code == 200
    assert (ready.json()["database"], ready.json()["broker"]) == ("ok", "ok")


def test_an_unknown_query_parameter_is_refused_by_every_route(owner: Principal, tmp_path: Path):
    things = add_things(owner, tmp_path)
    for method, path in OPERATIONS:
        if method == "HEAD" or (method, path) in APART:
            continue
        request = _request(method, path, things)
        answer = owner.client.request(**request | {"params": {"limitt": "3"}})
        assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed"), (method, path)
        [error] = answer.json()["errors"]
        assert error["location"] == "query.limitt"
        assert error["message"].startswith("unknown parameter limitt: ")


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/v1/jobs?limitt=3", "unknown parameter limitt: did you mean limit?"),
        ("/v1/datasets?cursor=3", "unknown parameter cursor: only after, limit and state may be given here"),
        ("/v1/datasets?limit=3&limit=4", "is given more than once"),
        (
            "/v1/jobs?state=done",
            "must be 'queued', 'running', 'paused', 'succeeded', 'failed' or 'cancelled', not 'done'",
        ),
        ("/v1/datasets?state=deleted", "must be 'open', 'probing', 'ready' or 'failed', not 'deleted'"),
        ("/v1/base-models?limit=3", "unknown parameter limit: none may be given here"),
        ("/v1/health/live?verbose=1", "unknown parameter verbose: none may be given here"),
    ],
)
def test_a_query_parameter_that_would_go_unused_is_answered_with_what_may_be_given(
    owner: Principal, path: str, told: str
):
    assert owner.client.get(path).json()["errors"][0]["message"] == told

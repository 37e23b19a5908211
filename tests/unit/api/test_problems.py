"""Every error is a problem document, and no error tells what is inside."""

import inspect

import pytest
from fastapi.testclient import TestClient

from adaptwin_core.domain import errors
from api import problems
from api.limits import HEADER_BYTES, JSON_BODY_BYTES, SECURITY_HEADERS
from api.main import make_app
from tests.service_under_test import idle_service

NO_DATABASE = "postgresql+psycopg://nobody:hidden@127.0.0.1:1/none"


@pytest.fixture
def client() -> TestClient:
    """An API whose database does not answer."""
    app = make_app(idle_service(database_url=NO_DATABASE))

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("the password is hunter2")

    return TestClient(app)


def test_every_domain_error_has_a_status():
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.AdaptwinError)]
    assert len(kinds) > 10
    for kind in kinds:
        assert 400 <= problems.from_error(kind("what is wrong")).status_code <= 599


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.NotFound("x"), 404),
        (errors.NotFound("x", code="gone"), 410),
        (errors.Conflict("x"), 409),
        (errors.InvalidSpec("x"), 422),
        (errors.InvalidInput("x"), 400),
        (errors.InvalidInput("x", code="checksum_mismatch"), 460),
        (errors.LimitExceeded("x"), 429),
        (errors.LimitExceeded("x", code="quota_exceeded"), 413),
        (errors.ResourceExhausted("x"), 507),
        (errors.Unauthorized("x"), 401),
    ],
)
def test_an_error_has_the_status_of_its_kind(error: errors.AdaptwinError, status: int):
    assert problems.from_error(error).status_code == status


def _is_problem(answer, status: int, code: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = problems.Problem.model_validate(answer.json())
    assert (told.status, told.code, told.type) == (status, code, f"urn:adaptwin:problem:{code}")
    for name, value in SECURITY_HEADERS.items():
        assert answer.headers[name] == value


def test_unknown_routes_and_methods(client: TestClient):
    _is_problem(client.get("/v1/nowhere"), 404, "not_found")
    _is_problem(client.put("/v1/datasets"), 405, "method_not_allowed")


def test_the_unforeseen_says_nothing(client: TestClient):
    answer = client.get("/broken")
    _is_problem(answer, 500, "internal")
    assert "hunter2" not in answer.text


def test_a_database_that_is_away(client: TestClient):
    token = "adtw_key_" + "0" * 26 + "_" + "A" * 43
    for answer in (
        client.get("/v1/jobs", headers={"Authorization": f"Bearer {token}"}),
        client.get("/v1/health/ready"),
    ):
        _is_problem(answer, 503, "unavailable")
        assert int(answer.headers["retry-after"]) > 0
        assert "hidden" not in answer.text
    assert client.get("/v1/health/live").status_code == 200


def test_headers_are_capped(client: TestClient):
    _is_problem(client.get("/v1/jobs", headers={"X-Long": "x" * HEADER_BYTES}), 431, "headers_too_large")


def test_bodies_are_capped(client: TestClient, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("api.deps._authenticate", lambda service, token: None)
    body = b'{"name": "' + b"x" * JSON_BODY_BYTES + b'"}'
    headers = {"Content-Type": "application/json"}
    _is_problem(client.post("/v1/datasets", content=body, headers=headers), 413, "body_too_large")
    chunks = (body[i : i + 4096] for i in range(0, len(body), 4096))
    _is_problem(client.post("/v1/datasets", content=chunks, headers=headers), 413, "body_too_large")


def test_what_is_no_json_is_refused(client: TestClient, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("api.deps._authenticate", lambda service, token: None)
    headers = {"Content-Type": "application/json"}
    _is_problem(client.post("/v1/datasets", content=b"{", headers=headers), 422, "validation_failed")
    _is_problem(client.post("/v1/datasets", content=b"\xff\xfe", headers=headers), 422, "validation_failed")
    _is_problem(client.post("/v1/datasets", content=b"[" * 100_000, headers=headers), 400, "invalid_input")
    _is_problem(client.post("/v1/datasets", data={"name": "form"}), 422, "validation_failed")


def test_the_docs_need_no_other_site(client: TestClient):
    page = client.get("/docs")
    assert page.status_code == 200
    assert "//" not in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]
    for path in ("/docs/assets/swagger-ui.css", "/docs/assets/swagger-ui-bundle.js", "/docs/start.js", "/openapi.json"):
        assert client.get(path).status_code == 200


def test_an_address_that_no_route_answers_says_where_they_are_listed(client: TestClient):
    for method, path in (("GET", "/v1/job"), ("PUT", "/v1/jobs")):
        assert "/docs lists" in client.request(method, path).json()["detail"]

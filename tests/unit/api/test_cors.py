"""Pages of other sites may use the API only where the operator names them."""

import pytest
from fastapi.testclient import TestClient
from pydantic import ValidationError

from adaptwin_core.domain.origins import parse_origins
from adaptwin_core.store.settings import Settings
from api.limits import HEADER_BYTES, SECURITY_HEADERS
from api.main import make_app
from tests.service_under_test import SECRET_KEY, idle_service

APP = "https://app.example.com"
LOCAL = "http://localhost:5173"
UPLOAD = "/v1/uploads/up_00000000000000000000000000"


def client(origins: str) -> TestClient:
    return TestClient(
        make_app(idle_service(cors_origins=origins, database_url="postgresql+psycopg://127.0.0.1:1/none"))
    )


def preflight(origin: str, method: str, headers: str) -> dict[str, str]:
    return {"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}


def cors_headers(answer) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


def test_without_origins_no_answer_has_a_header_of_cors():
    off = client("")
    asked = {"Origin": APP}
    assert not cors_headers(off.get("/v1/health/live", headers=asked))
    assert not cors_headers(off.get("/v1/jobs", headers=asked))
    assert not cors_headers(off.options(UPLOAD, headers=preflight(APP, "PATCH", "tus-resumable")))


def test_only_the_named_origins_are_answered():
    on = client(f"{APP}, {LOCAL}")
    for origin in (APP, LOCAL):
        answer = on.get("/v1/health/live", headers={"Origin": origin})
        assert answer.headers["access-control-allow-origin"] == origin
        assert answer.headers["vary"] == "Origin"
    for origin in ("https://example.com", "http://app.example.com", f"{APP}.evil.com", f"{APP}:8443", "null"):
        answer = on.get("/v1/health/live", headers={"Origin": origin})
        assert "access-control-allow-origin" not in answer.headers
        refused = on.options(UPLOAD, headers=preflight(origin, "PATCH", "tus-resumable"))
        assert refused.status_code == 400
        assert "access-control-allow-origin" not in refused.headers


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("POST", "/v1/uploads", "authorization, tus-resumable, upload-length, upload-metadata, upload-concat"),
        ("PATCH", UPLOAD, "authorization, tus-resumable, upload-offset, upload-checksum, content-type"),
        ("HEAD", UPLOAD, "authorization, tus-resumable, x-request-id"),
        ("DELETE", UPLOAD, "authorization, tus-resumable, x-http-method-override"),
        ("POST", "/v1/jobs", "authorization, idempotency-key, content-type"),
        ("GET", "/v1/jobs/job_00000000000000000000000000/events", "authorization, last-event-id"),
        ("GET", "/v1/models/mdl_00000000000000000000000000/files/a", "authorization, if-none-match, if-range, range"),
    ],
)
def test_a_browser_may_send_what_a_client_needs(method: str, path: str, headers: str):
    answer = client(APP).options(path, headers=preflight(APP, method, headers))
    assert answer.status_code == 200, answer.text
    assert method in answer.headers["access-control-allow-methods"].split(", ")
    allowed = answer.headers["access-control-allow-headers"].lower().split(", ")
    assert set(headers.split(", ")) <= set(allowed)
    assert "access-control-allow-credentials" not in answer.headers
    for name, value in SECURITY_HEADERS.items():
        assert answer.headers[name] == value


def test_what_no_client_needs_is_refused():
    on = client(APP)
    assert on.options("/v1/jobs", headers=preflight(APP, "PUT", "authorization")).status_code == 400
    assert on.options("/v1/jobs", headers=preflight(APP, "POST", "x-api-key")).status_code == 400


def test_a_script_may_read_the_headers_of_tus_and_of_files():
    told = client(APP).get("/v1/health/live", headers={"Origin": APP}).headers["access-control-expose-headers"]
    assert {"Location", "Upload-Offset", "Upload-Expires", "Tus-Extension", "ETag", "Retry-After"} <= set(
        told.split(", ")
    )


def test_an_error_can_be_read_too():
    for answer in (
        client(APP).get("/v1/nowhere", headers={"Origin": APP}),
        client(APP).get("/v1/jobs", headers={"Origin": APP, "Authorization": "Bearer x"}),
    ):
        assert answer.status_code >= 400
        assert answer.headers["access-control-allow-origin"] == APP
    assert client(APP).get("/v1/jobs", headers={"X-Long": "x" * HEADER_BYTES}).status_code == 431


def test_any_origin_means_no_cookies():
    answer = client("*").get("/v1/health/live", headers={"Origin": APP, "Cookie": "a=b"})
    assert "access-control-allow-credentials" not in answer.headers
    assert answer.headers["access-control-allow-origin"] in {"*", APP}


@pytest.mark.parametrize(
    ("text", "origins"),
    [
        ("", ()),
        (" , ", ()),
        ("*", ("*",)),
        (f"{APP},{LOCAL} ", (APP, LOCAL)),
        ("http://127.0.0.1:8080", ("http://127.0.0.1:8080",)),
        ("http://[::1]:8080", ("http://[::1]:8080",)),
    ],
)
def test_origins_are_read(text: str, origins: tuple[str, ...]):
    assert parse_origins(text) == origins


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"*,{APP}", "give it alone"),
        ("app.example.com", "is no origin"),
        ("ftp://app.example.com", "is no origin"),
        ("https://", "is no origin"),
        ("https://a b", "is no origin"),
        ("https://*.example.com", "is no origin"),
        ("null", "is no origin"),
        ("https://a:port", "is no origin"),
        ("https://[::1", "is no origin"),
        (f"{APP}/", f"write {APP}"),
        (f"{APP}/page?x#y", f"write {APP}"),
        ("https://me@app.example.com", f"write {APP}"),
        ("HTTPS://App.Example.com", f"write {APP}"),
        ("https://app.example.com:443", f"write {APP}"),
        ("http://localhost:05173", "write http://localhost:5173"),
    ],
)
def test_what_is_no_origin_is_refused(text: str, told: str):
    with pytest.raises(ValueError, match=r"origin|browser") as refused:
        parse_origins(text)
    assert told in str(refused.value)


def test_the_environment_names_them(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ADAPTWIN_SECRET_KEY", SECRET_KEY)
    assert Settings().cors_origins == ()
    monkeypatch.setenv("ADAPTWIN_CORS_ORIGINS", f"{APP},{LOCAL}")
    assert Settings().cors_origins == (APP, LOCAL)
    monkeypatch.setenv("ADAPTWIN_CORS_ORIGINS", f"{APP}/")
    with pytest.raises(ValidationError, match="write https://app"):
        Settings()

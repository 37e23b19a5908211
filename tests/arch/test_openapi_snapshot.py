"""docs/openapi.json is the API. After a change that is meant: `python -m tests.arch.test_openapi_snapshot`."""

import json
from pathlib import Path

from api.main import make_app
from tests.service_under_test import idle_service

SNAPSHOT = Path(__file__).parents[2] / "docs" / "openapi.json"


def current() -> str:
    return json.dumps(make_app(idle_service()).openapi(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def test_the_snapshot_is_current():
    assert SNAPSHOT.read_text() == current(), "the API changed: run `python -m tests.arch.test_openapi_snapshot`"


OPENAI_FORM = "/v1/audio/transcriptions"  # whose clients know errors in that form alone


def test_every_error_is_documented_as_a_problem():
    for path, methods in make_app(idle_service()).openapi()["paths"].items():
        for method, operation in methods.items():
            for status, response in operation["responses"].items():
                if int(status) >= 400 and path == OPENAI_FORM:
                    [(media_type, content)] = response["content"].items()
                    assert media_type == "application/json"
                    assert content["schema"] == {"$ref": "#/components/schemas/RequestError"}
                elif int(status) >= 400:
                    assert list(response["content"]) == ["application/problem+json"], (method, path, status)


if __name__ == "__main__":
    SNAPSHOT.write_text(current())

"""The examples of the OpenAPI page are real: each is valid, and every request that takes JSON has one."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from pydantic import TypeAdapter

from adaptwin_core.rest.jobs import NewJob
from api.examples import EXAMPLES
from api.main import make_app
from tests.service_under_test import idle_service

DOCUMENT = make_app(idle_service()).openapi()
BODIES = [
    (f"{method.upper()} {path}", side, content)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
    for side, body in [("request", operation.get("requestBody", {})), *operation["responses"].items()]
    for media_type, content in body.get("content", {}).items()
    if media_type == "application/json" and "$ref" in content.get("schema", {})
]
SHOWN = [
    pytest.param(content["schema"], example["value"], id=f"{where} {side} {title}")
    for where, side, content in BODIES
    for title, example in content.get("examples", {}).items()
]


def faults(schema: dict[str, Any], value: object) -> list[str]:
    """Return what is wrong with a value by its schema, also names that the schema does not have."""
    components = {"components": DOCUMENT["components"]}
    found = Draft202012Validator(schema | components, format_checker=FormatChecker()).iter_errors(value)
    return [f"{error.json_path}: {error.message}" for error in found]


@pytest.mark.parametrize(("schema", "value"), SHOWN)
def test_an_example_is_valid_by_its_schema(schema: dict[str, Any], value: object) -> None:
    assert faults(schema, value) == []


def test_a_wrong_example_is_noticed() -> None:
    schema = {"$ref": "#/components/schemas/NewJob"}
    good = next(iter(EXAMPLES["NewJob"].values()))
    assert faults(schema, good) == []
    assert faults(schema, good | {"base_model": "two words"})
    assert faults(schema, good | {"basemodel": "x"})
    assert faults(schema, {"spec": {}})


def test_every_request_that_takes_json_has_an_example() -> None:
    assert [where for where, side, content in BODIES if side == "request" and "examples" not in content] == []


def test_every_example_is_shown() -> None:
    names = {content["schema"]["$ref"].rpartition("/")[2] for _, _, content in BODIES}
    assert set(EXAMPLES) <= names


def test_an_answer_shows_no_name_that_it_does_not_have() -> None:
    for name, examples in EXAMPLES.items():
        known = DOCUMENT["components"]["schemas"][name]["properties"]
        for value in examples.values():
            assert set(value) <= set(known), name


def test_the_jobs_of_the_examples_would_be_accepted() -> None:
    for value in EXAMPLES["NewJob"].values():
        job = TypeAdapter(NewJob).validate_python(value)
        assert job.members

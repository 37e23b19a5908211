"""The examples of the OpenAPI page are real: each is valid, and every body in JSON has one."""

import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from pydantic import TypeAdapter, ValidationError

from adaptwin_core.domain.refusals import sentence
from adaptwin_core.rest.jobs import NewJob
from api.examples import EXAMPLES
from api.main import make_app
from api.problem_examples import PROBLEMS as PROBLEM_OF
from api.problems import MEDIA_TYPE
from tests.arch.pages import ROOT
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
PROBLEMS = [
    (int(status), answer["content"][MEDIA_TYPE])
    for methods in DOCUMENT["paths"].values()
    for operation in methods.values()
    for status, answer in operation["responses"].items()
    if MEDIA_TYPE in answer.get("content", {})
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


def test_every_answer_in_json_has_an_example() -> None:
    assert [(where, side) for where, side, content in BODIES if "examples" not in content] == []


def test_no_answer_claims_json_of_no_schema() -> None:
    answers = (
        (path, body.get("content", {}).get("application/json"))
        for path, methods in DOCUMENT["paths"].items()
        for operation in methods.values()
        for body in operation["responses"].values()
    )
    assert [path for path, content in answers if content is not None and not content["schema"]] == []


def test_every_problem_has_an_example_that_such_an_answer_may_hold() -> None:
    page = (ROOT / "docs" / "api.md").read_text()
    for status, content in PROBLEMS:
        name = content["examples"]["problem"]["$ref"].rpartition("/")[2]
        value = DOCUMENT["components"]["examples"][name]["value"]
        assert faults(content["schema"], value) == []
        assert value["status"] == status
        row = next(line for line in page.splitlines() if re.match(rf"\| [\d, ]*{status}\b", line))
        assert f"`{value['code']}`" in row


def test_the_refused_value_of_the_examples_is_refused_so() -> None:
    [told] = PROBLEM_OF[422]["errors"]
    with pytest.raises(ValidationError) as refused:
        NewJob.model_validate(EXAMPLES["NewJob"]["A share of the encoder"] | {"spec": {"encoder_cut": 35}})
    [error] = refused.value.errors()
    assert told["location"] == ".".join(map(str, ("body", *error["loc"])))
    assert (told["code"], told["message"]) == (error["type"], sentence(error))


def test_events_are_shown_as_they_are_streamed() -> None:
    answer = DOCUMENT["paths"]["/v1/jobs/{job_id}/events"]["get"]["responses"]["200"]["content"]
    kind, data, number, *_ = answer["text/event-stream"]["examples"]["An event"]["value"].splitlines()
    assert (kind, number) == ("event: task", "id: 4711")
    (shown,) = EXAMPLES["Page_EventOut_"]["The last page"]["items"]
    assert json.loads(data.removeprefix("data: ")) == shown


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

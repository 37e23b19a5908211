"""Turns validation errors into sentences. For a name that is not known, they give the nearest one that is."""

import re
from collections.abc import Collection, Iterable
from difflib import get_close_matches
from typing import Any, ClassVar, Final, Self

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

UNKNOWN: Final = "extra_forbidden"
MAX_NAMES_SHOWN = 8
MAX_VALUE_CHARS = 40
MIN_BEGUN_CHARS = 3  # shorter ones would match too many names
_SHOULD = re.compile(r"^\w+ should ")  # how pydantic begins: "Input should be …"
_PARSING = re.compile(r", unable to parse string as an? \w+")
_NOT_AN_OBJECT = {"dict_type", "model_attributes_type", "model_type"}


class Named(BaseModel):
    """A model that refuses names that it does not know, with the nearest that it does."""

    model_config = ConfigDict(extra="forbid")
    kind: ClassVar[str] = "field"  # what a person calls one of its names

    @model_validator(mode="wrap")
    @classmethod
    def _name_the_nearest(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(data)
        except ValidationError as fault:
            found = fault.errors(include_url=False)
            if not any(_is_unknown(error) for error in found):
                raise
            explained = [_explained(error, cls.kind, cls.model_fields) for error in found]
            raise ValidationError.from_exception_data(fault.title, explained) from None


def unknown_name(kind: str, name: str, known: Collection[str]) -> str:
    """Return the sentence that refuses a name that is not known.

    Args:
        kind: what such a name is called: setting, field, parameter.
    """
    near = _begun(name.lower(), known) or get_close_matches(name.lower(), known, n=1)
    if near:
        return f"unknown {kind} {name}: did you mean {' or '.join(near)}?"
    if not known:
        return f"unknown {kind} {name}: none may be given here"
    if len(known) <= MAX_NAMES_SHOWN:
        return f"unknown {kind} {name}: only {_listed(list(known))} may be given here"
    return f"unknown {kind} {name}: the documentation lists those that there are"


def sentence(error: ErrorDetails) -> str:
    """Return what is wrong with one value, as a sentence that follows the value's name."""
    message = error["msg"]
    if error["type"] == "missing":
        return "must be given"
    if error["type"] == "value_error":
        return message.removeprefix("Value error, ")
    if error["type"] in _NOT_AN_OBJECT:
        return "must be a JSON object"
    if error["type"] == "string_pattern_mismatch":
        return _with_value("does not have the form that it must have", ":", error["input"])
    if not _SHOULD.match(message):
        return message
    return _with_value(_PARSING.sub("", _SHOULD.sub("must ", message)), ", not", error["input"])


def sentences(errors: Iterable[ErrorDetails]) -> list[str]:
    """Return a sentence for each setting that is refused. One about several settings does not begin with a name."""
    told = []
    for error in errors:
        where = ".".join(map(str, error["loc"]))
        what = sentence(error)
        told.append(f"{where} {what}" if where and error["type"] not in {UNKNOWN, "value_error"} else what)
    return told


def _begun(name: str, known: Collection[str]) -> list[str]:
    """Return the names that have a word beginning so: language for lang, all settings of steps for steps."""
    if len(name) < MIN_BEGUN_CHARS:
        return []
    return [other for other in known if f"_{name}" in f"_{other}"][:MAX_NAMES_SHOWN]


def _listed(names: list[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _with_value(told: str, joint: str, value: Any) -> str:
    if value is None:
        return f"{told}{joint} null"
    is_short = isinstance(value, str | int | float) and len(repr(value)) <= MAX_VALUE_CHARS
    return f"{told}{joint} {value!r}" if is_short else told


def _is_unknown(error: ErrorDetails) -> bool:
    return error["type"] == UNKNOWN and len(error["loc"]) == 1  # an inner model has explained deeper ones


def _explained(error: ErrorDetails, kind: str, known: Collection[str]) -> InitErrorDetails:
    message = unknown_name(kind, str(error["loc"][0]), known) if _is_unknown(error) else error["msg"]
    # A custom error keeps the words as they are. Braces in them would otherwise be read as fields.
    words = PydanticCustomError(error["type"], "{words}", {"words": message})
    return InitErrorDetails(type=words, loc=error["loc"], input=error["input"])

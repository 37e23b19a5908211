"""Values that a person gave: read, and refused in sentences where they are wrong or contradict."""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from adaptwin_core.domain.contradictions import contradictions
from adaptwin_core.domain.errors import InvalidSpec
from adaptwin_core.domain.refusals import sentences
from adaptwin_core.domain.spec import CompressionSpec

T = TypeVar("T")
_SPEC: Final = TypeAdapter(CompressionSpec)


def checked(kind: TypeAdapter[T], given: Any) -> T:
    """Return a value of this kind. Raises InvalidSpec, which names each unknown name and each wrong value."""
    try:
        return kind.validate_python(given)
    except ValidationError as fault:
        raise InvalidSpec("; ".join(sentences(fault.errors(include_url=False)))) from fault


def checked_spec(given: Mapping[str, Any]) -> CompressionSpec:
    """Return the settings of a job.

    Raises:
        InvalidSpec: a setting is unknown, has a wrong value, or contradicts another. The message names each.
    """
    spec = checked(_SPEC, given)
    if found := contradictions(spec):
        raise InvalidSpec("; ".join(found))
    return spec

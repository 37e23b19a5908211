"""Settings from values that a person gave: read, and refused in sentences where they are wrong or contradict."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from adaptwin_core.domain.contradictions import contradictions
from adaptwin_core.domain.errors import InvalidSpec
from adaptwin_core.domain.refusals import sentences
from adaptwin_core.domain.spec import CompressionSpec


def checked_spec(given: Mapping[str, Any]) -> CompressionSpec:
    """Return the settings of a job.

    Raises:
        InvalidSpec: a setting is unknown, has a wrong value, or contradicts another. The message names each.
    """
    try:
        spec = CompressionSpec.model_validate(given)
    except ValidationError as fault:
        raise InvalidSpec("; ".join(sentences(fault.errors(include_url=False)))) from fault
    if found := contradictions(spec):
        raise InvalidSpec("; ".join(found))
    return spec

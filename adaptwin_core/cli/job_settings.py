"""The settings of a job from the options of a command line."""

import json

from pydantic import ValidationError

from adaptwin_core.domain.contradictions import contradictions
from adaptwin_core.domain.errors import InvalidSpec
from adaptwin_core.domain.refusals import sentences
from adaptwin_core.domain.spec import CompressionSpec


def parse_settings(text: str, encoder_cut: float | None) -> CompressionSpec:
    """Read `--settings`, a JSON object, and `--encoder-cut`.

    Raises:
        InvalidSpec: a setting is unknown, has a wrong value, or contradicts another. The message names each.
    """
    try:
        asked = json.loads(text)
    except ValueError as fault:
        raise InvalidSpec(f"--settings is not JSON: {fault}") from fault
    if not isinstance(asked, dict):
        raise InvalidSpec('--settings must be a JSON object, such as {"personal_steps": 480}')
    if encoder_cut is not None:
        if "encoder_cut" in asked:
            raise InvalidSpec("the cut is given twice: leave --encoder-cut out, or encoder_cut in --settings")
        asked["encoder_cut"] = encoder_cut
    try:
        spec = CompressionSpec.model_validate(asked)
    except ValidationError as fault:
        raise InvalidSpec("; ".join(sentences(fault.errors(include_url=False)))) from fault
    if found := contradictions(spec):
        raise InvalidSpec("; ".join(found))
    if spec.exports:
        raise InvalidSpec("exports is a setting of the service's jobs: run `adaptwin export` on the finished model")
    return spec

"""The settings of a job from the options of a command line."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from adaptwin_core.domain.spec import CompressionSpec

EncoderCut = Annotated[
    float | None,
    typer.Option(help="Share of the encoder's parameters to remove. It is 0.35 if no other size is given."),
]
Settings = Annotated[
    str,
    typer.Option("--settings", help="Settings of the job, as JSON: '{\"personal_steps\": 480}'. See docs/settings.md."),
]
Language = Annotated[
    str | None, typer.Option(help="Language of the speech: de, de-DE or German. English if it is left out.")
]
AcceptsLittle = Annotated[
    bool, typer.Option("--accept-little", help="Accept speech that is too little to train on or to test on.")
]


def parse_settings(text: str, encoder_cut: float | None, language: str | None) -> "CompressionSpec":
    """Read `--settings`, a JSON object, and the settings that have options of their own.

    Raises:
        InvalidSpec: a setting is unknown, has a wrong value, or contradicts another. The message names each.
    """
    from pydantic import ValidationError

    from adaptwin_core.domain.contradictions import contradictions
    from adaptwin_core.domain.errors import InvalidSpec
    from adaptwin_core.domain.refusals import sentences
    from adaptwin_core.domain.spec import CompressionSpec

    asked = _json("--settings", text)
    if not isinstance(asked, dict):
        raise InvalidSpec('--settings must be a JSON object, such as {"personal_steps": 480}')
    for name, what, given in (("encoder_cut", "cut", encoder_cut), ("language", "language", language)):
        if given is None:
            continue
        if name in asked:
            option = f"--{name.replace('_', '-')}"
            raise InvalidSpec(f"the {what} is given twice: leave {option} out, or {name} in --settings")
        asked[name] = given
    try:
        spec = CompressionSpec.model_validate(asked)
    except ValidationError as fault:
        raise InvalidSpec("; ".join(sentences(fault.errors(include_url=False)))) from fault
    if found := contradictions(spec):
        raise InvalidSpec("; ".join(found))
    return spec


def parse_family(make: str | None, limits: str | None) -> dict[str, Any]:
    """Return what `--make` and `--limits` say, as the fields of a job. What they may hold, the job's class checks."""
    sizes = make if make is None or make == "frontier" else _json("--make", make)
    return {"make": sizes, "limits": None if limits is None else _json("--limits", limits)}


def _json(option: str, text: str) -> Any:
    from adaptwin_core.domain.errors import InvalidSpec

    try:
        return json.loads(text)
    except ValueError as fault:
        raise InvalidSpec(f"{option} is not JSON: {fault}") from fault

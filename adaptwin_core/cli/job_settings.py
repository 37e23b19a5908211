"""The settings of a job from the options of a command line."""

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import typer

if TYPE_CHECKING:
    from adaptwin_core.domain.members import Size
    from adaptwin_core.domain.model_limits import ModelLimits
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
SpokenLanguage = Annotated[
    str | None, typer.Option("--language", help="Language that is spoken, if not the one that the model was made for.")
]
Make = Annotated[
    str | None,
    typer.Option(help="Sizes that every base model is made in: frontier, or as JSON: '[{\"encoder_cut\": 0.3}]'."),
]
Limits = Annotated[str | None, typer.Option(help='What the model to take must fit, as JSON: \'{"device": "phone"}\'.')]
AcceptsLittle = Annotated[
    bool, typer.Option("--accept-little", help="Accept speech that is too little to train on or to test on.")
]


def parse_settings(text: str, encoder_cut: float | None, language: str | None) -> "CompressionSpec":
    """Read `--settings`, a JSON object, and the settings that have options of their own.

    Raises:
        InvalidSpec: a setting is unknown, has a wrong value, or contradicts another. The message names each.
    """
    from adaptwin_core.domain.checked_settings import checked_spec
    from adaptwin_core.domain.errors import InvalidSpec

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
    return checked_spec(asked)


class Family(NamedTuple):
    """The sizes that every base model is made in, if several, and what the model to take must fit."""

    make: "Literal['frontier'] | tuple[Size, ...] | None"
    limits: "ModelLimits | None"


def parse_family(make: str | None, limits: str | None) -> Family:
    """Read `--make` and `--limits`.

    Raises:
        InvalidSpec: a name is unknown, or a value is wrong. The message names each.
    """
    from pydantic import TypeAdapter

    from adaptwin_core.domain.checked_settings import checked
    from adaptwin_core.domain.members import Size
    from adaptwin_core.domain.model_limits import ModelLimits

    sizes: Literal["frontier"] | tuple[Size, ...] | None = None
    if make == "frontier":
        sizes = "frontier"
    elif make is not None:
        sizes = checked(TypeAdapter(tuple[Size, ...]), _json("--make", make))
    wanted = None if limits is None else checked(TypeAdapter(ModelLimits), _json("--limits", limits))
    return Family(sizes, wanted)


def _json(option: str, text: str) -> Any:
    from adaptwin_core.domain.errors import InvalidSpec

    try:
        return json.loads(text)
    except ValueError as fault:
        raise InvalidSpec(f"{option} is not JSON: {fault}") from fault

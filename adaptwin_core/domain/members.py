"""The models that one job makes: base models, each at several sizes, from one set of settings."""

from collections.abc import Sequence
from typing import Final, Literal

from pydantic import Field, ValidationError

from adaptwin_core.domain.contradictions import CUTS
from adaptwin_core.domain.errors import InvalidSpec
from adaptwin_core.domain.frozen import Frozen
from adaptwin_core.domain.refusals import sentences
from adaptwin_core.domain.spec import BUDGETS, CompressionSpec, Settings

MAX_MODELS: Final = 24  # of one job
_SIZED = (*CUTS, *BUDGETS)


class Size(Settings):
    """One size that every base model of a job is made in. It replaces the size that the job's settings have."""

    encoder_cut: float | None = Field(None, ge=0.0, le=0.8, description="As in the settings.")
    decoder_cut: float | None = Field(None, ge=0.0, le=0.8, description="As in the settings.")
    model_cut: float | None = Field(None, gt=0.0, le=0.8, description="As in the settings.")
    max_bytes: int | None = Field(None, ge=1_000_000, description="As in the settings.")
    max_wer: float | None = Field(None, gt=0, le=100, description="As in the settings.")
    weights: Literal["float16", "int8", "int4"] | None = Field(
        None, description="As in the settings, which hold where it is left out."
    )


# The ladder: a whole model in 8 and in 4 bits, and one whose encoder is cut. Among tiny.en and base it holds, up to the
# intervals, the best model of docs/frontier.md at every size: float16 gains nothing over 8 bits that can be shown.
LADDER: Final = (
    Size(encoder_cut=0.0, weights="int8"),
    Size(encoder_cut=0.0, weights="int4"),
    Size(encoder_cut=0.45, weights="int4"),
)


class Member(Frozen):
    """One model that a job makes."""

    base_model: str
    spec: CompressionSpec


def members_of(
    base_models: Sequence[str], spec: CompressionSpec, make: Literal["frontier"] | Sequence[Size] | None
) -> tuple[Member, ...]:
    """Return the models of a job: every base model at every size, each once, in the order in which they are given.

    Args:
        spec: what all have in common, and the size where `make` names none.

    Raises:
        InvalidSpec: a size contradicts the settings, or there are too many models.
    """
    sizes = LADDER if make == "frontier" else make
    specs = [spec] if sizes is None else [_sized(spec, size, place) for place, size in enumerate(sizes)]
    members = tuple(dict.fromkeys(Member(base_model=base, spec=sized) for base in base_models for sized in specs))
    if len(members) > MAX_MODELS:
        raise InvalidSpec(f"a job makes up to {MAX_MODELS} models, and this one names {len(members)}")
    return members


def _sized(spec: CompressionSpec, size: Size, place: int) -> CompressionSpec:
    given = {name: getattr(size, name) for name in size.model_fields_set if getattr(size, name) is not None}
    common = {name: getattr(spec, name) for name in spec.model_fields_set}
    replaced = {*given, *(_SIZED if given.keys() & set(_SIZED) else ())}
    if twice := [name for name in (*_SIZED, "weights") if name in replaced and common.get(name) is not None]:
        raise InvalidSpec(f"make says how small the models become: leave {' and '.join(twice)} out of the settings")
    try:
        return CompressionSpec.model_validate(common | given)
    except ValidationError as fault:
        raise InvalidSpec(f"make[{place}]: {'; '.join(sentences(fault.errors(include_url=False)))}") from fault

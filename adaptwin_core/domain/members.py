"""The models that one job makes: base models, each at several sizes, from one set of settings."""

from collections.abc import Sequence
from typing import Final, Literal

from pydantic import Field, ValidationError

from adaptwin_core.domain.contradictions import CUTS
from adaptwin_core.domain.errors import InvalidSpec
from adaptwin_core.domain.frozen import Frozen
from adaptwin_core.domain.model_limits import ModelLimits
from adaptwin_core.domain.refusals import sentences
from adaptwin_core.domain.shape import ModelShape
from adaptwin_core.domain.spec import BUDGETS, CompressionSpec, Settings
from adaptwin_core.domain.timed_sizes import with_time

MAX_MODELS: Final = 24  # of one job
_SIZED = (*CUTS, *BUDGETS)


class Size(Settings):
    """One size that every base model of a job is made in. It replaces the size that the job's settings have."""

    encoder_cut: float | None = Field(None, ge=0.0, le=0.8, description="As in the settings.")
    decoder_cut: float | None = Field(None, ge=0.0, le=0.8, description="As in the settings.")
    model_cut: float | None = Field(None, gt=0.0, le=0.8, description="As in the settings.")
    max_bytes: int | None = Field(None, ge=1_000_000, description="As in the settings.")
    max_wer: float | None = Field(None, gt=0, le=100, description="As in the settings.")
    max_ms: float | None = Field(
        None,
        gt=0,
        description="Milliseconds for an utterance of 4 s on the device of limits, as docs/families.md estimates them. "
        "The smallest cut of all layers is taken that is as quick.",
    )
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
    """One model that a job makes. `max_ms`: the time that decides its cut, in place of the settings."""

    base_model: str
    spec: CompressionSpec
    max_ms: float | None = None

    def spec_for(self, shape: ModelShape, limits: ModelLimits) -> CompressionSpec:
        """Return the settings with the cut that they come to for a base model of this shape.

        Raises:
            InvalidSpec: the model cannot be as quick as is wanted, or no device says where.
        """
        if self.max_ms is None:
            return self.spec
        if limits.device is None:
            raise InvalidSpec("a size by max_ms needs the device that it is for: give limits.device")
        return with_time(self.spec, shape, self.max_ms, limits.device)


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
    asked: list[tuple[CompressionSpec, float | None]] = [(spec, None)]
    if sizes is not None:
        asked = [(_sized(spec, size, place), size.max_ms) for place, size in enumerate(sizes)]
    members = tuple(
        dict.fromkeys(Member(base_model=base, spec=each, max_ms=ms) for base in base_models for each, ms in asked)
    )
    if len(members) > MAX_MODELS:
        raise InvalidSpec(f"a job makes up to {MAX_MODELS} models, and this one names {len(members)}")
    return members


def _sized(spec: CompressionSpec, size: Size, place: int) -> CompressionSpec:
    given = {name: getattr(size, name) for name in size.model_fields_set if getattr(size, name) is not None}
    common = {name: getattr(spec, name) for name in spec.model_fields_set}
    replaced = {*given, *(_SIZED if given.keys() & {*_SIZED, "max_ms"} else ())}
    if twice := [name for name in (*_SIZED, "weights") if name in replaced and common.get(name) is not None]:
        raise InvalidSpec(f"make says how small the models become: leave {' and '.join(twice)} out of the settings")
    max_ms = given.pop("max_ms", None)
    if max_ms is not None and (others := [name for name in _SIZED if name in given]):
        raise InvalidSpec(f"make[{place}]: max_ms decides the cut: leave {' and '.join(others)} out, or max_ms")
    try:
        return CompressionSpec.model_validate(common | given)
    except ValidationError as fault:
        raise InvalidSpec(f"make[{place}]: {'; '.join(sentences(fault.errors(include_url=False)))}") from fault

"""The models that one job makes: base models, each at several sizes, from one set of settings."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, Literal

from pydantic import Field

from adaptwin_core.domain.checked_settings import checked_spec
from adaptwin_core.domain.contradictions import CUTS
from adaptwin_core.domain.errors import InvalidSpec
from adaptwin_core.domain.frozen import Frozen
from adaptwin_core.domain.model_limits import ModelLimits
from adaptwin_core.domain.shape import ModelShape
from adaptwin_core.domain.spec import BUDGETS, CompressionSpec, Settings
from adaptwin_core.domain.timed_sizes import with_time

MAX_MODELS: Final = 24  # of one job
_SIZED = (*CUTS, *BUDGETS)


class Size(Settings):
    """One size that every base model of a job is made in. It replaces the size that the job's settings have."""

    encoder_cut: float | None = Field(None, ge=0.0, le=0.8, description="As encoder_cut in spec.")
    decoder_cut: float | None = Field(None, ge=0.0, le=0.8, description="As decoder_cut in spec.")
    model_cut: float | None = Field(None, gt=0.0, le=0.8, description="As model_cut in spec.")
    max_bytes: int | None = Field(None, ge=1_000_000, description="As max_bytes in spec.")
    max_wer: float | None = Field(None, gt=0, le=100, description="As max_wer in spec.")
    max_ms: float | None = Field(
        None,
        gt=0,
        description="Longest time for an utterance of 4 s on the device that limits names, in milliseconds, estimated "
        "as in docs/families.md. The job takes the smallest cut of all layers that keeps to it.",
    )
    weights: Literal["float16", "int8", "int4"] | None = Field(
        None, description="As weights in spec, which holds if this is left out."
    )


# The ladder: a whole model in 8 and in 4 bits, and one whose encoder is cut. In docs/frontier.md no other size of
# tiny.en or base is surely better with as few bytes.
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
    if sizes is not None and not sizes:
        raise InvalidSpec("make names no size: name one, or leave make out")
    num_models = len(set(base_models)) * len(sizes or [None])
    if num_models > MAX_MODELS:  # before anything is made of them: a request may name millions
        raise InvalidSpec(f"a job makes up to {MAX_MODELS} models, and this one names {num_models}")
    asked: list[tuple[CompressionSpec, float | None]] = [(spec, None)]
    if sizes is not None:
        asked = [(_sized(spec, size, place), size.max_ms) for place, size in enumerate(sizes)]
    return tuple(
        dict.fromkeys(Member(base_model=base, spec=each, max_ms=ms) for base in base_models for each, ms in asked)
    )


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
        return checked_spec(common | given)
    except InvalidSpec as fault:
        raise InvalidSpec(f"make[{place}]: {fault.message}") from fault


@contextmanager
def of_several(base_model: str, place: int, num_models: int) -> Iterator[None]:
    """Let a refusal in this context say which of several models it is about."""
    try:
        yield
    except InvalidSpec as fault:
        if num_models == 1:
            raise
        told = f"model {place + 1} of {num_models}, from {base_model}: {fault.message}"
        raise InvalidSpec(told, code=fault.code) from fault


def folder_of(place: int) -> str:
    """Return the folder of one of several models, inside that of their job."""
    return f"model-{place + 1}"

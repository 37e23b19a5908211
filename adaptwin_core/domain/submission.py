"""How a job begins, for the service and for `adaptwin compress` alike: refused, or with settings that suit it."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from adaptwin_core.domain import admission
from adaptwin_core.domain.admission import Remark, admit
from adaptwin_core.domain.dataset_report import DatasetReport
from adaptwin_core.domain.errors import AdaptwinError, InvalidSpec
from adaptwin_core.domain.planner import make_plan
from adaptwin_core.domain.shape import ModelShape
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.vocabulary import smallest_shape


class Submission(NamedTuple):
    """A job that may begin: its settings as its speech allows them, and what a person should know of it."""

    spec: CompressionSpec
    remarks: Sequence[Remark]


def require_reachable(spec: CompressionSpec, shape: ModelShape, *, num_kept: int | None = None) -> None:
    """Refuse a size that this model cannot have.

    Args:
        shape: of the base model, with all tokens.
        num_kept: tokens that the job keeps, once they are chosen. Until then the fewest that it may keep count.

    Raises:
        InvalidSpec: the model cannot have this size.
    """
    kept = smallest_shape(spec, shape) if num_kept is None else shape.with_tokens(num_kept)
    make_plan(spec, kept, num_dropped=shape.vocab_size - kept.vocab_size)


def submit(
    spec: CompressionSpec,
    shape: ModelShape,
    speaker: DatasetReport,
    general: DatasetReport | None,
    *,
    accept_little: bool,
) -> Submission:
    """Check what a person asks for against the base model and their speech.

    Args:
        general: speech of other people, if there is any.
        accept_little: the person knows that the speech is too little, and wants the job as it is.

    Raises:
        InvalidSpec: the model cannot have this size, or too little speech is kept from training to search by.
        InvalidAudio: as `admit`.
    """
    require_reachable(spec, shape)
    remarks = admit(speaker, general, spec, accept_little=accept_little)
    return Submission(settled(spec, speaker, general), remarks)


def refusals(
    spec: CompressionSpec,
    shape: ModelShape,
    speaker: DatasetReport,
    general: DatasetReport | None,
    *,
    accept_little: bool,
) -> Iterator[AdaptwinError]:
    """Yield everything that is wrong with a job, as `submit` raises the first."""
    try:
        require_reachable(spec, shape)
    except InvalidSpec as refusal:
        yield refusal
    yield from admission.refusals(speaker, general, spec, accept_little=accept_little)


def settled(spec: CompressionSpec, speaker: DatasetReport, general: DatasetReport | None) -> CompressionSpec:
    """Return the settings as the speech allows them."""
    if general is None:
        spec = spec.without_general()
    return spec if speaker.is_transcribed else spec.without_transcripts()

"""The speech that a job needs: whether the job may begin, and what is too little for it.

The service asks when a job is submitted, and `adaptwin compress` once the speech is read. The report of a model says
what was too little and accepted.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from adaptwin_core.domain.dataset_report import DatasetReport
from adaptwin_core.domain.errors import AdaptwinError, InvalidAudio, InvalidSpec
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.validation import require_searchable

LEAST_TRAINING_S = 60.0

_SPEAKER_ALONE = "no general speech was given: the model is fitted to this speaker alone (speaker_weight 1)"
_NO_TRANSCRIPTS = "this speech has no transcripts to train on: the model is trained on what the original transcribes"


RemarkCode = Literal["accepted_little", "no_general_speech", "no_transcripts"]


class Remark(NamedTuple):
    """What a person should know of a job that begins."""

    code: RemarkCode
    message: str


def admit(
    speaker: DatasetReport, general: DatasetReport | None, spec: CompressionSpec, *, accept_little: bool
) -> list[Remark]:
    """Check that a job has the speech it needs.

    Args:
        accept_little: the person accepts speech that is too little.

    Returns:
        what a person should know of the job that begins.

    Raises:
        InvalidAudio: `no_training_speech`: there is nothing to train on, whatever is accepted.
            `too_little_speech`: the job is possible, but there is too little for a good result.
        InvalidSpec: `nothing_to_search_by`: too little transcribed speech is kept from training for max_wer.
    """
    for refusal in refusals(speaker, general, spec, accept_little=accept_little):
        raise refusal
    return remarks_on(speaker, general, spec)


def refusals(
    speaker: DatasetReport, general: DatasetReport | None, spec: CompressionSpec, *, accept_little: bool
) -> Iterator[AdaptwinError]:
    """Yield every reason why a job lacks the speech that it needs, as `admit` raises the first."""
    if needs_training(spec) and speaker.splits.get("train", 0.0) == 0:
        yield InvalidAudio(
            f"none of the {speaker.clips} clips are for training: mark some train, or leave the split column out",
            code="no_training_speech",
        )
    if spec.max_wer is not None:
        try:
            require_searchable(speaker, spec.language)
        except InvalidSpec as refusal:
            yield refusal
    little = shortcomings(speaker, general, spec)
    if little and not accept_little:
        yield InvalidAudio(
            f"{'; '.join(little)}. Send more speech, or set accept_little (--accept-little) to go on all the same",
            code="too_little_speech",
        )


def remarks_on(speaker: DatasetReport, general: DatasetReport | None, spec: CompressionSpec) -> list[Remark]:
    """Return what a person should know of a job that begins."""
    remarks = [Remark("accepted_little", f"accepted: {what}") for what in shortcomings(speaker, general, spec)]
    if general is None:
        remarks.append(Remark("no_general_speech", _SPEAKER_ALONE))
    if not speaker.is_transcribed:
        remarks.append(Remark("no_transcripts", _NO_TRANSCRIPTS))
    return remarks


def shortcomings(speaker: DatasetReport, general: DatasetReport | None, spec: CompressionSpec) -> list[str]:
    """Return what is too little for a good result, with what is needed instead: a sentence each."""
    little = []
    if speaker.clips == 1:
        little.append(f"the speech is one clip of {_length(speaker.seconds)}, and learning and testing need one each")
    elif _seconds_to_judge(speaker) == 0:
        held_out = speaker.splits.get("test", 0.0)
        what = "nobody says a word in the test speech" if held_out else "no speech is held out for testing"
        little.append(f"{what}, so the model could not be judged: at least one file to test on is needed")
    seconds = _seconds_to_learn(speaker)
    if needs_training(spec) and seconds == 0:
        little.append(
            "every clip to train on has an empty transcript: at least 1 minute in which somebody speaks is needed"
        )
    elif needs_training(spec) and seconds < LEAST_TRAINING_S:
        kind = "transcribed speech" if speaker.is_transcribed else "speech"
        little.append(f"there are {_length(seconds)} of {kind} to train on, and at least 1 minute is needed")
    if general is not None and needs_training(spec) and _seconds_to_learn(general) == 0:
        little.append("the general speech has nothing to train on: mark some of it train, or leave it out")
    return little


def needs_training(spec: CompressionSpec) -> bool:
    """Return whether a job trains on the speech. A job that only stores a model in 8 bits does not."""
    return spec.is_cut or spec.personal_steps > 0 or spec.weights == "int4"


def _seconds_to_learn(report: DatasetReport) -> float:
    """Return the seconds that a job trains on: those whose transcripts have words or, if there are none, all."""
    if "train" not in report.parts:
        return report.splits.get("train", 0.0)
    part = report.parts["train"]
    return part.labelled_seconds if report.is_transcribed else part.unlabelled_seconds


def _seconds_to_judge(report: DatasetReport) -> float:
    if "test" not in report.parts:
        return report.splits.get("test", 0.0)
    part = report.parts["test"]
    return part.labelled_seconds + part.unlabelled_seconds


def _length(seconds: float) -> str:
    if seconds < 60:
        return f"{int(10 * seconds) / 10:g} seconds"  # rounded down, so that less than a minute never reads as one
    return f"{seconds / 60:.1f} minutes"

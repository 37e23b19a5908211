"""What speech a job needs. Asked by the service when a job is submitted, by `adaptwin compress` once the speech was
read, and by the report, which tells what was too little and accepted.
"""

from typing import NamedTuple

from adaptwin_core.domain.dataset_report import DatasetReport
from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.domain.held_back import require_searchable
from adaptwin_core.domain.spec import CompressionSpec

LEAST_TRAINING_S = 60.0

_SPEAKER_ALONE = "no general speech was given: the model is fitted to this speaker alone (speaker_weight 1)"
_NO_TRANSCRIPTS = "this speech has no transcripts to train on: the model learns from what the original hears in it"


class Remark(NamedTuple):
    """Something that a person should know of a job that begins."""

    code: str
    message: str


def admit(
    speaker: DatasetReport, general: DatasetReport | None, spec: CompressionSpec, *, accept_little: bool
) -> list[Remark]:
    """Let a job begin, or say what its speech lacks.

    Args:
        accept_little: the person said that they know, and want the job as it is.

    Returns:
        what a person should know of the job that begins.

    Raises:
        InvalidAudio: `no_training_speech`: there is nothing at all to learn from, which no word helps.
            `too_little_speech`: a job is possible, but hopeless.
        InvalidSpec: `nothing_to_search_by`: too little transcribed speech is kept from training for max_wer.
    """
    if needs_training(spec) and speaker.splits.get("train", 0.0) == 0:
        raise InvalidAudio(
            f"none of the {speaker.clips} clips are for training: mark some train, or leave the split column out",
            code="no_training_speech",
        )
    if spec.max_wer is not None:
        require_searchable(speaker, spec.language)
    little = shortcomings(speaker, general, spec)
    if little and not accept_little:
        raise InvalidAudio(
            f"{'; '.join(little)}. Send more speech; accept_little (--accept-little) goes on with what is there",
            code="too_little_speech",
        )
    remarks = [Remark("accepted_little", f"accepted: {what}") for what in little]
    if general is None:
        remarks.append(Remark("no_general_speech", _SPEAKER_ALONE))
    if not speaker.is_transcribed:
        remarks.append(Remark("no_transcripts", _NO_TRANSCRIPTS))
    return remarks


def shortcomings(speaker: DatasetReport, general: DatasetReport | None, spec: CompressionSpec) -> list[str]:
    """Return what is too little for a job to be worth its time: what is there and what is needed, a sentence each."""
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
    """Return whether a job learns from the speech. To store a model in 8 bits, nothing is learnt."""
    return spec.is_cut or spec.personal_steps > 0 or spec.weights == "int4"


def _seconds_to_learn(report: DatasetReport) -> float:
    """Return the seconds that a job learns from: with transcripts those that have words, without any all speech."""
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
        return f"{int(10 * seconds) / 10:g} seconds"  # never rounded up to the minute that is asked for
    return f"{seconds / 60:.1f} minutes"

"""The held-out clips that a model is judged on."""

from collections.abc import Sequence

from adaptwin_core.domain.task_keys import SpeechKind
from adaptwin_core.domain.work import MAX_TEST_CLIPS
from adaptwin_core.speech.corpus import Clip, Corpus


def held_out_clips(corpus: Corpus, kind: SpeechKind) -> list[Clip]:
    """Return the test clips of one kind of speech that a model is judged on, spread evenly over all."""
    return spread(corpus.split("test"), MAX_TEST_CLIPS[kind])


def clips_to_choose_by(corpus: Corpus) -> list[Clip]:
    """Return the validation clips by which one of several models is chosen."""
    return spread(corpus.split("valid"), MAX_TEST_CLIPS[SpeechKind.SPEAKER])


def spread(clips: Sequence[Clip], count: int) -> list[Clip]:
    """Return `count` clips, taken evenly from all; all, where there are fewer."""
    step = max(1.0, len(clips) / count)
    return [clips[int(i * step)] for i in range(min(len(clips), count))]

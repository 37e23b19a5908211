"""Validation speech: how much is kept from training to judge it by, and whether it is enough to search for a cut."""

import math

from adaptwin_core.domain.audio import WINDOW_S
from adaptwin_core.domain.dataset_report import DatasetReport
from adaptwin_core.domain.errors import InvalidSpec
from adaptwin_core.domain.units import Unit, unit_of

MAX_WINDOWS = 4  # of each kind of speech
ONE_WINDOW_IN = 10
LEAST_UNITS = 100  # words, or characters, in all: one error is then one point of the error rate at most

_LEAST_FILLED_S = 24.0  # how full a window is at least, as clips are packed


def num_validation(num_windows: int) -> int:
    """Return how many training windows are held back where no clips are marked valid."""
    return min(MAX_WINDOWS, num_windows // ONE_WINDOW_IN)


def require_enough(num_units: int, language: str) -> None:
    """Check that the validation speech has enough words, or characters, to search for `max_wer`.

    Raises:
        InvalidSpec: `nothing_to_search_by`.
    """
    units = unit_of(language).plural
    if num_units < LEAST_UNITS:
        raise InvalidSpec(
            f"max_wer is judged on transcribed speech kept from training, and {num_units} {units} of it are too few: "
            f"send more transcribed speech, mark clips of {LEAST_UNITS} {units} or more as valid, or give a cut "
            "instead",
            code="nothing_to_search_by",
        )


def require_searchable(speech: DatasetReport, language: str) -> None:
    """Refuse at once, by a dataset's figures, what the search would refuse hours later by the clips.

    The figures are estimates: words are split at spaces, and windows are taken to be full before they are packed. What
    is near the limit passes here, and `require_enough` checks it again.

    Raises:
        InvalidSpec: `nothing_to_search_by`.
    """
    train, valid = (speech.parts.get(name) for name in ("train", "valid"))
    if train is None or valid is None or train.words is None or valid.words is None:
        if speech.labelled == 0:
            require_enough(0, language)
        return  # the report is of an older version, which counted no words
    count = "characters" if unit_of(language) is Unit.CHARACTER else "words"
    if valid.words > 0:
        require_enough(getattr(valid, count), language)
        return
    windows = num_validation(math.ceil(train.labelled_seconds / _LEAST_FILLED_S))
    validation_s = min(windows * WINDOW_S, train.labelled_seconds)
    share = validation_s / train.labelled_seconds if train.labelled_seconds > 0 else 0.0
    require_enough(math.ceil(share * getattr(train, count)), language)

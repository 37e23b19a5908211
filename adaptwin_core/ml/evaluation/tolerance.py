"""How much worse a model may hear in another form, or in other windows, on the same clips before that is refused."""

from typing import Final

MOST_WORSE: Final = 0.003  # of the error rate
MOST_ERRORS: Final = 1  # on a few words one error alone is more than that, and shows nothing
TOLERATED: Final = f"{100 * MOST_WORSE:.1f} points or one error"


def is_tolerated(more_errors: int, num_units: int) -> bool:
    """Return whether the errors are few enough.

    Args:
        more_errors: how many more there are than in what it is compared with.
        num_units: words, or characters, of the references.
    """
    return more_errors <= MOST_ERRORS or more_errors / num_units <= MOST_WORSE

"""Whether a text goes round in circles."""

from collections.abc import Sequence

MOST_WORDS = 10  # of a phrase that is looked for
REPEATS = 4  # as often in a row, and more, is a loop


def looped_words(words: Sequence[str]) -> int:
    """Return how many words stand in phrases of up to 10 words that are said 4 times in a row or more."""
    looped: set[int] = set()
    for length in range(1, MOST_WORDS + 1):
        same = 0  # words in a row that equal the one `length` before
        for end in range(length, len(words)):
            same = same + 1 if words[end] == words[end - length] else 0
            if same >= length * (REPEATS - 1):
                looped.update(range(end - same - length + 1, end + 1))
    return len(looped)

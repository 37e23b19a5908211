"""A model is for fitted windows unless it is surely worse in them, or worse by more than a point."""

import pytest

from adaptwin_core.domain.task_keys import WindowKind
from adaptwin_core.ml.evaluation.scoring import Score, score
from adaptwin_core.ml.evaluation.tolerance import is_tolerated
from adaptwin_core.ml.evaluation.window_choice import choose_window


@pytest.mark.parametrize(
    ("more_errors", "num_units", "tolerated"),
    [
        (-5, 100, True),
        (0, 10, True),
        (1, 10, True),  # ten points, and one error
        (2, 10, False),
        (3, 1000, True),  # 0.3 points
        (4, 1000, False),
        (6, 2000, True),
        (7, 2000, False),
        (21, 7000, True),  # exact, however it is rounded
    ],
)
def test_more_than_the_points_and_more_than_one_error_are_too_many(more_errors, num_units, tolerated):
    assert is_tolerated(more_errors, num_units) == tolerated


NUM_CLIPS, SAID = 100, "one two three four five six seven eight nine ten"
WRONG = {
    "substitutions": SAID.replace("ten", "wrong"),
    "deletions": SAID.removesuffix(" ten"),
    "insertions": f"{SAID} again",
}


def scored(*heard: str) -> Score:
    """Return the score of clips that hold ten words each: of these texts, then of as many right ones as it takes."""
    return score([SAID] * NUM_CLIPS, [*heard, *[SAID] * (NUM_CLIPS - len(heard))], language="de")


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize(
    ("fitted", "whole", "chosen"),
    [
        (0, 0, WindowKind.FITTED),
        (7, 7, WindowKind.FITTED),
        (0, 20, WindowKind.FITTED),
        (3, 0, WindowKind.FITTED),
        (7, 0, WindowKind.FITTED),  # 0.7 points in 1,000 words, from 0.2 on: 0.3 may be all of it
        (9, 0, WindowKind.WHOLE),  # the interval begins at 0.4
        (19, 10, WindowKind.WHOLE),
    ],
)
def test_errors_of_every_kind_count(kind, fitted, whole, chosen):
    choice = choose_window(scored(*[WRONG[kind]] * fitted), scored(*[WRONG[kind]] * whole))
    assert choice.window is chosen
    assert choice.as_json()["margin_s"] == (0.5 if chosen is WindowKind.FITTED else None)
    assert ("send more speech" in choice.why) == (chosen is WindowKind.WHOLE)


def test_more_than_a_point_is_too_much_even_if_chance_may_explain_it():
    repeated = f"{SAID} {'again ' * 11}"  # in one clip of a hundred
    found = choose_window(scored(repeated), scored())
    assert found.window is WindowKind.WHOLE
    assert "1.1 points higher than in whole windows (95 % interval of the difference: 0.0 to 3.3)" in found.why


def test_one_error_more_is_never_too_much():
    wrong, right = (score([SAID], [heard], language="de") for heard in (WRONG["deletions"], SAID))
    assert choose_window(wrong, right).window is WindowKind.FITTED


@pytest.mark.parametrize(
    ("fitted", "whole", "words"), [(0, 0, "is the same as in"), (0, 5, "is 0.5 points lower than"), (5, 0, "higher")]
)
def test_the_reason_tells_the_difference(fitted, whole, words):
    heard = WRONG["deletions"]
    assert words in choose_window(scored(*[heard] * fitted), scored(*[heard] * whole)).why

"""A model is for fitted windows unless it is more than 0.3 points and more than one error worse in them."""

import pytest

from adaptwin_core.domain.task_keys import WindowKind
from adaptwin_core.ml.evaluation.scoring import score
from adaptwin_core.ml.evaluation.tolerance import is_tolerated
from adaptwin_core.ml.evaluation.window_choice import choose_window, published_window


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


def scored(errors: dict[str, int], num_units: int) -> dict:
    kinds = {"substitutions": 0, "deletions": 0, "insertions": 0} | errors
    return {
        "unit": "word",
        "compressed": {**kinds, "num_units": num_units, "error_rate": sum(kinds.values()) / num_units},
    }


@pytest.mark.parametrize("kind", ["substitutions", "deletions", "insertions"])
@pytest.mark.parametrize(("more", "chosen"), [(0, WindowKind.FITTED), (3, WindowKind.FITTED), (4, WindowKind.WHOLE)])
def test_errors_of_every_kind_count(kind, more, chosen):
    whole = scored({"substitutions": 5}, 1000)
    fitted = scored({"substitutions": 5} | {kind: more + 5 * (kind == "substitutions")}, 1000)
    choice = choose_window({WindowKind.FITTED: fitted, WindowKind.WHOLE: whole})
    assert choice.window is chosen
    assert choice.as_json()["margin_s"] == (0.5 if chosen is WindowKind.FITTED else None)
    assert ("0.4 points higher" in choice.why) == (chosen is WindowKind.WHOLE)


def test_a_trial_is_heard_in_the_windows_that_its_model_would_be_for():
    said = ["one two three four five"] * 20
    right, one_wrong, two_wrong = (
        score(said, ["one two three four wrong"] * wrong + said[wrong:], language="de") for wrong in (0, 1, 2)
    )
    assert published_window(one_wrong, right) is WindowKind.FITTED
    assert published_window(two_wrong, right) is WindowKind.WHOLE

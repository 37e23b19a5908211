"""Which changes of the training a run makes."""

from types import SimpleNamespace

import pytest

from adaptwin_core.domain.spec import CompressionSpec
from bench.ablations import training


class Kitchen:
    """Notes what it is asked for; nothing is made."""

    def __init__(self):
        self.setting = SimpleNamespace(
            speaker=None, general=None, spec=CompressionSpec(personal_steps=9, tune_steps=7, tune_learning_rate=0.001)
        )
        self.made = []

    def changed(self, **changes):
        return changes

    def apart(self, name):
        self.were_apart = name
        return self

    def make(self, setting):
        self.made.append((setting, training.mixture.SHORT_SHARE))
        raise LookupError


def test_only_the_wanted_change_is_made_and_only_while_it_is():
    kitchen, share = Kitchen(), training.mixture.SHORT_SHARE
    with pytest.raises(LookupError):
        next(training.rows(kitchen, 1, ["whole windows only"]))
    assert kitchen.made == [({}, 0.0)]
    assert share == training.mixture.SHORT_SHARE > 0
    assert kitchen.were_apart == "whole windows only"  # what was learnt otherwise must not be taken for it


@pytest.mark.parametrize(
    ("change", "setting"),
    [
        ("twice the steps", {"personal_steps": 18, "tune_steps": 14}),
        ("all steps after the cut", {"personal_steps": 0, "tune_steps": 16}),
        ("twice the rate", {"tune_learning_rate": 0.002}),
    ],
)
def test_twice_is_twice_what_the_job_says(change, setting):
    kitchen = Kitchen()
    with pytest.raises(LookupError):
        next(training.rows(kitchen, 1, [change]))
    assert kitchen.made[0][0] == setting


def test_a_change_that_is_none_of_them_is_refused_before_anything_is_made():
    kitchen = Kitchen()
    with pytest.raises(SystemExit, match="no such change: longer windows"):
        next(training.rows(kitchen, 1, ["longer windows"]))
    assert kitchen.made == []

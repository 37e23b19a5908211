"""The rows of the frontier: in which form each model is made, what the page compares with, and whose code made them."""

from bench.frontier.page import _versions
from bench.kitchen import Made

from adaptwin_core.ml.model.quantized import STORED
from bench.frontier.judge import original_of
from bench.frontier.systems import FrontierKitchen, System, systems


def _forms(system, wanted=STORED):
    return list(FrontierKitchen.forms(None, system, wanted))


def test_ours_are_made_in_4_bits_by_a_job_and_all_else_is_rounded_from_one_model():
    made = []

    def make(name):
        return lambda _kitchen: made.append(name) or Made(name, 0.0, None, num_bytes=7)

    ours = _forms(System("ours", "ours", make("whole"), True, make("4 bits")))
    assert [(form, one.model, one.num_bytes) for form, one in ours] == [
        ("float16", "whole", None),
        ("int8", "whole", None),
        ("int4", "4 bits", 7),
    ]
    theirs = _forms(System("theirs", "smaller", make("theirs"), True))
    assert {one.num_bytes for _, one in theirs} == {None}
    assert made == ["whole", "4 bits", "theirs"]
    assert [form for form, _ in _forms(System("ours", "ours", make("whole"), True, make("4 bits")), ["int4"])] == [
        "int4"
    ]
    assert made[3:] == ["4 bits"]


def test_every_model_of_ours_in_every_form_has_a_job_of_4_bits():
    found = [system for system in systems([0.45], has_smaller=True) if system.is_quantized]
    assert {system.name.startswith("ours") for system in found if system.make_int4} == {True}
    assert not any(system.name.startswith("ours") for system in found if not system.make_int4)


def test_rows_are_compared_with_the_original_wherever_it_stands():
    row = {"family": "original", "precision": "float16"}
    assert original_of([{"family": "ours", "precision": "float16"}, row | {"precision": "int8"}, row]) is row


def test_rows_of_other_code_are_named():
    rows = [{"system": name, "precision": "int8", "code_version": 16} for name in ("a", "b")]
    assert _versions(rows) == "16"
    rows.append({"system": "c", "precision": "int4", "code_version": 17})
    assert _versions(rows) == "16; 17 for c in int4"

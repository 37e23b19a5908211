"""The rows of the frontier: in which form each model is made, and what rows are compared with."""

import pytest

from adaptwin_core.ml.model.quantization import STORED
from bench.frontier.judge import original_of
from bench.frontier.systems import Frontier, System, systems
from bench.models import Made


class Models:
    """Notes which jobs it is asked for."""

    def __init__(self):
        self.asked = []

    def make(self, **job):
        self.asked.append(job)
        return Made("ours", 0.0, None, num_bytes=7)

    def original(self):
        self.asked.append("original")
        return Made("theirs", 0.0, None)


OURS = System("ours", "ours", {"encoder_cut": 0.45})


@pytest.fixture
def models():
    return Models()


def made(models, system, wanted=STORED):
    return [(form, one.num_bytes) for form, one in Frontier(models, None).forms(system, wanted)]


def test_ours_in_4_bits_is_a_job_of_its_own_and_other_forms_are_rounded_from_one_model(models):
    assert made(models, OURS) == [("float16", None), ("int8", None), ("int4", 7)]
    assert models.asked == [{"encoder_cut": 0.45}, {"encoder_cut": 0.45, "weights": "int4"}]


def test_only_the_wanted_forms_are_made(models):
    assert made(models, OURS, ["int4"]) == [("int4", 7)]
    assert models.asked == [{"encoder_cut": 0.45, "weights": "int4"}]
    assert made(models, OURS, []) == []
    assert len(models.asked) == 1


def test_a_base_model_is_rounded_in_every_form(models):
    assert made(models, System("theirs", "original")) == [(form, None) for form in STORED]
    assert models.asked == ["original"]


def test_every_base_model_is_there_as_it_is_and_with_lora_and_ours_with_nothing_cut():
    found = systems([0.2, 0.45], has_smaller=True)
    for is_smaller in (False, True):
        mine = [system for system in found if system.is_smaller is is_smaller]
        assert any(not system.job and not system.has_lora for system in mine)
        assert any(system.has_lora for system in mine)
        assert any(system.job.get("encoder_cut") == 0 for system in mine)
    assert len({system.name for system in found}) == len(found)
    assert not any(system.is_smaller for system in systems([0.45], has_smaller=False))


def test_rows_are_compared_with_the_original_wherever_it_stands():
    row = {"family": "original", "precision": "float16"}
    assert original_of([{"family": "ours", "precision": "float16"}, row | {"precision": "int8"}, row]) is row

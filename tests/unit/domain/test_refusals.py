"""What a person reads of settings that cannot be used."""

from typing import Any

import pytest
from pydantic import ValidationError

from adaptwin_core.domain.contradictions import contradictions
from adaptwin_core.domain.refusals import sentences, unknown_name
from adaptwin_core.domain.spec import CompressionSpec


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"encoder_cutt": 0.4}, ["unknown setting encoder_cutt: did you mean encoder_cut?"]),
        ({"Encoder_Cut": 0.4}, ["unknown setting Encoder_Cut: did you mean encoder_cut?"]),
        ({"personalSteps": 1}, ["unknown setting personalSteps: did you mean personal_steps?"]),
        ({"cut": 1}, ["unknown setting cut: did you mean encoder_cut or decoder_cut or model_cut?"]),
        ({"lang": "de"}, ["unknown setting lang: did you mean language or languages?"]),
        ({"steps": 1}, ["did you mean layer_steps or personal_steps or tune_steps or scale_steps?"]),
        ({"learning_rate": 1}, ["did you mean layer_learning_rate or tune_learning_rate?"]),
        ({"wer": 1}, ["did you mean max_wer?"]),
        ({"zzzz": 1}, ["unknown setting zzzz: the documentation lists those that there are"]),
        ({"ranks": {"neuron": 9}}, ["unknown setting neuron: did you mean neurons?"]),
        ({"{x}": 1}, ["unknown setting {x}: the documentation lists those that there are"]),
        ({"encoder_cut": 0.9}, ["encoder_cut must be less than or equal to 0.8, not 0.9"]),
        ({"personal_steps": "many"}, ["personal_steps must be a valid integer, not 'many'"]),
        ({"weights": "int2"}, ["weights must be 'float16', 'int8' or 'int4', not 'int2'"]),
        ({"ranks": {"qk": 0}}, ["ranks.qk must be greater than or equal to 1, not 0"]),
        ({"seed": None}, ["seed must be a valid integer, not null"]),
        ({"ranks": 8}, ["ranks must be a JSON object"]),
        ({"encoder_cut": 0, "personal_steps": 0}, ["nothing would change: set a cut"]),
    ],
)
def test_each_setting_that_is_refused_has_its_sentence(asked: dict[str, Any], told: list[str]):
    with pytest.raises(ValidationError) as refused:
        CompressionSpec.model_validate(asked)
    [sentence] = sentences(refused.value.errors())
    for piece in told:
        assert piece in sentence


def test_every_fault_is_told_at_once():
    with pytest.raises(ValidationError) as refused:
        CompressionSpec.model_validate({"lora_rank": 0, "seeed": 1, "ranks": {"q": 1}})
    assert len(sentences(refused.value.errors())) == 3


def test_where_few_names_are_known_they_are_told():
    assert unknown_name("parameter", "page", ["after", "limit"]) == (
        "unknown parameter page: only after and limit may be given here"
    )
    assert unknown_name("field", "page", ["name"]) == "unknown field page: only name may be given here"
    assert "only a1, b2 and c3 may" in unknown_name("field", "page", ["a1", "b2", "c3"])
    assert unknown_name("parameter", "page", []) == "unknown parameter page: none may be given here"


@pytest.mark.parametrize(
    ("asked", "what"),
    [
        ({"encoder_cut": 0.5, "max_bytes": 20_000_000}, "max_bytes decides the cut: leave encoder_cut out"),
        ({"encoder_cut": 0.35, "max_bytes": 20_000_000}, "max_bytes decides the cut: leave encoder_cut out"),
        ({"decoder_cut": 0.1, "model_cut": 0.3}, "model_cut decides the cut: leave decoder_cut out"),
        ({"encoder_cut": 0.5, "decoder_cut": 0.1, "max_wer": 9}, "leave encoder_cut and decoder_cut out"),
        ({"ranks": {"qk": 8}, "model_cut": 0.3}, "ranks say what every block keeps: leave model_cut out"),
        ({"ranks": {"qk": 8}, "plan": "uniform"}, "ranks say what every block keeps: leave plan out"),
        ({"plan": "uniform", "equal_heads": True}, "equal_heads guides the measured plan"),
    ],
)
def test_settings_that_exclude_one_another_are_named(asked: dict[str, Any], what: str):
    [told] = contradictions(CompressionSpec.model_validate(asked))
    assert what in told


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"max_bytes": 20_000_000},
        {"encoder_cut": 0.5, "max_bytes": None},
        {"encoder_cut": 0.5, "decoder_cut": 0.2},
        {"ranks": {"qk": 8}, "encoder_cut": 0.5, "decoder_cut": 0.2},
        {"personal_steps": 0, "tune_steps": 0, "tune_learning_rate": 1e-4},
    ],
)
def test_what_can_be_meant_together_is_taken(asked: dict[str, Any]):
    spec = CompressionSpec.model_validate(asked)
    assert contradictions(spec) == []
    as_shown = CompressionSpec.model_validate(spec.model_dump(mode="json"))
    assert contradictions(as_shown) == [], "the settings of a job, as the API shows them, can be sent again"

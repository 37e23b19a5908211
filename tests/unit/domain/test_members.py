import pytest

from adaptwin_core.domain.errors import InvalidSpec
from adaptwin_core.domain.members import LADDER, MAX_MODELS, Size, members_of
from adaptwin_core.domain.spec import CompressionSpec

SPEC = CompressionSpec.model_validate({"personal_steps": 40})


def test_a_job_of_one_model_has_the_settings_as_they_are():
    (member,) = members_of(["tiny"], SPEC, None)
    assert (member.base_model, member.spec) == ("tiny", SPEC)


def test_every_base_model_is_made_in_every_size():
    sizes = [Size(encoder_cut=0.2), Size(max_bytes=20_000_000, weights="int4")]
    members = members_of(["tiny", "base"], SPEC, sizes)
    assert [(member.base_model, member.spec.encoder_cut, member.spec.max_bytes) for member in members] == [
        ("tiny", 0.2, None),
        ("tiny", 0.35, 20_000_000),
        ("base", 0.2, None),
        ("base", 0.35, 20_000_000),
    ]
    assert {member.spec.personal_steps for member in members} == {40}


def test_a_size_that_names_the_bits_alone_keeps_the_cut_of_the_settings():
    spec = CompressionSpec.model_validate({"encoder_cut": 0.5})
    (member,) = members_of(["tiny"], spec, [Size(weights="int4")])
    assert (member.spec.encoder_cut, member.spec.weights) == (0.5, "int4")


def test_the_same_model_is_made_once():
    assert len(members_of(["tiny", "tiny"], SPEC, [Size(weights="int8"), Size(weights="int8")])) == 1


def test_the_ladder_has_whole_models_and_cut_ones():
    members = members_of(["tiny", "base"], SPEC, "frontier")
    assert len(members) == 2 * len(LADDER)
    assert {member.spec.is_cut for member in members} == {True, False}


@pytest.mark.parametrize(
    ("settings", "make", "told"),
    [
        ({"decoder_cut": 0.2}, "frontier", "leave decoder_cut out of the settings"),
        ({"max_wer": 5}, [Size(encoder_cut=0.2)], "leave max_wer out"),
        ({"weights": "int8"}, [Size(weights="int4")], "leave weights out"),
        ({}, [Size(max_bytes=10_000_000, model_cut=0.2)], r"make\[0\]: give model_cut or max_bytes, not both"),
        ({}, [Size(encoder_cut=cut / 100) for cut in range(30)], f"up to {MAX_MODELS}"),
    ],
)
def test_a_size_that_contradicts_the_settings_is_refused(settings, make, told):
    with pytest.raises(InvalidSpec, match=told):
        members_of(["tiny"], CompressionSpec.model_validate(settings), make)

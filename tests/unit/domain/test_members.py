import pytest

from adaptwin_core.domain.devices import DEVICES, needs_of
from adaptwin_core.domain.errors import InvalidSpec
from adaptwin_core.domain.members import LADDER, MAX_MODELS, Member, Size, members_of
from adaptwin_core.domain.model_limits import NO_LIMITS, ModelLimits
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.vocabulary import smallest_shape
from tests.published_whispers import shape as shape_of

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


def test_a_wanted_time_becomes_the_smallest_cut_that_is_as_quick():
    shape = shape_of(512, 8, 6)

    def ms(spec: CompressionSpec) -> float:
        share = spec.model_cut or 0.0
        kept = smallest_shape(spec, shape)
        removed = share * shape.total_params - (shape.total_params - kept.total_params)
        part = 1 - max(0.0, removed) / (kept.encoder_params + kept.decoder_layer_params)
        total = kept.total_params - (1 - part) * (kept.encoder_params + kept.decoder_layer_params)
        encoder = int(part * kept.encoder_params)
        needs = needs_of(
            kept, encoder_params=encoder, total_params=int(total), weights_bytes=int(1.06 * total), margin_s=0.5
        )
        return DEVICES["phone"].ms(needs)

    whole, cut = (
        Member(base_model="base", spec=CompressionSpec(weights="int8"), max_ms=max_ms).spec_for(
            shape, ModelLimits(device="phone")
        )
        for max_ms in (1000, 220)
    )
    assert (whole.encoder_cut, whole.model_cut) == (0, None)
    assert 0.1 < (cut.model_cut or 0) < 0.75
    assert 210 < ms(cut) <= 221
    with pytest.raises(InvalidSpec, match="even at the deepest cut it takes"):
        Member(base_model="base", spec=SPEC, max_ms=1).spec_for(shape, ModelLimits(device="phone"))
    with pytest.raises(InvalidSpec, match="needs the device"):
        Member(base_model="base", spec=SPEC, max_ms=100).spec_for(shape, NO_LIMITS)


@pytest.mark.parametrize(
    ("settings", "make", "told"),
    [
        ({"decoder_cut": 0.2}, "frontier", "leave decoder_cut out of the settings"),
        ({"max_wer": 5}, [Size(encoder_cut=0.2)], "leave max_wer out"),
        ({"weights": "int8"}, [Size(weights="int4")], "leave weights out"),
        ({"encoder_cut": 0.2}, [Size(max_ms=100)], "leave encoder_cut out of the settings"),
        ({}, [Size(max_ms=100, encoder_cut=0.2)], r"make\[0\]: max_ms decides the cut: leave encoder_cut out"),
        ({}, [Size(max_bytes=10_000_000, model_cut=0.2)], r"make\[0\]: give model_cut or max_bytes, not both"),
        ({}, [Size(encoder_cut=cut / 100) for cut in range(30)], f"up to {MAX_MODELS}"),
    ],
)
def test_a_size_that_contradicts_the_settings_is_refused(settings, make, told):
    with pytest.raises(InvalidSpec, match=told):
        members_of(["tiny"], CompressionSpec.model_validate(settings), make)

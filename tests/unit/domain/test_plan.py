"""Plans meet their budgets on every published Whisper, and say so when they cannot."""

import pytest

from adaptwin_core.domain.errors import InvalidSpec
from adaptwin_core.domain.planner import make_plan
from adaptwin_core.domain.shape import BlockId
from adaptwin_core.domain.spec import CompressionSpec, SpectralRanks
from tests.published_whispers import WHISPERS

# Millions of parameters, without the encoder's fixed positions: as LiteASR's model cards and peers.md count them.
PUBLISHED = {"tiny": (7.63, 29.55), "base": (19.82, 52.00), "small": (87.00, 153.58), "medium": (305.68, 456.64)}


@pytest.mark.parametrize("name", PUBLISHED)
def test_counts_match_the_published_ones(name):
    found = WHISPERS[name]
    assert (round(found.encoder_params / 1e6, 2), round(found.decoder_params / 1e6, 2)) == PUBLISHED[name]


@pytest.mark.parametrize("name", WHISPERS)
@pytest.mark.parametrize("cut", [0.1, 0.2, 0.35, 0.45, 0.6])
@pytest.mark.parametrize("kind", ["uniform", "successive"])
def test_a_plan_removes_what_was_asked_and_little_more(name, cut, kind):
    found = WHISPERS[name]
    plan = make_plan(CompressionSpec(encoder_cut=cut, plan=kind), found)
    removed = 1 - plan.encoder_params(found) / found.encoder_params
    assert cut <= removed < cut + 0.02
    assert plan.total_params(found) == found.total_params - plan.params_removed(found, "encoder")


def test_the_successive_plan_cuts_the_first_layers_alone_with_the_same_ranks():
    plan = make_plan(CompressionSpec(encoder_cut=0.35, plan="successive"), WHISPERS["base"])
    assert sorted(BlockId.parse(name).layer for name in plan.blocks) == [0, 1, 2, 3]
    assert len(set(plan.blocks.values())) == 1


def test_a_decoder_cut_reaches_self_and_cross_attention():
    plan = make_plan(CompressionSpec(encoder_cut=0, decoder_cut=0.3), WHISPERS["base"])
    kinds = {(BlockId.parse(name).half, BlockId.parse(name).attention) for name in plan.blocks}
    assert kinds == {("decoder", "self"), ("decoder", "cross")}
    assert plan.params_removed(WHISPERS["base"], "decoder") >= 0.3 * WHISPERS["base"].decoder_layer_params


def test_ranks_by_hand_are_taken_as_given():
    plan = make_plan(CompressionSpec(ranks=SpectralRanks(qk=16, neurons=1024, ff=100)), WHISPERS["base"])
    assert {(p.qk, p.vo, p.neurons, p.fc1, p.fc2) for p in plan.blocks.values()} == {(16, None, 1024, 100, 100)}


@pytest.mark.parametrize(
    "ranks",
    [
        SpectralRanks(qk=65),
        SpectralRanks(vo=100),
        SpectralRanks(ff=513),
        SpectralRanks(neurons=2049),
        SpectralRanks(neurons=256, ff=300),
    ],
)
def test_a_rank_larger_than_the_model_is_refused(ranks):
    with pytest.raises(InvalidSpec, match="more than"):
        make_plan(CompressionSpec(ranks=ranks), WHISPERS["base"])


@pytest.mark.parametrize("name", WHISPERS)
def test_a_budget_for_the_whole_model_is_met_by_both_halves(name):
    found = WHISPERS[name]
    share = 0.3 * (found.encoder_params + found.decoder_layer_params) / found.total_params
    plan = make_plan(CompressionSpec(model_cut=share, plan="uniform"), found)
    assert share <= 1 - plan.total_params(found) / found.total_params < share + 0.02
    assert plan.params_removed(found, "decoder") >= 0.3 * found.decoder_layer_params
    limit = int(2 * found.total_params * (1 - share))
    small = make_plan(CompressionSpec(max_bytes=limit, plan="uniform"), found)
    assert 0.97 * limit < 2 * small.total_params(found) <= limit


def test_a_budget_smaller_than_the_embeddings_is_refused_with_the_least_that_is_possible():
    with pytest.raises(InvalidSpec, match=r"at least 3[0-9],[0-9]{3},[0-9]{3} parameters"):
        make_plan(CompressionSpec(max_bytes=40_000_000), WHISPERS["base"])


def test_a_cut_out_of_reach_is_refused():
    with pytest.raises(InvalidSpec, match="reach"):
        make_plan(CompressionSpec(encoder_cut=0.8, plan="uniform"), WHISPERS["tiny"])


@pytest.mark.parametrize("name", ["encoder.1.cross.2", "encoder.x.self", "../etc", "decoder.1"])
def test_a_name_of_another_form_is_no_block(name):
    with pytest.raises(InvalidSpec):
        BlockId.parse(name)


def test_with_nothing_to_cut_the_plan_is_empty():
    assert make_plan(CompressionSpec(encoder_cut=0), WHISPERS["base"]).blocks == {}


@pytest.mark.parametrize(
    ("asked", "steps"),
    [
        ({}, (0, 320)),
        ({"model_cut": 0.2, "encoder_cut": 0}, (0, 320)),
        ({"encoder_cut": 0}, (240, 80)),  # there is no training but the first
        ({"tune_steps": 10}, (240, 10)),
        ({"personal_steps": 30}, (30, 80)),
    ],
)
def test_a_speaker_without_transcripts_is_learnt_after_the_cut_unless_steps_are_asked_for(asked, steps):
    spec = CompressionSpec.model_validate(asked).without_transcripts()
    assert (spec.personal_steps, spec.tune_steps) == steps


@pytest.mark.parametrize(
    ("spec", "why"), [({"personal_steps": 0}, "nothing would change"), ({"ranks": {"qk": 32}}, "whose cut is not 0")]
)
def test_with_nothing_to_cut_something_else_must_be_asked(spec, why):
    with pytest.raises(ValueError, match=why):
        CompressionSpec.model_validate({"encoder_cut": 0} | spec)
    CompressionSpec.model_validate({"encoder_cut": 0, "personal_steps": 0, "weights": "int8"})

"""The measured plan: meets its budget at the least loss, against brute force where that is possible."""

from itertools import product

import pytest

from adaptwin_core.domain.allocation import allocate
from adaptwin_core.domain.errors import InvalidSpec
from adaptwin_core.domain.plan import SCORE_COST, BlockPlan, block_params, block_work
from adaptwin_core.domain.planner import make_plan
from adaptwin_core.domain.sensitivity import Sensitivity, fewer_heads, sizes_of
from adaptwin_core.domain.shape import BlockId, blocks_of
from adaptwin_core.domain.spec import CompressionSpec
from tests.published_whispers import WHISPERS

BASE = WHISPERS["base"]
ENCODER_BLOCK = BlockId.parse("encoder.0.self")


def sensitivities(shape, part="encoder", *, price=lambda layer, _part: 1.0):
    """Losses that grow with the square of what goes, dearer where `price` says so."""
    found = {}
    for block in blocks_of(shape, part):
        size = shape.head_size(part)
        sizes = {"heads": shape.heads(part), "qk": size, "vo": size, "neurons": shape.ffn(part)}
        found[str(block)] = [
            Sensitivity(part=name, kept=kept, loss=price(block.layer, name) * (1 - kept / sizes[name]) ** 2)
            for name, kept in sizes_of(shape, block)
        ]
    return found


def removed(shape, plans):
    return sum(
        block_params(shape, BlockId.parse(name), BlockPlan()) - block_params(shape, BlockId.parse(name), plan)
        for name, plan in plans.items()
    )


@pytest.mark.parametrize("name", WHISPERS)
@pytest.mark.parametrize("cut", [0.05, 0.2, 0.45, 0.6])
@pytest.mark.parametrize("equal_heads", [False, True])
def test_a_measured_plan_removes_what_was_asked_and_little_more(name, cut, equal_heads):
    shape = WHISPERS[name]
    plan = make_plan(CompressionSpec(encoder_cut=cut, equal_heads=equal_heads), shape, sensitivities(shape))
    share = 1 - plan.encoder_params(shape) / shape.encoder_params
    assert cut <= share < cut + 0.02
    for block in plan.blocks.values():
        assert all(size is None or size % 8 == 0 for size in (block.qk, block.vo, block.neurons))
        assert not equal_heads or block.qk == block.vo


def test_parameters_go_first_where_they_are_missed_least():
    def price(layer, part):
        return 100.0 if layer == 2 or part == "vo" else 1.0

    plan = make_plan(CompressionSpec(encoder_cut=0.3), BASE, sensitivities(BASE, price=price))
    kept = plan.blocks.get("encoder.2.self", BlockPlan())
    others = [block for name, block in plan.blocks.items() if name != "encoder.2.self"]
    assert (kept.neurons or BASE.encoder_ffn) > max(block.neurons for block in others)
    assert all(block.vo is None for block in others)
    assert all(block.heads for block in others)


def test_no_other_choice_of_the_sizes_is_better():
    """On one layer, at every total that hull points can reach, brute force finds nothing cheaper for what is saved."""
    shape = BASE.model_copy(update={"encoder_layers": 1})
    prices = {"heads": 2.0, "qk": 1.0, "vo": 5.0, "neurons": 3.0}
    of_block = sensitivities(shape, price=lambda _layer, part: prices[part])
    parts = {part: [None, *(o for o in of_block["encoder.0.self"] if o.part == part)] for part in prices}
    choices = []
    for chosen in product(*parts.values()):
        sizes = {found.part: found.kept for found in chosen if found}
        saved = removed(shape, {"encoder.0.self": BlockPlan.model_validate(sizes)})
        choices.append((saved, sum(found.loss for found in chosen if found), sizes))
    loss_of = {(o.part, o.kept): o.loss for o in of_block["encoder.0.self"]}
    checked = 0
    for budget in range(50_000, 1_800_000, 50_000):
        plan = allocate(shape, of_block, budget).blocks["encoder.0.self"].model_dump(exclude_none=True)
        if not all((part, kept) in loss_of for part, kept in plan.items()):
            continue  # stopped between two measured numbers of neurons
        saved = removed(shape, {"encoder.0.self": BlockPlan.model_validate(plan)})
        ours = sum(loss_of[part, kept] for part, kept in plan.items())
        assert ours <= min(loss for s, loss, _ in choices if s >= saved) + 1e-9
        checked += 1
    assert checked > 5


def test_a_larger_budget_only_takes_more():
    found = sensitivities(BASE, price=lambda layer, part: layer + 1 + 3 * (part == "vo"))
    small, large = (allocate(BASE, found, budget).blocks for budget in (2_000_000, 6_000_000))
    for name in small:
        assert removed(BASE, {name: small[name]}) <= removed(BASE, {name: large[name]})


def test_a_plan_for_ctranslate2_saves_more_work_of_the_same_parameters():
    found = sensitivities(BASE, price=lambda layer, part: 1.0 + layer / 10)
    plans = {
        plan_for: make_plan(CompressionSpec(encoder_cut=0.35, plan_for=plan_for), BASE, found)
        for plan_for in ("any", "ctranslate2")
    }
    work = {
        name: sum(block_work(BASE, BlockId.parse(block), kept) for block, kept in plan.blocks.items())
        + (BASE.encoder_layers - len(plan.blocks)) * block_work(BASE, ENCODER_BLOCK, BlockPlan())
        for name, plan in plans.items()
    }
    assert work["ctranslate2"] < work["any"]
    assert all(kept.qk == kept.vo for kept in plans["ctranslate2"].blocks.values())
    assert plans["ctranslate2"].params_removed(BASE, "encoder") >= 0.35 * BASE.encoder_params


@pytest.mark.parametrize(("cut", "dear", "heads"), [(0.05, 100.0, 8), (0.45, 0.01, 4), (0.8, 1.0, 4)])
def test_a_plan_for_ctranslate2_keeps_one_even_number_of_heads(cut, dear, heads):
    """All where they are dear and little must go; few where they are cheap, or where nothing else reaches the cut."""
    found = sensitivities(BASE, price=lambda _layer, part: dear if part == "heads" else 1.0)
    plan = make_plan(CompressionSpec(encoder_cut=cut, plan_for="ctranslate2"), BASE, found)
    assert {kept.heads or 8 for kept in plan.blocks.values()} == {heads}


@pytest.mark.parametrize("name", ["base", "large-v3"])
@pytest.mark.parametrize("cut", [0.01, 0.05, 0.2])
def test_a_plan_for_ctranslate2_removes_little_more_than_was_asked(name, cut):
    """However cheap heads are: two of all layers are more than a small cut asks for."""
    shape = WHISPERS[name]
    found = sensitivities(shape, price=lambda _layer, part: 0.01 if part == "heads" else 1.0)
    plan = make_plan(CompressionSpec(encoder_cut=cut, plan_for="ctranslate2"), shape, found)
    assert cut <= 1 - plan.encoder_params(shape) / shape.encoder_params < cut + 0.02


@pytest.mark.parametrize("num_heads", [None, 8, 6])
@pytest.mark.parametrize("budget", [3_000_000, 9_000_000])
def test_the_loss_of_a_plan_is_the_sum_of_what_its_parts_lose(num_heads, budget):
    """Between two measured numbers of neurons it is the straight line's, which is not below the curve's."""
    found = sensitivities(BASE, price=lambda layer, part: 1.0 + layer + 2 * (part == "vo"))
    plan = allocate(BASE, found, budget, num_heads=num_heads)
    sizes = {"heads": 8, "qk": 64, "vo": 64, "neurons": 2048}
    lost = sum(
        (1.0 + BlockId.parse(name).layer + 2 * (part == "vo")) * (1 - (getattr(kept, part) or whole) / whole) ** 2
        for name, kept in plan.blocks.items()
        for part, whole in sizes.items()
    )
    assert plan.loss == pytest.approx(lost, rel=0.02)
    assert removed(BASE, plan.blocks) >= budget
    assert num_heads is None or {kept.heads or 8 for kept in plan.blocks.values()} == {num_heads}


@pytest.mark.parametrize("other", [{"plan": "uniform"}, {"ranks": {"qk": 32}}])
def test_only_the_measured_plan_can_be_for_a_runtime(other):
    with pytest.raises(ValueError, match="plan_for guides the measured plan"):
        CompressionSpec.model_validate({"plan_for": "ctranslate2"} | other)


def test_the_work_of_an_encoder_block_by_hand():
    """Whisper base: 1500 positions; 8 heads of 64 on a width of 512; 2048 neurons."""
    projections, attention, ff = 4 * 512 * 512 * 1500, 2 * 1500 * 1500 * 512, 2 * 512 * 2048 * 1500
    scores = SCORE_COST * 8 * 1500 * 1500
    assert block_work(BASE, ENCODER_BLOCK, BlockPlan()) == projections + attention + ff + scores
    half = BlockPlan(qk=32, vo=32, neurons=1024)
    assert block_work(BASE, ENCODER_BLOCK, half) == (projections + attention + ff) // 2 + scores
    half = BlockPlan(heads=4, neurons=1024)
    assert block_work(BASE, ENCODER_BLOCK, half) == (projections + attention + ff + scores) // 2


def test_a_decoder_keeps_its_heads():
    counts = {name: fewer_heads(WHISPERS[name], "encoder") for name in ("tiny", "base", "small", "large-v3")}
    assert counts == {"tiny": [5, 4, 3], "base": [7, 6, 5, 4], "small": [10, 8, 6], "large-v3": [18, 16, 14, 12, 10]}
    assert fewer_heads(BASE, "decoder") == []


def test_decoder_self_attention_has_no_neurons():
    assert {part for part, _ in sizes_of(BASE, BlockId.parse("decoder.0.self"))} == {"qk", "vo"}
    plan = make_plan(CompressionSpec(encoder_cut=0, decoder_cut=0.3), BASE, sensitivities(BASE, "decoder"))
    assert plan.params_removed(BASE, "decoder") >= 0.3 * BASE.decoder_layer_params
    assert all(plan.blocks[name].neurons is None for name in plan.blocks if name.endswith("decoder.0.self"))


def test_a_budget_beyond_all_sizes_is_refused():
    with pytest.raises(InvalidSpec, match="reach"):
        allocate(BASE, sensitivities(BASE), 18_000_000)

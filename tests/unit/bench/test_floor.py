"""Floors count what is multiplied: as torch counts it operator by operator, forward and back."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode, sdpa_backward_flop_count, sdpa_flop_count
from transformers import WhisperForConditionalGeneration

from adaptwin_core.ml.model.adapter import decode, encode, is_in_a_layer, token_logits
from adaptwin_core.ml.training.adapters import with_adapters, without_wrapper
from bench.floor import Products, fastest_rates, floor_seconds
from bench.gpu.made_up import SHAPES
from bench.sizes import config_of


def _backward(gradient: Any, query: Any, key: Any, value: Any, *_args: Any, **_kwargs: Any) -> int:
    return int(sdpa_backward_flop_count(gradient, query, key, value))  # type: ignore[no-untyped-call]


def _forward(query: Any, key: Any, value: Any, *_args: Any, **_kwargs: Any) -> int:
    return int(sdpa_flop_count(query, key, value))  # type: ignore[no-untyped-call]


# torch's counter knows the attentions of GPUs
ATTENTION = {
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _forward,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: _backward,
}


def by_torch(work: Callable[[], object]) -> int:
    with FlopCounterMode(display=False, custom_mapping=ATTENTION) as counter:
        work()
    return int(counter.get_total_flops())


def by_us(work: Callable[[], object]) -> int:
    with Products() as products:
        work()
    return products.flops.total()


@pytest.fixture(scope="module")
def model() -> Any:
    config = config_of(SHAPES["smallest"])
    config._attn_implementation = "sdpa"
    return WhisperForConditionalGeneration(config).eval()


def run(model: Any) -> torch.Tensor:
    encoded = encode(model, torch.randn(1, model.config.num_mel_bins, 400))
    return token_logits(model, decode(model, torch.randint(0, 100, (1, 12)), encoded))


@torch.no_grad()
def test_a_pass_forward_is_counted_as_torch_counts_it(model):
    assert by_us(lambda: run(model)) == pytest.approx(by_torch(lambda: run(model)), rel=0.001)


@pytest.mark.parametrize("trained", ["adapters", "weights"])
def test_a_step_of_training_is_counted_as_torch_counts_it(model, trained):
    model.requires_grad_(trained == "weights")
    running = without_wrapper(with_adapters(model, is_in_a_layer, 4)) if trained == "adapters" else model
    # torch's own count of the backward attention holds the scores again, which are computed a second time
    assert by_us(lambda: run(running).sum().backward()) == pytest.approx(
        by_torch(lambda: run(running).sum().backward()), rel=0.05
    )


def test_each_type_has_its_rate():
    rates = fastest_rates(torch.device("cpu"))
    assert all(1e8 < rate < 1e14 for rate in rates.values())
    assert floor_seconds({"float32": 20, "bfloat16": 30}, {"float32": 10.0, "bfloat16": 30.0}) == 3.0

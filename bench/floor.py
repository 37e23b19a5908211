"""The least time that work can take on a device: what it multiplies, counted, over the fastest rate measured there."""

import time
from collections.abc import Callable
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode, sdpa_backward_flop_count, sdpa_flop_count

from adaptwin_core.ml.model.precision import multiplies_bfloat16

SIZE = 2048  # rows and columns of the matrices whose product is timed
NUM_RUNS = 8


def count_flops(work: Callable[[], object]) -> int:
    """Do `work` and return the floating point operations of its products, convolutions and attentions."""
    with FlopCounterMode(display=False, custom_mapping=_CPU_ATTENTION) as counter:
        work()
    return int(counter.get_total_flops())


def fastest_rate(where: torch.device) -> float:
    """Return the floating point operations a second of a large product, the best of some, in the type that tuning
    multiplies in there.
    """
    kind = torch.bfloat16 if multiplies_bfloat16(where) else torch.float32
    a, b = torch.randn(2, SIZE, SIZE, device=where).to(kind)
    return 2 * SIZE**3 / min(_seconds(a, b) for _ in range(NUM_RUNS))


def _seconds(a: torch.Tensor, b: torch.Tensor) -> float:
    began = time.perf_counter()
    product = a @ b
    if product.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - began


def _forward(query: Any, key: Any, value: Any, *_args: Any, **_kwargs: Any) -> int:
    return int(sdpa_flop_count(query, key, value))  # type: ignore[no-untyped-call]


def _backward(gradient: Any, query: Any, key: Any, value: Any, *_args: Any, **_kwargs: Any) -> int:
    return int(sdpa_backward_flop_count(gradient, query, key, value))  # type: ignore[no-untyped-call]


# The counter knows the attentions of GPUs.
_CPU_ATTENTION = {
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _forward,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: _backward,
}

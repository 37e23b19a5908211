"""The least time that work can take on a device: what its layers multiply, counted, over the fastest rate measured
there.

Shape letters: B batch, T query positions, S key positions.
"""

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any, Self

import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_hook
from transformers.models.whisper.modeling_whisper import WhisperAttention

SIZES = {"cuda": 8192, "cpu": 1024}  # rows and columns of the matrices whose product is timed: they fill the device
NUM_RUNS = 8
BACKWARD_OF_ATTENTION = 2  # products of the size of the forward ones: gradients of queries, keys, scores and values


class Products:
    """Counts the floating point operations of every linear layer, convolution and attention that runs while it is
    open, backward passes included, by the type that they are computed in.

    Hooks cost some microseconds a module, where a counter of every operator would double the time of a small kernel.
    The algebra of a cut (moments, factorizations) is not counted.
    """

    def __init__(self) -> None:
        self.flops: Counter[str] = Counter()
        self._positions: dict[int, int] = {}  # of a linear layer's last output, by the layer's id

    def __enter__(self) -> Self:
        self._handle = register_module_forward_hook(self._ran)
        return self

    def __exit__(self, *_raised: object) -> None:
        self._handle.remove()

    def _ran(self, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        if isinstance(module, nn.Linear):
            self._positions[id(module)] = output.shape[-2]
            self._add(output, 2 * output.numel() * module.in_features * _passes(module, inputs[0]))
        elif isinstance(module, nn.Conv1d):
            each = 2 * module.in_channels * module.kernel_size[0]
            self._add(output, output.numel() * each * _passes(module, inputs[0]))
        elif isinstance(module, WhisperAttention):
            out_BTD = output[0]
            backward = BACKWARD_OF_ATTENTION if out_BTD.requires_grad else 0
            self._add(out_BTD, self._attention(module, *out_BTD.shape[:2]) * (1 + backward))

    def _attention(self, module: Any, num_rows: int, num_queries: int) -> int:
        """Return the operations of scores and of their sums over values: B·T·S of each, for every column."""
        key = getattr(module.k_proj, "base_layer", module.k_proj)  # inside an adapter
        value = getattr(module.v_proj, "base_layer", module.v_proj)
        return int(2 * num_rows * num_queries * self._positions[id(key)] * (key.out_features + value.out_features))

    def _add(self, output: torch.Tensor, flops: int) -> None:
        self.flops[str(output.dtype).removeprefix("torch.")] += flops


def _passes(module: nn.Linear | nn.Conv1d, x: torch.Tensor) -> int:
    """Return how many products of the same size a layer costs: forward, and one each for the gradients it gives."""
    if not torch.is_grad_enabled():
        return 1
    return 1 + int(x.requires_grad) + int(module.weight.requires_grad)


def floor_seconds(flops: Mapping[str, int], rates: Mapping[str, float]) -> float:
    """Return the least time of the counted operations, at the rate of the type that each is computed in."""
    return sum(count / rates[kind] for kind, count in flops.items())


def fastest_rates(where: torch.device) -> dict[str, float]:
    """Return the floating point operations a second of a large product, the best of some, by type."""
    return {str(kind).removeprefix("torch."): _rate(where, kind) for kind in (torch.float32, torch.bfloat16)}


def _rate(where: torch.device, kind: torch.dtype) -> float:
    size = SIZES[where.type]
    a, b = torch.randn(2, size, size, device=where).to(kind)
    return 2 * size**3 / min(_seconds(a, b) for _ in range(NUM_RUNS))


def _seconds(a: torch.Tensor, b: torch.Tensor) -> float:
    finish(a.device)
    began = time.perf_counter()
    _ = a @ b
    finish(a.device)
    return time.perf_counter() - began


def finish(where: torch.device) -> None:
    """Wait until a GPU has done what it was given."""
    if where.type == "cuda":
        torch.cuda.synchronize(where)

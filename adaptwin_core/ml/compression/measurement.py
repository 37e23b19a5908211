"""Hooks that add up the moments of original layers while a model runs.

Shape letters: D width, E columns of all heads, K head size, H heads, F neurons, B batch, T positions, N = B x T.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from adaptwin_core.domain.shape import BlockId
from adaptwin_core.ml.compression.moments import MomentName, MomentSums
from adaptwin_core.ml.model.adapter import block_modules

# The neurons' second moment is most of what measuring costs, and neighbouring positions of the encoder, 20 ms apart,
# are much alike: every third one is counted.
FF_STRIDE = 3
LONG = 1000  # positions from which on that is done


@contextmanager
def measuring(
    layers: Sequence[tuple[BlockId, nn.Module]], sums: dict[str, MomentSums] | None = None
) -> Iterator[dict[str, MomentSums]]:
    """While open, add every forward through the given original layers to the sums of their blocks.

    Each row of a batch must be a whole window, since keys are centred within it.

    Args:
        sums: to add to, by block name; None starts new ones.
    """
    if sums is None:
        sums = {str(block): MomentSums() for block, _ in layers}
    handles = [handle for block, layer in layers for handle in _watch(layer, block, sums[str(block)])]
    try:
        yield sums
    finally:
        for handle in handles:
            handle.remove()


def _watch(layer: nn.Module, block: BlockId, sums: MomentSums) -> Iterator[Any]:
    modules = block_modules(layer, block)
    num_heads, value_bias_E = modules.num_heads, modules.value.bias

    def queries(output_BTE: Tensor) -> None:
        sums.add("q_HKK", _head_moments(output_BTE, num_heads), _num_positions(output_BTE))

    def keys(output_BTE: Tensor) -> None:
        centred_BTE = output_BTE - output_BTE.mean(dim=1, keepdim=True)
        sums.add("k_HKK", _head_moments(centred_BTE, num_heads), _num_positions(output_BTE))

    def attended(input_BTE: Tensor) -> None:
        _add_vectors(sums, "z_DD", "z_D", (input_BTE - value_bias_E).flatten(0, 1))

    yield modules.query.register_forward_hook(_on_output(queries))
    yield modules.key.register_forward_hook(_on_output(keys))
    yield modules.output.register_forward_pre_hook(_on_input(attended))
    if modules.ff_first is None:
        return

    def ff_inputs(input_BTD: Tensor) -> None:
        _add_vectors(sums, "x_DD", "x_D", input_BTD.flatten(0, 1))

    def neurons(input_BTF: Tensor) -> None:
        _add_vectors(sums, "f_FF", "f_F", _thinned(input_BTF).flatten(0, 1))

    yield modules.ff_first.register_forward_pre_hook(_on_input(ff_inputs))
    yield modules.ff_second.register_forward_pre_hook(_on_input(neurons))


def _on_output(measure: Callable[[Tensor], None]) -> Callable[..., None]:
    return lambda _module, _inputs, output: measure(output.detach().float())


def _on_input(measure: Callable[[Tensor], None]) -> Callable[..., None]:
    return lambda _module, inputs: measure(inputs[0].detach().float())


def _add_vectors(sums: MomentSums, second: MomentName, mean: MomentName, vectors: Tensor) -> None:
    """Add N vectors, one a row."""
    sums.add(second, vectors.mT @ vectors, len(vectors))
    sums.add(mean, vectors.sum(0), len(vectors))


def _thinned(f_BTF: Tensor) -> Tensor:
    """Return every `FF_STRIDE`-th position of a long sequence; a short one, as decoders see, whole."""
    return f_BTF[:, ::FF_STRIDE] if f_BTF.shape[1] > LONG else f_BTF


def _head_moments(x_BTE: Tensor, num_heads: int) -> Tensor:
    x_HNK = x_BTE.flatten(0, 1).unflatten(-1, (num_heads, -1)).transpose(0, 1)
    return x_HNK.mT @ x_HNK


def _num_positions(x_BTE: Tensor) -> int:
    return x_BTE.shape[0] * x_BTE.shape[1]

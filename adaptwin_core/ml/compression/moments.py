"""Second moments of what flows through each block: all that the closed-form cuts need to know of the speech.

Sums over positions, kept in float64, so they add up across windows, shards and workers. Shape letters: H heads, K
head size, D width, F feed-forward neurons, B batch, T positions, N = B x T.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from adaptwin_core.domain.plan import BlockId
from adaptwin_core.ml.model.adapter import block_modules

# The gram of the neurons is most of what measuring costs, and neighbours among the encoder's positions, 20 ms apart,
# are much alike: every third is counted.
FF_STRIDE = 3
LONG = 1000  # positions
# Of the neurons' mean variance, added to each for every neuron a position: docs/history.md, "Decoder".
SHRINKAGE = 0.05


@dataclass
class Moments:
    """Sums for one block over `counts[name]` positions.

    `sums` holds q_HKK (queries, bias included, unscaled), k_HKK (keys, centred within each window: softmax ignores
    what is common to all keys), z_DD and z_D (attended values, without the value bias), and where the block has a
    feed-forward x_DD and x_D (inputs of fc1), f_FF and f_F (inputs of fc2).
    """

    sums: dict[str, Tensor] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, value: Tensor, count: int) -> None:
        # In place: of a large model all sums together are many gigabytes.
        if name in self.sums:
            self.sums[name] += value
        else:
            self.sums[name] = value.to(torch.float64, copy=True)
        self.counts[name] = self.counts.get(name, 0) + count

    def __add__(self, other: "Moments") -> "Moments":
        total = Moments()
        for part in (self, other):
            for name, value in part.sums.items():
                total.add(name, value, part.counts[name])
        return total

    def means(self) -> dict[str, Tensor]:
        """Return every sum divided by its count."""
        return {name: value / max(self.counts[name], 1) for name, value in self.sums.items()}

    def to_tensors(self, prefix: str) -> dict[str, Tensor]:
        """Return the sums and counts as tensors for a safetensors file, names starting with `prefix`."""
        tensors = {f"{prefix}.sum.{name}": value.cpu() for name, value in self.sums.items()}
        counts = {f"{prefix}.count.{name}": torch.tensor(value) for name, value in self.counts.items()}
        return tensors | counts

    @classmethod
    def from_tensors(cls, tensors: dict[str, Tensor], prefix: str) -> "Moments":
        sums, counts = f"{prefix}.sum.", f"{prefix}.count."
        return cls(
            {name.removeprefix(sums): value for name, value in tensors.items() if name.startswith(sums)},
            {name.removeprefix(counts): int(value) for name, value in tensors.items() if name.startswith(counts)},
        )


def mix(
    speaker: Moments, general: Moments | None, speaker_weight: float, shrinkage: float = SHRINKAGE
) -> dict[str, Tensor]:
    """Return λ·E_speaker + (1-λ)·E_general of every moment, per position; the speaker's alone where there is no
    general speech. The neurons' are shrunk.
    """
    means, positions = speaker.means(), float(speaker.counts.get("f_FF", 0))
    if general is not None and general.sums:
        general_weight, others = 1 - speaker_weight, general.means()
        means = {name: speaker_weight * mean + general_weight * others[name] for name, mean in means.items()}
        if "f_FF" in means:  # so many of one kind would be as sure
            weights = ((speaker_weight, speaker), (general_weight, general))
            positions = 1 / sum(weight**2 / kind.counts["f_FF"] for weight, kind in weights)
    if "f_FF" in means:
        means["f_FF"] = _shrunk(means["f_FF"], means["f_F"], shrinkage / positions)
    return means


def _shrunk(f_FF: Tensor, f_F: Tensor, share: float) -> Tensor:
    """Add to the diagonal what the few positions that a decoder sees leave open.

    Where neurons are nearly as many as positions, every neuron seems to be a sum of others (Ledoit and Wolf 2004).
    """
    variance = (f_FF.diagonal() - f_F.square()).mean()
    return f_FF + (share * len(f_F) * variance) * torch.eye(len(f_F), dtype=f_FF.dtype, device=f_FF.device)


@contextmanager
def measuring(
    layers: Sequence[tuple[BlockId, nn.Module]], moments: dict[str, Moments] | None = None
) -> Iterator[dict[str, Moments]]:
    """While open, add every forward through the given original layers to one `Moments` a block: new ones, or those
    given.

    Windows must be whole sequences of a batch (keys are centred within each).
    """
    if moments is None:
        moments = {str(block): Moments() for block, _ in layers}
    handles = [handle for block, layer in layers for handle in _watch(layer, block, moments[str(block)])]
    try:
        yield moments
    finally:
        for handle in handles:
            handle.remove()


def _watch(layer: nn.Module, block: BlockId, moments: Moments) -> Iterator[Any]:
    modules = block_modules(layer, block)
    attention: Any = modules.attention
    num_heads = int(attention.num_heads)

    def queries(output_BTD: Tensor) -> None:
        moments.add("q_HKK", _head_grams(output_BTD, num_heads), _num_positions(output_BTD))

    def keys(output_BTD: Tensor) -> None:
        centred = output_BTD - output_BTD.mean(dim=1, keepdim=True)
        moments.add("k_HKK", _head_grams(centred, num_heads), _num_positions(output_BTD))

    def attended(input_BTD: Tensor) -> None:
        z_ND = (input_BTD - attention.v_proj.bias).flatten(0, 1)
        _add_gram(moments, "z", z_ND)

    yield attention.q_proj.register_forward_hook(_on_output(queries))
    yield attention.k_proj.register_forward_hook(_on_output(keys))
    yield attention.out_proj.register_forward_pre_hook(_on_input(attended))
    if modules.fc1 is None or modules.fc2 is None:
        return
    yield modules.fc1.register_forward_pre_hook(_on_input(lambda x: _add_gram(moments, "x", x.flatten(0, 1))))
    yield modules.fc2.register_forward_pre_hook(_on_input(lambda f: _add_gram(moments, "f", _thinned(f).flatten(0, 1))))


def _on_output(measure: Callable[[Tensor], None]) -> Callable[..., None]:
    return lambda _module, _inputs, output: measure(output.detach().float())


def _on_input(measure: Callable[[Tensor], None]) -> Callable[..., None]:
    return lambda _module, inputs: measure(inputs[0].detach().float())


def _add_gram(moments: Moments, name: str, x_ND: Tensor) -> None:
    side = "F" if name == "f" else "D"
    moments.add(f"{name}_{side}{side}", x_ND.mT @ x_ND, len(x_ND))
    moments.add(f"{name}_{side}", x_ND.sum(0), len(x_ND))


def _thinned(f_BTF: Tensor) -> Tensor:
    """Every `FF_STRIDE`-th position of a long sequence; a short one, as decoders see, whole."""
    return f_BTF[:, ::FF_STRIDE] if f_BTF.shape[1] > LONG else f_BTF


def _head_grams(x_BTD: Tensor, num_heads: int) -> Tensor:
    x_HNK = x_BTD.flatten(0, 1).unflatten(-1, (num_heads, -1)).transpose(0, 1)
    return x_HNK.mT @ x_HNK


def _num_positions(x_BTD: Tensor) -> int:
    return x_BTD.shape[0] * x_BTD.shape[1]

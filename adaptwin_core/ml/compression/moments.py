"""Second moments of what flows through each block: all that the closed-form cuts need to know of the speech.

Shape letters: H heads, K head size, D width, E columns of all heads, F feed-forward neurons, N entries of a vector.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import torch
from torch import Tensor

# Each neuron's variance is raised by this share of the neurons' mean variance, for every neuron per position:
# docs/history.md, "Decoder".
SHRINKAGE = 0.05

# As they are stored: queries, keys, attended values, inputs of the first and of the second feed-forward matrix, each
# with its second moment and, but for the first two, its mean.
MomentName = Literal["q_HKK", "k_HKK", "z_DD", "z_D", "x_DD", "x_D", "f_FF", "f_F"]


@dataclass(frozen=True)
class VectorMoments:
    """E[v·vᵀ]_NN and E[v]_N of a vector v of N entries."""

    second_NN: Tensor
    mean_N: Tensor

    @property
    def covariance(self) -> Tensor:
        """E[v·vᵀ] - E[v]·E[v]ᵀ."""
        return self.second_NN - torch.outer(self.mean_N, self.mean_N)

    def to(self, where: torch.device) -> "VectorMoments":
        return VectorMoments(self.second_NN.to(where), self.mean_N.to(where))


@dataclass(frozen=True)
class BlockMoments:
    """The moments of one block, per position, in float64.

    Attributes:
        queries_HKK: E[q·qᵀ] of each head; queries hold their bias and are not scaled.
        keys_HKK: E[k·kᵀ] of each head; keys are centred within each window, since softmax ignores what is common to
            all keys.
        attended: of the attended values z_E of all heads, without the value bias.
        ff_inputs: of what enters the feed-forward, x_D. None where the block has none.
        neurons: of what its neurons say, f_F. None where the block has none.
    """

    queries_HKK: Tensor
    keys_HKK: Tensor
    attended: VectorMoments
    ff_inputs: VectorMoments | None = None
    neurons: VectorMoments | None = None

    def to(self, where: torch.device) -> "BlockMoments":
        """Return the same moments on another device."""
        return BlockMoments(
            self.queries_HKK.to(where),
            self.keys_HKK.to(where),
            self.attended.to(where),
            self.ff_inputs.to(where) if self.ff_inputs else None,
            self.neurons.to(where) if self.neurons else None,
        )


@dataclass
class MomentSums:
    """Sums of one block's moments over positions, in float64, and how many positions each sum holds.

    Sums add up across windows, shards and workers.
    """

    sums: dict[MomentName, Tensor] = field(default_factory=dict)
    counts: dict[MomentName, int] = field(default_factory=dict)

    def add(self, name: MomentName, value: Tensor, count: int) -> None:
        # In place: all sums of a large model together take many gigabytes.
        if name in self.sums:
            self.sums[name] += value
        else:
            self.sums[name] = value.to(torch.float64, copy=True)
        self.counts[name] = self.counts.get(name, 0) + count

    def __add__(self, other: "MomentSums") -> "MomentSums":
        total = MomentSums()
        for addend in (self, other):
            for name, value in addend.sums.items():
                total.add(name, value, addend.counts[name])
        return total

    def means(self) -> BlockMoments:
        """Return the mean moments of the block."""
        return _named(self.per_position())

    def per_position(self) -> dict[MomentName, Tensor]:
        """Return every sum divided by its count, by its name."""
        return {name: value / max(self.counts[name], 1) for name, value in self.sums.items()}

    def to_tensors(self, prefix: str) -> dict[str, Tensor]:
        """Return the sums and counts as tensors for a safetensors file, names starting with `prefix`."""
        tensors = {f"{prefix}.sum.{name}": value.cpu() for name, value in self.sums.items()}
        return tensors | {f"{prefix}.count.{name}": torch.tensor(value) for name, value in self.counts.items()}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor], prefix: str) -> "MomentSums":
        """Return what `to_tensors` gave, from the tensors of a file that may hold others too."""
        names: tuple[MomentName, ...] = get_args(MomentName)
        return cls(
            {name: tensors[key] for name in names if (key := f"{prefix}.sum.{name}") in tensors},
            {name: int(tensors[key]) for name in names if (key := f"{prefix}.count.{name}") in tensors},
        )


def mix(
    speaker: MomentSums, general: MomentSums | None, speaker_weight: float, shrinkage: float = SHRINKAGE
) -> BlockMoments:
    """Return λ·E_speaker + (1 - λ)·E_general of every moment, per position, with the neurons' shrunk.

    Args:
        general: of other speakers; without it the speaker's moments count alone.
        speaker_weight: λ.
        shrinkage: see `_shrunk`.
    """
    means, positions = speaker.per_position(), float(speaker.counts.get("f_FF", 0))
    if general is not None and general.sums:
        general_weight, others = 1 - speaker_weight, general.per_position()
        means = {name: speaker_weight * mean + general_weight * others[name] for name, mean in means.items()}
        if "f_FF" in means:
            # The weighted mean's effective sample size, 1 / Σ w² / n (Kish 1965).
            weights = ((speaker_weight, speaker), (general_weight, general))
            positions = 1 / sum(weight**2 / kind.counts["f_FF"] for weight, kind in weights)
    mixed = _named(means)
    return mixed if mixed.neurons is None else replace(mixed, neurons=_shrunk(mixed.neurons, shrinkage / positions))


def _shrunk(neurons: VectorMoments, share: float) -> VectorMoments:
    """Return the moments with `share` · F · (mean variance) added to the diagonal (Ledoit and Wolf 2004).

    A decoder sees few positions. Where neurons are nearly as many as positions, every neuron seems to be a linear
    combination of others.
    """
    f_FF, f_F = neurons.second_NN, neurons.mean_N
    variance = (f_FF.diagonal() - f_F.square()).mean()
    raised_FF = f_FF + (share * len(f_F) * variance) * torch.eye(len(f_F), dtype=f_FF.dtype, device=f_FF.device)
    return VectorMoments(raised_FF, f_F)


def _named(means: Mapping[MomentName, Tensor]) -> BlockMoments:
    has_ff = "f_FF" in means
    return BlockMoments(
        queries_HKK=means["q_HKK"],
        keys_HKK=means["k_HKK"],
        attended=VectorMoments(means["z_DD"], means["z_D"]),
        ff_inputs=VectorMoments(means["x_DD"], means["x_D"]) if has_ff else None,
        neurons=VectorMoments(means["f_FF"], means["f_F"]) if has_ff else None,
    )

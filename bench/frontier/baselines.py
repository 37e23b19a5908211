"""The alternatives to ours that need no training of their own kind: low rank without twins.

Shape letters: O outputs, I inputs of a linear layer, R rank.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import WhisperForConditionalGeneration

from adaptwin_core.ml.compression import twins
from adaptwin_core.ml.model.adapter import count_params
from adaptwin_core.ml.model.modeling_adaptwin import LowRankLinear

ATTENTION_ENERGY, FF_ENERGY = 0.99, 0.999  # LiteASR's published thresholds
FF_NAMES = ("fc1", "fc2")


def independent_svd(model: WhisperForConditionalGeneration, cut: float) -> None:
    """Truncate the SVD of every linear layer of the encoder on its own, each keeping the same share of parameters."""
    linears = dict(_encoder_linears(model))
    inside = sum(linear.weight.numel() for linear in linears.values())
    kept_share = 1 - cut * count_params(model, "encoder") / inside
    for name, linear in linears.items():
        o, i = linear.weight.shape
        rank = int(kept_share * o * i / (o + i))
        white = torch.eye(i, dtype=torch.float64)
        _replace(model, name, twins.cut_linear(linear.weight.detach(), _bias(linear), white, torch.zeros(i), rank))


@dataclass
class OutputMoments:
    """Sums over positions of a linear layer's inputs (mean) and outputs (covariance)."""

    outputs_OO: Tensor | None = None
    outputs_O: Tensor | None = None
    inputs_I: Tensor | None = None
    count: int = 0

    def add(self, x_NI: Tensor, y_NO: Tensor) -> None:
        parts = ((y_NO.mT @ y_NO).double(), y_NO.double().sum(0), x_NI.double().sum(0))
        before = (self.outputs_OO, self.outputs_O, self.inputs_I)
        self.outputs_OO, self.outputs_O, self.inputs_I = (
            part if old is None else old + part for part, old in zip(parts, before, strict=True)
        )
        self.count += len(x_NI)

    def second_moment(self) -> Tensor:
        assert self.outputs_OO is not None
        return self.outputs_OO / self.count

    def mean(self) -> Tensor:
        assert self.outputs_O is not None
        return self.outputs_O / self.count

    def covariance(self) -> Tensor:
        return self.second_moment() - torch.outer(self.mean(), self.mean())

    def input_mean(self) -> Tensor:
        assert self.inputs_I is not None
        return self.inputs_I / self.count


@torch.no_grad()
def measure_outputs(model: WhisperForConditionalGeneration, windows: Sequence[Tensor]) -> dict[str, OutputMoments]:
    """Run calibration clips through the encoder and sum the outputs of every linear layer."""
    found = {name: OutputMoments() for name, _ in _encoder_linears(model)}

    def watch(name: str) -> Callable[..., None]:
        return lambda _module, inputs, output: found[name].add(inputs[0].flatten(0, 1), output.flatten(0, 1))

    handles = [linear.register_forward_hook(watch(name)) for name, linear in _encoder_linears(model)]
    for features_1MT in windows:
        model.model.encoder(features_1MT)
    for handle in handles:
        handle.remove()
    return found


def output_pca(
    model: WhisperForConditionalGeneration, moments: dict[str, OutputMoments], *, cut: float | None = None
) -> None:
    """LiteASR's recipe: project each layer's centred outputs on their top principal axes; no training.

    A matrix is left alone where its rank would save nothing. Ranks follow the share of energy kept: the published
    thresholds, or, for a `cut`, the one share of energy (the feed-forward's shortfall a tenth of attention's, as in the
    published pair) that removes so much of the encoder.
    """
    linears = dict(_encoder_linears(model))
    energy = {name: torch.linalg.eigvalsh(moments[name].covariance()).flip(-1).clamp_min(0) for name in linears}

    def ranks(shortfall: float) -> dict[str, int]:
        chosen = {}
        for name, linear in linears.items():
            allowed = shortfall / 10 if name.endswith(FF_NAMES) else shortfall
            kept = (energy[name].cumsum(0) / energy[name].sum() < 1 - allowed).sum().item() + 1
            if kept * sum(linear.weight.shape) < linear.weight.numel():
                chosen[name] = int(kept)
        return chosen

    def removed(shortfall: float) -> float:
        saved = sum(linears[n].weight.numel() - r * sum(linears[n].weight.shape) for n, r in ranks(shortfall).items())
        return saved / count_params(model, "encoder")

    shortfall = 1 - ATTENTION_ENERGY
    if cut is not None:
        low, high = 0.0, 1.0
        for _ in range(40):
            shortfall = (low + high) / 2
            low, high = (low, shortfall) if removed(shortfall) >= cut else (shortfall, high)
        if removed(high) < cut:
            raise ValueError(f"no share of energy removes {cut:.0%} of this encoder")
        shortfall = high
    for name, rank in ranks(shortfall).items():
        linear, found = linears[name], moments[name]
        _replace(
            model,
            name,
            twins.cut_linear_by_outputs(
                linear.weight.detach(), _bias(linear), found.covariance(), found.input_mean(), rank
            ),
        )


def _encoder_linears(model: WhisperForConditionalGeneration) -> Iterator[tuple[str, nn.Linear]]:
    for name, module in model.model.encoder.layers.named_modules():
        if isinstance(module, nn.Linear):
            yield name, module


def _bias(linear: nn.Linear) -> Tensor:
    return linear.bias.detach() if linear.bias is not None else torch.zeros(linear.out_features)


def _replace(model: WhisperForConditionalGeneration, name: str, cut: twins.LinearCut) -> None:
    parent_name, _, own = name.rpartition(".")
    setattr(model.model.encoder.layers.get_submodule(parent_name), own, thin(cut))


@torch.no_grad()
def thin(cut: twins.LinearCut) -> LowRankLinear:
    """Return the module of a cut linear."""
    module = LowRankLinear(cut.down_RI.shape[1], cut.up_OR.shape[0], rank=cut.down_RI.shape[0])
    module.down.weight.copy_(cut.down_RI)
    module.up.weight.copy_(cut.up_OR)
    module.up.bias.copy_(cut.bias_O)
    return module

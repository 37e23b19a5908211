"""Twins and linear layers cut in closed form, with the least error on given speech.

A twin is a pair of matrices that act only through their product: query and key (q·k), value and output (W_O z). A
head of size K sees the speech only through q = W_Q x + b_Q, k = W_K x and its attended values z, each in R^K. So the
whitened D x D product has rank K at most, and its SVD can be computed in those K dimensions: with G the second moment
of q (of k, of z) and G = Rᵀ R, it is the SVD of the K x K matrix R_left R_rightᵀ. With G = W Wᵀ, the second moment
for white input, the same code gives the plain SVD of the product (AdaPTwin's own start).

Everything is computed in float64. Shape letters: H heads, K head size, R kept rank, D width, O outputs, I inputs.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

# Directions with less than this share of the largest energy count as having it, so that inverses stay finite.
ENERGY_FLOOR = 1e-12


@dataclass(frozen=True)
class TwinCut:
    """A cut twin: the new left weights are `left_HKRᵀ W_left`, the new right weights `right_HKRᵀ W_right`.

    Attributes:
        left_HKR, right_HKR: maps whose product `left @ rightᵀ` is near I, in least squares under the two moments.
        error: predicted relative squared error of the product, Σ σ² of the dropped directions / Σ σ² of all, over all
            heads.
    """

    left_HKR: Tensor
    right_HKR: Tensor
    error: float


def cut_twin(gram_left_HKK: Tensor, gram_right_HKK: Tensor, rank: int) -> TwinCut:
    """Return the rank-R cut of `leftᵀ right` that loses least when left and right have the given second moments.

    This is the truncated SVD of C_left^½ W_leftᵀ W_right C_right^½ (method of AdaPTwin, whitened as in SVD-LLM), done
    in the head's own space.

    Raises:
        ValueError: the rank is not in 1..K.
    """
    size = gram_left_HKK.shape[-1]
    if not 1 <= rank <= size:
        raise ValueError(f"rank {rank} is not within 1 and the head size {size}")
    root_left, inverse_left = _roots(gram_left_HKK.double())
    root_right, inverse_right = _roots(gram_right_HKK.double())
    u_HKK, sigma_HK, vt_HKK = torch.linalg.svd(root_left @ root_right)
    scale_H1R = sigma_HK[:, :rank].sqrt().unsqueeze(1)
    left = inverse_left @ (u_HKK[:, :, :rank] * scale_H1R)
    right = inverse_right @ (vt_HKK[:, :rank].mT * scale_H1R)
    energy = sigma_HK.square()
    return TwinCut(left, right, _share(energy[:, rank:].sum(), energy.sum()))


def balance(left_HRI: Tensor, right_HRI: Tensor) -> tuple[Tensor, Tensor]:
    """Return the same per-head products with both factors of equal Gram matrices.

    Whitened factors are badly scaled, since inverse roots are large in directions of little energy, and gradient steps
    on them diverge. The SVD of the small R x R product gives √σ to each side; `leftᵀ right` does not change.
    """
    q_left, r_left = torch.linalg.qr(left_HRI.double().mT)
    q_right, r_right = torch.linalg.qr(right_HRI.double().mT)
    u, sigma, vt = torch.linalg.svd(r_left @ r_right.mT)
    scale = sigma.sqrt().unsqueeze(1)
    return (q_left @ (u * scale)).mT, (q_right @ (vt.mT * scale)).mT


@dataclass(frozen=True)
class LinearCut:
    """A linear layer as `up_OR (down_RI x) + bias_O`, and the predicted relative squared error of its output."""

    down_RI: Tensor
    up_OR: Tensor
    bias_O: Tensor
    error: float


def cut_linear(weight_OI: Tensor, bias_O: Tensor, covariance_II: Tensor, mean_I: Tensor, rank: int) -> LinearCut:
    """Return the rank-R form of a linear layer with the least squared output error on inputs of the given moments.

    The whitened SVD of one matrix equals a projection of the outputs on their top principal axes U: Ŵ = U Uᵀ W. Outputs
    are centred, since the bias takes their mean at no cost (SVD-LLM; LiteASR).

    Args:
        covariance_II: centred covariance of the inputs (identity for the plain SVD).
        mean_I: mean of the inputs (zero for the plain SVD).

    Raises:
        ValueError: the rank is not in 1..min(O, I).
    """
    weight = weight_OI.double()
    if not 1 <= rank <= min(weight.shape):
        raise ValueError(f"rank {rank} is not within 1 and {min(weight.shape)}")
    root_II, _ = _roots(covariance_II.double())
    output_OI = weight @ root_II
    if weight.shape[0] <= weight.shape[1]:
        energy, axes = torch.linalg.eigh(output_OI @ output_OI.mT)
        energy, axes_OR = energy.flip(-1).clamp_min(0), axes.flip(-1)[:, :rank]
    else:  # the small side is the input: axes = output @ eigenvectors / σ
        energy, directions = torch.linalg.eigh(output_OI.mT @ output_OI)
        energy, directions = energy.flip(-1).clamp_min(0), directions.flip(-1)[:, :rank]
        axes_OR = torch.linalg.qr(output_OI @ directions).Q
    return _project(weight, bias_O, mean_I, axes_OR, _share(energy[rank:].sum(), energy.sum()))


def cut_linear_by_outputs(
    weight_OI: Tensor, bias_O: Tensor, covariance_OO: Tensor, mean_I: Tensor, rank: int
) -> LinearCut:
    """Return what `cut_linear` does, from the outputs' covariance: cheaper with fewer outputs than inputs."""
    energy, axes = torch.linalg.eigh(covariance_OO.double())
    energy = energy.flip(-1).clamp_min(0)
    axes_OR = axes.flip(-1)[:, :rank]
    return _project(weight_OI.double(), bias_O, mean_I, axes_OR, _share(energy[rank:].sum(), energy.sum()))


def _project(weight: Tensor, bias_O: Tensor, mean_I: Tensor, axes_OR: Tensor, error: float) -> LinearCut:
    down_RI = axes_OR.mT @ weight
    output_mean = weight @ mean_I.double()
    bias = bias_O.double() + output_mean - axes_OR @ (axes_OR.mT @ output_mean)
    # Balanced: the axes are orthonormal, so √σ of `down` goes to `up`.
    u, sigma, vt = torch.linalg.svd(down_RI, full_matrices=False)
    return LinearCut(sigma.sqrt().unsqueeze(1) * vt, axes_OR @ (u * sigma.sqrt()), bias, error)


def refit(target_gram_II: Tensor, kept_IR: Tensor, weight_OI: Tensor) -> Tensor:
    """Return the W'_OR with the least ‖Z Wᵀ - Z kept W'ᵀ‖² for inputs Z of second moment `target_gram_II`.

    These are ordinary least squares on the kept directions. With the attended values of all heads in Z, heads make up
    for each other.
    """
    gram = target_gram_II.double()
    cross_RI = kept_IR.double().mT @ gram
    system_RR = cross_RI @ kept_IR.double()
    ridge = ENERGY_FLOOR * system_RR.diagonal().mean() * torch.eye(len(system_RR), dtype=gram.dtype, device=gram.device)
    return torch.linalg.solve(system_RR + ridge, cross_RI @ weight_OI.double().mT).mT


def _roots(gram: Tensor) -> tuple[Tensor, Tensor]:
    """Return the symmetric square root of `gram` and its inverse, with energies below `ENERGY_FLOOR` raised to it."""
    energy, axes = torch.linalg.eigh(gram)
    floor = energy[..., -1:].clamp_min(torch.finfo(gram.dtype).tiny) * ENERGY_FLOOR
    root = energy.clamp_min(floor).sqrt().unsqueeze(-2)
    return (axes * root) @ axes.mT, (axes / root) @ axes.mT


def _share(part: Tensor, whole: Tensor) -> float:
    return float(part / whole.clamp_min(torch.finfo(whole.dtype).tiny))

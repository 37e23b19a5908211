"""Rounding to 16 levels: to the nearest, or, where the moments of a matrix's inputs are known, so that later columns
make up for each rounding error.

Each group of inputs in a row has its own range of levels, since one range for the whole row would be too coarse.
Shape letters: O outputs, I inputs, G groups of inputs in a row, K inputs in a group.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from adaptwin_core.domain.model_size import INT4_GROUPS

LARGEST_INT4 = 15
DAMPING = 0.01  # of the inputs' mean square, added to the diagonal, as in GPTQ


@dataclass(frozen=True)
class Levels:
    """(value - zero) times scale is the weight; `values_OI` and `zero_OG` are uint8, `scale_OG` float16."""

    values_OI: Tensor
    scale_OG: Tensor
    zero_OG: Tensor


def nearest(weight_OI: Tensor) -> Levels:
    """Round a matrix with an even number of inputs. The values are rounded to the scales as float16 stores them."""
    weight_OGK = weight_OI.unflatten(1, (-1, _group_size(weight_OI)))
    scale_OG, zero_OG = _grid(weight_OGK)
    values_OGK = _values(weight_OGK, scale_OG.unsqueeze(-1), zero_OG.unsqueeze(-1))
    return Levels(values_OGK.flatten(1).to(torch.uint8), scale_OG, zero_OG.to(torch.uint8))


def compensated(weight_OI: Tensor, inputs_II: Tensor) -> Levels:
    """Round column after column; the columns not yet rounded are refitted to make up for each rounding error.

    Greedy least squares under the inputs' second moment: GPTQ (Frantar, Ashkboos, Hoefler and Alistarh 2023), in the
    Cholesky form of its section 3.3. With white inputs it equals `nearest`.

    Args:
        inputs_II: E[x·xᵀ] of the matrix's inputs. Everything is computed on its device.
    """
    group = _group_size(weight_OI)
    factor_II = _inverse_factor(inputs_II)
    left_OI = weight_OI.to(factor_II, copy=True)
    values_OI = torch.empty_like(left_OI, dtype=torch.uint8)
    scales, zeros = [], []
    for first in range(0, left_OI.shape[1], group):
        end = first + group
        scale_O, zero_O = _grid(left_OI[:, first:end])
        lost_OK = torch.empty_like(left_OI[:, first:end])
        for i in range(first, end):
            value_O = _values(left_OI[:, i], scale_O, zero_O)
            lost_O = (left_OI[:, i] - (value_O - zero_O) * scale_O.float()) / factor_II[i, i]
            left_OI[:, i:end] -= torch.outer(lost_O, factor_II[i, i:end])
            values_OI[:, i], lost_OK[:, i - first] = value_O.to(torch.uint8), lost_O
        left_OI[:, end:] -= lost_OK @ factor_II[first:end, end:]
        scales.append(scale_O)
        zeros.append(zero_O.to(torch.uint8))
    return Levels(values_OI, torch.stack(scales, 1), torch.stack(zeros, 1))


def half_scale(scale: Tensor) -> Tensor:
    """Return a scale as it is stored, never zero."""
    return scale.clamp_min(torch.finfo(torch.float16).tiny).half()


def _inverse_factor(inputs_II: Tensor) -> Tensor:
    """Return the upper Cholesky factor of the inverse of the damped second moment, in float32."""
    moment_II = inputs_II.double()
    damping = (DAMPING * moment_II.diagonal().mean()).clamp_min(torch.finfo(torch.float32).tiny)
    damped_II = moment_II + damping * torch.eye(len(moment_II), dtype=moment_II.dtype, device=moment_II.device)
    inverse_II = torch.cholesky_inverse(torch.linalg.cholesky(damped_II))
    return torch.linalg.cholesky(inverse_II, upper=True).float()


def _group_size(weight_OI: Tensor) -> int:
    return next(size for size in INT4_GROUPS if weight_OI.shape[1] % size == 0)


def _grid(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Return scale and zero for the numbers along the last axis."""
    # The range always holds 0, so that rounding to nearest keeps an exact 0.
    low, high = weight.amin(-1).clamp_max(0), weight.amax(-1).clamp_min(0)
    scale = half_scale((high - low) / LARGEST_INT4)
    return scale, (-low / scale.float()).round().clamp(0, LARGEST_INT4)


def _values(weight: Tensor, scale: Tensor, zero: Tensor) -> Tensor:
    return ((weight / scale.float()).round() + zero).clamp(0, LARGEST_INT4)

"""A layer with one of its blocks cut, and what reaches that block in the original model.

Shape letters: B batch, T positions, S encoder positions, D width.
"""

import copy
from dataclasses import dataclass

from torch import Tensor, nn

from adaptwin_core.domain.plan import BlockPlan
from adaptwin_core.domain.shape import BlockId
from adaptwin_core.ml.compression.factorization import CutBlock
from adaptwin_core.ml.model.adapter import shrink_block


@dataclass(frozen=True)
class BlockInput:
    """What reaches a block in the original model: hidden_BTD, and the encoder's output for cross-attention."""

    hidden_BTD: Tensor
    encoder_BSD: Tensor | None = None


def build_cut_layer(original: nn.Module, block: BlockId, plan: BlockPlan, cut: CutBlock) -> nn.Module:
    """Return a copy of the original layer with the block's cut weights in place."""
    layer = copy.deepcopy(original)
    shrink_block(layer, block, plan)
    unexpected = layer.load_state_dict(cut.state, strict=False).unexpected_keys
    assert not unexpected, unexpected
    return layer

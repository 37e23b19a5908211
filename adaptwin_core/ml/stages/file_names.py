"""The files that stages hand to each other. Kept results hold them by these names, so a new name breaks those."""

from typing import Final

from adaptwin_core.domain.shape import BlockId

KEPT_TOKENS_FILE: Final = "tokens.json"  # vocabulary: {"kept": ids of the base model, in rising order}
ENCODED_FILE: Final = "encoded.safetensors"  # calibrate: the encoder's output for every window
SENSITIVITY_FILE: Final = "offers.json"  # weigh
NEURON_ORDER_FILE: Final = "order.safetensors"  # weigh: order_F, most needed first
CUT_FILE: Final = "cut.json"  # search
BLOCK_FILE: Final = "block.safetensors"  # factorize: the block's tensors by their names inside the layer
TEXTS_FILE: Final = "texts.json"  # evaluate: {clip id: text}
FAMILY_PLOT_FILE: Final = "family.png"  # choose; it is published with every model of the job


def moments_file(block: BlockId) -> str:
    """Return the file of calibrate that holds a block's moments and inputs."""
    return f"{block}.safetensors"

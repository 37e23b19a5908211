"""The precision of matrix products in training: bfloat16 where the hardware has it, else float32.

Weights, optimizer steps and losses stay float32, and so does everything outside training.
"""

import torch


def quick_products(where: torch.device) -> torch.autocast:
    """Return a context in which matrices are multiplied in bfloat16, if the device has instructions for it.

    A processor without them emulates bfloat16, slower than float32.
    """
    return torch.autocast(where.type, torch.bfloat16, enabled=multiplies_bfloat16(where))


def multiplies_bfloat16(where: torch.device) -> bool:
    """Return whether a device has instructions for products in bfloat16."""
    if where.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()

"""In what precision matrices are multiplied while a model learns: bfloat16 where the hardware does, else float32.

Weights, their steps and the losses stay float32; so does all that is measured, cut and judged.
"""

import torch


def quick_products(where: torch.device) -> torch.autocast:
    """Return a context in which linear layers and attention multiply in bfloat16, if `where` is made for it.

    A processor without such instructions would only imitate them, slower than float32.
    """
    return torch.autocast(where.type, torch.bfloat16, enabled=multiplies_bfloat16(where))


def multiplies_bfloat16(where: torch.device) -> bool:
    """Return whether a device has instructions for products in bfloat16."""
    if where.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()

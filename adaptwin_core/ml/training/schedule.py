"""How the learning rate changes over a training run."""

import math

import torch

WARMUP_SHARE = 0.1


def cosine_schedule(optimizer: torch.optim.Optimizer, steps: int) -> torch.optim.lr_scheduler.LambdaLR:
    """Return a linear warm-up over the first tenth of the steps, followed by a cosine to zero."""
    warmup = max(1, int(WARMUP_SHARE * steps))

    def share(step: int) -> float:
        if step < warmup:
            return (step + 1) / (warmup + 1)
        return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))

    return torch.optim.lr_scheduler.LambdaLR(optimizer, share)

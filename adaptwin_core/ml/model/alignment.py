"""When each token was said, and how likely it was, by one more pass of the decoder over the tokens that it wrote.

The method is that of Whisper itself (`find_alignment` in OpenAI's timing.py). Some heads of the cross-attention look at
the sound of the token that comes next. Their weights make a matrix of tokens and positions, and dynamic time warping
finds the way through it. Shape letters: N heads, L tokens, S positions of the encoder, D width.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import WhisperForConditionalGeneration
from transformers.models.whisper.generation_whisper import _dynamic_time_warping, _median_filter

from adaptwin_core.domain.audio import FRAMES_PER_S

S_PER_POSITION = 2 / FRAMES_PER_S  # the encoder halves the number of frames


@dataclass(frozen=True)
class Aligned:
    """Of each token: when it begins and ends, in seconds, and the logarithm of its probability.

    `silence_probability` is what the model gives to the token that says that nobody speaks.
    """

    starts: np.ndarray
    ends: np.ndarray
    log_probabilities: np.ndarray
    silence_probability: float


def align(
    model: WhisperForConditionalGeneration,
    encoded: Any,
    prompt: Sequence[int],
    tokens: Sequence[int],
    *,
    end: int,
    silence: int,
    seconds: float,
) -> Aligned:
    """Place tokens in the sound that they were heard in.

    Args:
        encoded: the encoder's output for one window.
        prompt: the tokens that ask for a transcript without times; the first starts it.
        tokens: those that the model wrote, of words alone; at least one.
        end, silence: ids of the tokens that end a transcript, and that say that nobody speaks.
        seconds: how long the sound lasts. What follows is padding, in which nothing is said.
    """
    ids_1L = torch.tensor([[*prompt, *tokens, end]], device=model.device)
    with torch.inference_mode(), _showing_attention(model):
        out = model(encoder_outputs=encoded, decoder_input_ids=ids_1L, output_attentions=True)
    # Row i of what comes out is of the token that follows token i.
    rows = slice(len(prompt) - 1, len(prompt) - 1 + len(tokens))
    heads = model.generation_config.alignment_heads
    weights_NLS = torch.stack([out.cross_attentions[layer][0, head] for layer, head in heads])
    num_positions = max(1, min(round(seconds / S_PER_POSITION), weights_NLS.shape[-1]))
    path = _path(weights_NLS[:, slice(rows.start, rows.stop + 1), :num_positions], model.config.median_filter_width)
    times = np.minimum(path * S_PER_POSITION, seconds)
    log_LV = out.logits[0].float().log_softmax(-1)
    chosen = log_LV[rows].gather(1, ids_1L[0, len(prompt) : -1].unsqueeze(1)).squeeze(1)
    return Aligned(times[:-1], times[1:], chosen.cpu().numpy(), float(log_LV[0, silence].exp()))


def _path(weights_NLS: Tensor, filter_width: int) -> np.ndarray:
    """Return the position at which the way through the weights comes to each row."""
    deviation = weights_NLS.std(-2, keepdim=True, unbiased=False).clamp_min(torch.finfo(torch.float32).tiny)
    scaled_NLS = (weights_NLS - weights_NLS.mean(-2, keepdim=True)) / deviation
    matrix_LS = _median_filter(scaled_NLS.float(), filter_width).mean(0)
    row_of, position_of = _dynamic_time_warping(-matrix_LS.cpu().double().numpy())
    is_first = np.diff(row_of, prepend=-1) > 0
    return position_of[is_first]


@contextmanager
def _showing_attention(model: WhisperForConditionalGeneration) -> Iterator[None]:
    """Let a model return its attention, which fused kernels do not."""
    own = model.config._attn_implementation
    model.config._attn_implementation = "eager"
    try:
        yield
    finally:
        model.config._attn_implementation = own

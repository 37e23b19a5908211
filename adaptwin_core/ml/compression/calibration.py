"""Calibration: one pass of the whole model over speech measures the blocks to cut and keeps some of their inputs.

Shape letters: M mels, T positions, S encoder positions, D width, L tokens.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import WhisperForConditionalGeneration

from adaptwin_core.domain.progress import Progress, no_progress
from adaptwin_core.domain.shape import BlockId
from adaptwin_core.ml.compression.measurement import measuring
from adaptwin_core.ml.compression.moments import MomentSums
from adaptwin_core.ml.model.adapter import block_modules, decode, encode, layer_of
from adaptwin_core.ml.model.featurizer import Featurizer
from adaptwin_core.ml.model.transcription import transcribe_batch
from adaptwin_core.ml.model.windows import Window


@dataclass(frozen=True)
class Calibration:
    """What one pass found.

    Attributes:
        moments: sums of every block, by block name.
        inputs_1TD: what reaches each block in the first windows, in float16, by block name.
        encoded_1SD: the encoder's output on every window, in float16.
    """

    moments: dict[str, MomentSums]
    inputs_1TD: dict[str, list[Tensor]]
    encoded_1SD: list[Tensor]


@torch.no_grad()
def calibrate(
    model: WhisperForConditionalGeneration,
    featurizer: Featurizer,
    blocks: Sequence[BlockId],
    windows: Sequence[Window],
    *,
    num_kept: int,
    num_unmeasured: int = 0,
    progress: Progress = no_progress,
) -> Calibration:
    """Run the windows through the model, and return the moments and inputs of the blocks.

    Where a decoder block is among them, the decoder gets the window's transcript or, without one, the model's own.

    Args:
        num_kept: the inputs of the blocks are kept for this many windows, the first ones.
        num_unmeasured: this many windows, the first ones, are left out of the moments.
        progress: told of windows.
    """
    total = {str(block): MomentSums() for block in blocks}
    inputs: dict[str, list[Tensor]] = {str(block): [] for block in blocks}
    encoded: list[Tensor] = []
    needs_decoder = any(block.half == "decoder" for block in blocks)
    layers = [(block, layer_of(model, block)) for block in blocks]
    for index, window in enumerate(windows):
        audio = window.audio()
        features_1MT = featurizer.features([audio]).to(model.device)
        text = window.text
        if needs_decoder and text is None:  # before the hooks are set: its passes must not be measured
            text = transcribe_batch(model, featurizer, [audio])[0]
        with (
            measuring(layers, total) if index >= num_unmeasured else nullcontext(),
            _keeping(layers, inputs) if index < num_kept else nullcontext(),
        ):
            encoded_1SD = encode(model, features_1MT)
            if text is not None and needs_decoder:
                labels_1L = featurizer.labels(text, may_cut=not window.has_text)
                decode(model, labels_1L[:, :-1].to(model.device), encoded_1SD)
        encoded.append(encoded_1SD.half().cpu().contiguous())
        progress(index + 1, len(windows))
    return Calibration(total, inputs, encoded)


@contextmanager
def _keeping(layers: Sequence[tuple[BlockId, nn.Module]], inputs: dict[str, list[Tensor]]) -> Iterator[None]:
    """While open, append a float16 copy of what reaches each block: the input of the norm that comes first in it."""

    def keep(block: BlockId) -> Callable[[Any, tuple[Tensor, ...]], None]:
        return lambda _module, args: inputs[str(block)].append(args[0].half().cpu().contiguous())

    handles = [
        block_modules(layer, block).attention_norm.register_forward_pre_hook(keep(block)) for block, layer in layers
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()

"""An original Whisper from its folder: the whole model, or the one layer that a block needs."""

import json
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor, nn
from transformers import WhisperConfig, WhisperForConditionalGeneration

from adaptwin_core.domain.errors import CorruptBlob
from adaptwin_core.domain.shape import BlockId
from adaptwin_core.ml.model.adapter import empty_layer, final_norm_prefix, layer_prefix


def load_whisper(folder: Path) -> WhisperForConditionalGeneration:
    """Load an original Whisper in float32, ready to read from (eval mode)."""
    model = WhisperForConditionalGeneration.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="sdpa", local_files_only=True
    )
    return model.eval()


def load_from(folder: Path, block: BlockId, where: torch.device) -> WhisperForConditionalGeneration:
    """Load the layer that holds `block`, those that follow it in its half and the norm that ends it, in float32.

    All else of the model has a shape and no numbers, so that a large model is not read again for each of its blocks.

    Raises:
        CorruptBlob: the folder holds no such layer.
    """
    config = WhisperConfig.from_pretrained(folder, local_files_only=True)
    with torch.device("meta"):
        model = WhisperForConditionalGeneration._from_config(config, attn_implementation="sdpa")
    num_layers = config.encoder_layers if block.half == "encoder" else config.decoder_layers
    later = [layer_prefix(BlockId(half=block.half, layer=index)) for index in range(block.layer, num_layers)]
    prefixes = (*later, final_norm_prefix(block.half))
    model.load_state_dict(
        {name: tensor.to(where).float() for name, tensor in _tensors(folder, prefixes)}, strict=False, assign=True
    )
    return model.eval()


def load_layer(folder: Path, block: BlockId) -> nn.Module:
    """Load the one layer that holds `block`, in float32, reading only its tensors from disk.

    Raises:
        CorruptBlob: the folder holds no such layer.
    """
    config = WhisperConfig.from_pretrained(folder, local_files_only=True)
    config._attn_implementation = "sdpa"  # modules built alone read it here
    layer, prefix = empty_layer(config, block), layer_prefix(block)
    layer.load_state_dict({name.removeprefix(prefix): tensor.float() for name, tensor in _tensors(folder, (prefix,))})
    return layer.eval()


def _tensors(folder: Path, prefixes: tuple[str, ...]) -> Iterator[tuple[str, Tensor]]:
    index = folder / "model.safetensors.index.json"
    if index.exists():
        weight_map = json.loads(index.read_text())["weight_map"]
        files = sorted({file for name, file in weight_map.items() if name.startswith(prefixes)})
    else:
        files = ["model.safetensors"]
    found = False
    for file in files:
        with safe_open(folder / file, framework="pt") as weights:
            for name in weights.keys():  # noqa: SIM118  # not a dict
                if name.startswith(prefixes):
                    found = True
                    yield name, weights.get_tensor(name)
    if not found:
        raise CorruptBlob(f"the base model in {folder.name} holds no tensors named {prefixes[0]}…")

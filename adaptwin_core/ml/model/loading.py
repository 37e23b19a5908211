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
from adaptwin_core.ml.model.adapter import empty_layer, layer_prefix


def load_whisper(folder: Path) -> WhisperForConditionalGeneration:
    """Load an original Whisper in float32, ready to read from (eval mode)."""
    model = WhisperForConditionalGeneration.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="sdpa", local_files_only=True
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
    layer.load_state_dict({name.removeprefix(prefix): tensor.float() for name, tensor in _tensors(folder, prefix)})
    return layer.eval()


def _tensors(folder: Path, prefix: str) -> Iterator[tuple[str, Tensor]]:
    index = folder / "model.safetensors.index.json"
    if index.exists():
        weight_map = json.loads(index.read_text())["weight_map"]
        files = sorted({file for name, file in weight_map.items() if name.startswith(prefix)})
    else:
        files = ["model.safetensors"]
    found = False
    for file in files:
        with safe_open(folder / file, framework="pt") as weights:
            for name in weights.keys():  # noqa: SIM118  # not a dict
                if name.startswith(prefix):
                    found = True
                    yield name, weights.get_tensor(name)
    if not found:
        raise CorruptBlob(f"the base model in {folder.name} holds no tensors named {prefix}…")

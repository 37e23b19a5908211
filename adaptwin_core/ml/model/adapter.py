"""The only file that knows Whisper's attribute names: where a block's modules are and how a block runs alone."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor, nn
from transformers import WhisperConfig, WhisperForConditionalGeneration
from transformers.models.whisper.modeling_whisper import WhisperDecoderLayer, WhisperEncoderLayer

from adaptwin_core.domain.errors import CorruptBlob
from adaptwin_core.domain.shape import BlockId, Half, ModelShape, blocks_of


@dataclass(frozen=True)
class BlockModules:
    """The modules of one block inside a layer, original or cut; the last three are None where it has no
    feed-forward.
    """

    attention_norm: Any
    attention: Any
    ff_norm: Any
    fc1: Any
    fc2: Any


def attention_name(block: BlockId) -> str:
    """Return the attribute under which the layer holds the block's attention."""
    return "encoder_attn" if block.attention == "cross" else "self_attn"


def block_prefixes(block: BlockId) -> tuple[str, ...]:
    """Return how the names of a block's modules and tensors begin inside the layer, norms apart."""
    return f"{attention_name(block)}.", *(("fc1", "fc2") if block.has_ff else ())


def block_modules(layer: nn.Module, block: BlockId) -> BlockModules:
    name = attention_name(block)
    ff = (layer.final_layer_norm, layer.fc1, layer.fc2) if block.has_ff else (None, None, None)
    return BlockModules(getattr(layer, f"{name}_layer_norm"), getattr(layer, name), *ff)


def layer_of(model: WhisperForConditionalGeneration, block: BlockId) -> nn.Module:
    """Return the layer of a whole model that holds the block."""
    layers: nn.ModuleList = getattr(model.model, block.half).layers
    return layers[block.layer]


def final_norm(model: WhisperForConditionalGeneration, half: Half) -> nn.Module:
    """Return the norm that ends the encoder or the decoder."""
    norm: nn.Module = getattr(model.model, half).layer_norm
    return norm


def run_block(layer: nn.Module, block: BlockId, hidden_BTD: Tensor, encoder_BSD: Tensor | None = None) -> Tensor:
    """Run one block alone, residuals and norms included, on the hidden states that reach it.

    Args:
        hidden_BTD: input of the block.
        encoder_BSD: the encoder's output, which cross-attention reads.

    Returns:
        hidden states of the same shape.
    """
    modules = block_modules(layer, block)
    source = encoder_BSD if block.attention == "cross" else None
    attended_BTD: Tensor = modules.attention(modules.attention_norm(hidden_BTD), key_value_states=source)[0]
    hidden_BTD = hidden_BTD + attended_BTD
    if modules.fc1 is None:
        return hidden_BTD
    inner_BTF = nn.functional.gelu(modules.fc1(modules.ff_norm(hidden_BTD)))
    out_BTD: Tensor = modules.fc2(inner_BTF)
    return hidden_BTD + out_BTD


def embed(model: Any, features_BMT: Tensor) -> Tensor:
    """Return what enters the encoder's first layer, hidden_BSD: positions are taken from the front."""
    encoder = model.model.encoder
    hidden_BDS = nn.functional.gelu(encoder.conv2(nn.functional.gelu(encoder.conv1(features_BMT))))
    hidden_BSD: Tensor = hidden_BDS.mT
    return hidden_BSD + encoder.embed_positions.weight[: hidden_BSD.shape[1]]


def encode(model: Any, features_BMT: Tensor) -> Tensor:
    """Return the encoder's output_BSD; of fewer frames than a whole window has, as if it ended there.

    The stock encoder takes whole windows only: this is the same without that check, and without its dropout, which
    Whisper sets to none.
    """
    hidden_BSD = embed(model, features_BMT)
    for block in blocks_of(shape_of(model.config), "encoder"):
        hidden_BSD = run_block(layer_of(model, block), block, hidden_BSD)
    output_BSD: Tensor = model.model.encoder.layer_norm(hidden_BSD)
    return output_BSD


def decode(model: Any, inputs_1L: Tensor, encoded_1SD: Tensor) -> Tensor:
    """Return the decoder's output_1LD before the vocabulary, each position knowing those before it."""
    hidden_1LD: Tensor = model.model.decoder(
        input_ids=inputs_1L, encoder_hidden_states=encoded_1SD, use_cache=False
    ).last_hidden_state
    return hidden_1LD


def load_whisper(folder: Path) -> WhisperForConditionalGeneration:
    """Load an original Whisper in float32, ready to read from (eval mode)."""
    model = WhisperForConditionalGeneration.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="sdpa", local_files_only=True
    )
    return model.eval()


def load_config(folder: Path) -> WhisperConfig:
    config = WhisperConfig.from_pretrained(folder, local_files_only=True)
    config._attn_implementation = "sdpa"  # modules built alone read it here
    return config


def load_layer(folder: Path, block: BlockId) -> nn.Module:
    """Load the one layer that holds `block`, in float32, reading only its tensors from disk."""
    config = load_config(folder)
    layer: nn.Module
    layer = WhisperEncoderLayer(config) if block.half == "encoder" else WhisperDecoderLayer(config, block.layer)
    prefix = f"model.{block.half}.layers.{block.layer}."
    state = {name.removeprefix(prefix): tensor.float() for name, tensor in _tensors(folder, prefix)}
    layer.load_state_dict(state)
    return layer.eval()


def shape_of(config: WhisperConfig) -> ModelShape:
    return ModelShape.from_config(config.to_dict())


def count_params(model: WhisperForConditionalGeneration, half: Half) -> int:
    """Count as the literature does: the encoder without its fixed positions, the decoder with its embeddings."""
    module: nn.Module = getattr(model.model, half)
    skipped = "embed_positions" if half == "encoder" else "-"
    return sum(p.numel() for name, p in module.named_parameters() if skipped not in name)


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

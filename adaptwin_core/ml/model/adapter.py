"""The only file that knows Whisper's attribute names. All else in `ml` asks it for a layer, a module or a weight.

Three kinds of files name tensors and modules too, for that is their job: the model class that travels with published
models (`modeling_adaptwin.py`), the readers and writers of model files in `base`, and the writers of other runtimes'
files in `exports`.

Shape letters: B batch, M mels, T positions (of features: frames), S encoder positions, D width, L tokens, V vocabulary,
F neurons.
"""

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from transformers import WhisperConfig, WhisperForConditionalGeneration
from transformers.models.whisper.modeling_whisper import WhisperDecoderLayer, WhisperEncoderLayer

from adaptwin_core.domain.plan import BlockPlan
from adaptwin_core.domain.shape import BlockId, Half, ModelShape, blocks_of
from adaptwin_core.ml.model.block_weights import AttentionWeights, FeedForwardWeights, LinearWeights, LowRankWeights
from adaptwin_core.ml.model.modeling_adaptwin import shrink


@dataclass(frozen=True)
class BlockModules:
    """The modules of one block inside a layer, original or cut: norm, attention and the attention's projections, then
    norm and matrices of the feed-forward, which are None where the block has none.
    """

    attention_norm: Any
    attention: Any
    query: Any
    key: Any
    value: Any
    output: Any
    ff_norm: Any
    ff_first: Any
    ff_second: Any

    @property
    def num_heads(self) -> int:
        return int(self.attention.num_heads)


def block_modules(layer: Any, block: BlockId) -> BlockModules:
    """Return the modules of a block."""
    name = _attention_name(block)
    attention = getattr(layer, name)
    projections = (attention.q_proj, attention.k_proj, attention.v_proj, attention.out_proj)
    ff = (layer.final_layer_norm, layer.fc1, layer.fc2) if block.has_ff else (None, None, None)
    return BlockModules(getattr(layer, f"{name}_layer_norm"), attention, *projections, *ff)


def layer_of(model: WhisperForConditionalGeneration, block: BlockId) -> nn.Module:
    """Return the layer of a whole model that holds the block."""
    layers: nn.ModuleList = getattr(model.model, block.half).layers
    return layers[block.layer]


def layer_prefix(block: BlockId) -> str:
    """Return how the names of the tensors of a block's layer begin in a whole model."""
    return f"model.{block.half}.layers.{block.layer}."


def block_prefixes(block: BlockId) -> tuple[str, ...]:
    """Return how the names of a block's modules and tensors begin inside the layer, norms apart."""
    return f"{_attention_name(block)}.", *(("fc1", "fc2") if block.has_ff else ())


def is_in_a_layer(name: str) -> bool:
    """Return whether a module or tensor of a whole model lies in one of its layers, by its name."""
    return ".layers." in name


def is_position_table(name: str) -> bool:
    """Return whether a module of a whole model is one of its two tables of positions, by its name."""
    return "embed_positions" in name


def empty_layer(config: WhisperConfig, block: BlockId) -> nn.Module:
    """Return an original layer that could hold the block, untrained."""
    return WhisperEncoderLayer(config) if block.half == "encoder" else WhisperDecoderLayer(config, block.layer)


def shrink_block(layer: nn.Module, block: BlockId, plan: BlockPlan) -> None:
    """Give a block of an original layer, in place and untrained, the modules of a plan."""
    shrink(layer, _attention_name(block), plan.model_dump(), has_ff=block.has_ff)


def final_norm(model: WhisperForConditionalGeneration, half: Half) -> nn.Module:
    """Return the norm that ends the encoder or the decoder."""
    norm: nn.Module = getattr(model.model, half).layer_norm
    return norm


def final_norm_prefix(half: Half) -> str:
    """Return how the names of the tensors of that norm begin in a whole model."""
    return f"model.{half}.layer_norm."


def attention_weights(layer: nn.Module, block: BlockId) -> AttentionWeights:
    """Return the weights of a block's attention, in the layer's precision."""
    modules = block_modules(layer, block)
    return AttentionWeights(
        query_XD=modules.query.weight.detach(),
        query_bias_X=modules.query.bias.detach(),
        key_XD=modules.key.weight.detach(),
        value_YD=modules.value.weight.detach(),
        value_bias_Y=None if modules.value.bias is None else modules.value.bias.detach(),
        output_DY=modules.output.weight.detach(),
        output_bias_D=modules.output.bias.detach(),
    )


def feed_forward_weights(layer: nn.Module, block: BlockId) -> tuple[LinearWeights, LinearWeights] | None:
    """Return both matrices of an original block's feed-forward, in the layer's precision; None where it has none."""
    if not block.has_ff:
        return None
    modules = block_modules(layer, block)
    first, second = (
        LinearWeights(linear.weight.detach(), linear.bias.detach()) for linear in (modules.ff_first, modules.ff_second)
    )
    return first, second


def block_state(block: BlockId, attention: AttentionWeights, ff: FeedForwardWeights | None) -> dict[str, Tensor]:
    """Return a block's weights by their names inside the layer."""
    name = _attention_name(block)
    state = {
        f"{name}.q_proj.weight": attention.query_XD,
        f"{name}.q_proj.bias": attention.query_bias_X,
        f"{name}.k_proj.weight": attention.key_XD,
        f"{name}.v_proj.weight": attention.value_YD,
        f"{name}.out_proj.weight": attention.output_DY,
        f"{name}.out_proj.bias": attention.output_bias_D,
    }
    if attention.value_bias_Y is not None:
        state[f"{name}.v_proj.bias"] = attention.value_bias_Y
    if ff is not None:
        state |= _linear_state("fc1", ff.first) | _linear_state("fc2", ff.second)
    return state


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
    if modules.ff_first is None:
        return hidden_BTD
    inner_BTF = nn.functional.gelu(modules.ff_first(modules.ff_norm(hidden_BTD)))
    out_BTD: Tensor = modules.ff_second(inner_BTF)
    return hidden_BTD + out_BTD


def embed(model: Any, features_BMT: Tensor) -> Tensor:
    """Return what enters the encoder's first layer, hidden_BSD: positions are taken from the front."""
    encoder = model.model.encoder
    hidden_BDS = nn.functional.gelu(encoder.conv2(nn.functional.gelu(encoder.conv1(features_BMT))))
    hidden_BSD: Tensor = hidden_BDS.mT
    return hidden_BSD + encoder.embed_positions.weight[: hidden_BSD.shape[1]]


def encode(model: Any, features_BMT: Tensor) -> Tensor:
    """Return the encoder's output_BSD. Features may have fewer frames than a whole window: the encoder ends there.

    The stock encoder takes whole windows only. This is the same without that check and without dropout, which is 0 in
    every base model.
    """
    hidden_BSD = embed(model, features_BMT)
    for block in blocks_of(shape_of(model.config), "encoder"):
        hidden_BSD = run_block(layer_of(model, block), block, hidden_BSD)
    output_BSD: Tensor = final_norm(model, "encoder")(hidden_BSD)
    return output_BSD


def decode(model: Any, tokens_BL: Tensor, encoded_BSD: Tensor) -> Tensor:
    """Return the decoder's output_BLD, before the vocabulary: each position has seen the tokens up to its own."""
    hidden_BLD: Tensor = model.model.decoder(
        input_ids=tokens_BL, encoder_hidden_states=encoded_BSD, use_cache=False
    ).last_hidden_state
    return hidden_BLD


def token_logits(model: Any, decoded_BLD: Tensor) -> Tensor:
    """Return the logits_BLV of the next token after each position of the decoder's output."""
    logits_BLV: Tensor = model.proj_out(decoded_BLD)
    return logits_BLV


def shape_of(config: WhisperConfig) -> ModelShape:
    return ModelShape.from_config(config.to_dict())


def count_params(model: WhisperForConditionalGeneration, half: Half) -> int:
    """Count as the literature does: the encoder without its fixed positions, the decoder with its embeddings."""
    module: nn.Module = getattr(model.model, half)
    counted = (p for name, p in module.named_parameters() if half == "decoder" or not is_position_table(name))
    return sum(parameter.numel() for parameter in counted)


def _attention_name(block: BlockId) -> str:
    return "encoder_attn" if block.attention == "cross" else "self_attn"


def _linear_state(name: str, linear: LinearWeights | LowRankWeights) -> dict[str, Tensor]:
    if isinstance(linear, LowRankWeights):
        return {
            f"{name}.down.weight": linear.down_RI,
            f"{name}.up.weight": linear.up_OR,
            f"{name}.up.bias": linear.bias_O,
        }
    return {f"{name}.weight": linear.weight_OI, f"{name}.bias": linear.bias_O}

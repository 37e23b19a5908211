"""The shape of a Whisper: its dimensions, what they cost in parameters, and the blocks that its layers are made of."""

import re
from functools import cached_property
from typing import Literal, Self, get_args

from pydantic import Field

from adaptwin_core.domain.errors import InvalidSpec
from adaptwin_core.domain.frozen import Frozen

Half = Literal["encoder", "decoder"]
HALVES: tuple[Half, ...] = get_args(Half)
AttentionKind = Literal["self", "cross"]
_BLOCK_NAME = re.compile(r"(encoder|decoder)\.(\d+)\.(self|cross)")


class ModelShape(Frozen):
    """The dimensions of a Whisper, which decide its parameter counts."""

    d_model: int
    encoder_layers: int
    decoder_layers: int
    encoder_heads: int
    decoder_heads: int
    encoder_ffn: int
    decoder_ffn: int
    vocab_size: int
    num_mel_bins: int
    max_source_positions: int
    max_target_positions: int

    @classmethod
    def from_config(cls, config: dict[str, object]) -> Self:
        """Read a Hugging Face Whisper `config.json`.

        Raises:
            InvalidSpec: it is not a Whisper configuration.
        """
        names = {
            "encoder_heads": "encoder_attention_heads",
            "decoder_heads": "decoder_attention_heads",
            "encoder_ffn": "encoder_ffn_dim",
            "decoder_ffn": "decoder_ffn_dim",
        }
        try:
            return cls.model_validate({field: config[names.get(field, field)] for field in cls.model_fields})
        except KeyError as missing:
            raise InvalidSpec(f"this is not a Whisper configuration: it lacks {missing}") from missing

    def with_tokens(self, vocab_size: int) -> Self:
        """Return the shape with another number of tokens. A copy by pydantic would keep the counts of this one."""
        return self.model_validate(self.model_dump() | {"vocab_size": vocab_size})

    def heads(self, half: Half) -> int:
        return self.encoder_heads if half == "encoder" else self.decoder_heads

    def head_size(self, half: Half) -> int:
        return self.d_model // self.heads(half)

    def ffn(self, half: Half) -> int:
        return self.encoder_ffn if half == "encoder" else self.decoder_ffn

    def attention_params(self) -> int:
        """Four D x D matrices; query, value and output carry a bias, key does not."""
        return 4 * self.d_model**2 + 3 * self.d_model

    def ff_params(self, half: Half) -> int:
        return 2 * self.d_model * self.ffn(half) + self.ffn(half) + self.d_model

    @cached_property
    def encoder_params(self) -> int:
        """Encoder parameters without the fixed sinusoidal positions, as the literature counts them."""
        d = self.d_model
        convs = 3 * self.num_mel_bins * d + d + 3 * d * d + d
        layer = self.attention_params() + self.ff_params("encoder") + 4 * d
        return convs + self.encoder_layers * layer + 2 * d

    @cached_property
    def decoder_params(self) -> int:
        """Decoder parameters with token and position embeddings; the output layer shares the token embedding."""
        d = self.d_model
        layer = 2 * self.attention_params() + self.ff_params("decoder") + 6 * d
        return (self.vocab_size + self.max_target_positions) * d + self.decoder_layers * layer + 2 * d

    @cached_property
    def decoder_layer_params(self) -> int:
        """Parameters of the decoder's layers, the only ones in it that a cut can remove."""
        return self.decoder_layers * (2 * self.attention_params() + self.ff_params("decoder") + 6 * self.d_model)

    @cached_property
    def total_params(self) -> int:
        """All parameters with the encoder's positions, as `num_parameters()` of the loaded model counts them."""
        return self.encoder_params + self.max_source_positions * self.d_model + self.decoder_params


class BlockId(Frozen):
    """One attention module with the feed-forward that follows it (decoder self-attention has none)."""

    half: Half
    layer: int = Field(ge=0)
    attention: AttentionKind = "self"

    def __str__(self) -> str:
        return f"{self.half}.{self.layer}.{self.attention}"

    @classmethod
    def parse(cls, name: str) -> Self:
        """Read `encoder.3.self`.

        Raises:
            InvalidSpec: the name has another form.
        """
        match = _BLOCK_NAME.fullmatch(name)
        if match is None:
            raise InvalidSpec(f"not a block name: {name!r}")
        return cls.model_validate({"half": match[1], "layer": int(match[2]), "attention": match[3]})

    @property
    def has_ff(self) -> bool:
        return self.half == "encoder" or self.attention == "cross"


def blocks_of(shape: ModelShape, half: Half) -> list[BlockId]:
    """Return the blocks of one half of the model in forward order."""
    if half == "encoder":
        return [BlockId(half="encoder", layer=i) for i in range(shape.encoder_layers)]
    kinds: tuple[AttentionKind, AttentionKind] = ("self", "cross")
    return [BlockId(half="decoder", layer=i, attention=kind) for i in range(shape.decoder_layers) for kind in kinds]

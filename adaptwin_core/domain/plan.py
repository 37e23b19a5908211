"""Which ranks each block keeps, and what that costs in parameters. Pure arithmetic on a model's shape."""

import re
from functools import cached_property
from typing import Literal, Self

from pydantic import Field

from adaptwin_core.domain.errors import InvalidSpec
from adaptwin_core.domain.spec import Frozen

AttentionKind = Literal["self", "cross"]
Part = Literal["encoder", "decoder"]
TOKENS_A_WINDOW = 100  # of speech in 30 s
# What one attention score costs CTranslate2 beside its own multiplications (softmax, memory), in multiplications:
# docs/history.md, "Speed in CTranslate2".
SCORE_COST = 350
_BLOCK_NAME = re.compile(r"(encoder|decoder)\.(\d+)\.(self|cross)")


class ModelShape(Frozen):
    """The numbers of a Whisper configuration that decide its parameter counts."""

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

    def heads(self, part: Part) -> int:
        return self.encoder_heads if part == "encoder" else self.decoder_heads

    def head_size(self, part: Part) -> int:
        return self.d_model // self.heads(part)

    def ffn(self, part: Part) -> int:
        return self.encoder_ffn if part == "encoder" else self.decoder_ffn

    def attention_params(self) -> int:
        """Four D x D matrices; query, value and output carry a bias, key does not."""
        return 4 * self.d_model**2 + 3 * self.d_model

    def ff_params(self, part: Part) -> int:
        return 2 * self.d_model * self.ffn(part) + self.ffn(part) + self.d_model

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
        """Decoder parameters that a cut can reach: all layers, no embedding."""
        return self.decoder_layers * (2 * self.attention_params() + self.ff_params("decoder") + 6 * self.d_model)

    @cached_property
    def total_params(self) -> int:
        """All parameters with the encoder's positions, as `num_parameters()` of the loaded model counts them."""
        return self.encoder_params + self.max_source_positions * self.d_model + self.decoder_params


class BlockId(Frozen):
    """One attention module with the feed-forward that follows it (decoder self-attention has none)."""

    part: Part
    layer: int = Field(ge=0)
    attention: AttentionKind = "self"

    def __str__(self) -> str:
        return f"{self.part}.{self.layer}.{self.attention}"

    @classmethod
    def parse(cls, name: str) -> Self:
        """Read `encoder.3.self`.

        Raises:
            InvalidSpec: the name has another form.
        """
        match = _BLOCK_NAME.fullmatch(name)
        if match is None:
            raise InvalidSpec(f"not a block name: {name!r}")
        return cls.model_validate({"part": match[1], "layer": int(match[2]), "attention": match[3]})

    @property
    def has_ff(self) -> bool:
        return self.part == "encoder" or self.attention == "cross"


class BlockPlan(Frozen):
    """What one block keeps: `heads` of its attention, columns a head in `qk` and `vo`, `neurons` of the feed-forward,
    and the ranks `fc1` and `fc2` of its two matrices on those neurons. None leaves that part as it was.
    """

    heads: int | None = None
    qk: int | None = None
    vo: int | None = None
    neurons: int | None = None
    fc1: int | None = None
    fc2: int | None = None

    @property
    def is_whole(self) -> bool:
        return self == BlockPlan()


class RankPlan(Frozen):
    """The ranks of every cut block, by block name. Saved inside the compressed model's config."""

    blocks: dict[str, BlockPlan]

    def params_removed(self, shape: ModelShape, part: Part) -> int:
        """Return how many parameters of `part` the plan takes away."""
        return sum(
            block_params(shape, BlockId.parse(name), BlockPlan()) - block_params(shape, BlockId.parse(name), plan)
            for name, plan in self.blocks.items()
            if BlockId.parse(name).part == part
        )

    def encoder_params(self, shape: ModelShape) -> int:
        return shape.encoder_params - self.params_removed(shape, "encoder")

    def total_params(self, shape: ModelShape) -> int:
        return shape.total_params - self.params_removed(shape, "encoder") - self.params_removed(shape, "decoder")


def block_params(shape: ModelShape, block: BlockId, plan: BlockPlan) -> int:
    """Return the parameters of a block's attention and feed-forward under `plan`, layer norms apart.

    Twins of rank r in H heads keep two D x Hr matrices. The query keeps its bias; the value's is folded away by a cut.
    A feed-forward of fewer neurons stays two matrices; a matrix of rank r becomes two thin ones, and keeps its bias.
    """
    d, f, size = shape.d_model, plan.neurons or shape.ffn(block.part), shape.head_size(block.part)
    h = plan.heads or shape.heads(block.part)
    qk = 2 * d * h * (plan.qk or size) + h * (plan.qk or size)
    vo = 2 * d * h * (plan.vo or size) + d
    if plan.vo is None and plan.heads is None:
        vo += d
    if not block.has_ff:
        return qk + vo
    fc1 = d * f + f if plan.fc1 is None else plan.fc1 * (d + f) + f
    fc2 = d * f + d if plan.fc2 is None else plan.fc2 * (d + f) + d
    return qk + vo + fc1 + fc2


def block_work(shape: ModelShape, block: BlockId, plan: BlockPlan, score_cost: int = SCORE_COST) -> int:
    """Return the work of a block for one window of 30 s that holds `TOKENS_A_WINDOW` tokens, in multiplications.

    A weight is used once for each position that it sees. Every head pairs every position that reads with every one
    that is read, once over its query-key columns and once over its value-output columns, and makes a score of it.
    A score costs `score_cost` beside that.
    """
    d, f, size = shape.d_model, plan.neurons or shape.ffn(block.part), shape.head_size(block.part)
    reading = shape.max_source_positions if block.part == "encoder" else TOKENS_A_WINDOW
    read = reading if block.attention == "self" else shape.max_source_positions
    heads = plan.heads or shape.heads(block.part)
    columns = heads * ((plan.qk or size) + (plan.vo or size))
    attention = columns * (d * (reading + read) + reading * read) + score_cost * heads * reading * read
    if not block.has_ff:
        return attention
    return attention + reading * sum(d * f if rank is None else rank * (d + f) for rank in (plan.fc1, plan.fc2))


def blocks_of(shape: ModelShape, part: Part) -> list[BlockId]:
    """Return the blocks of one half of the model in forward order."""
    if part == "encoder":
        return [BlockId(part="encoder", layer=i) for i in range(shape.encoder_layers)]
    kinds: tuple[AttentionKind, AttentionKind] = ("self", "cross")
    return [BlockId(part="decoder", layer=i, attention=kind) for i in range(shape.decoder_layers) for kind in kinds]

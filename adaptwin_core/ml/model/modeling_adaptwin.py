"""A Whisper whose blocks keep only the ranks its config names, and whose windows end soon after the sound in them.
Travels inside every published model.

Needs torch, transformers and safetensors (which transformers brings) alone, so a downloaded folder loads anywhere:

    pipeline("automatic-speech-recognition", model=folder, trust_remote_code=True)

Shape letters: B batch, M mels, F frames, T query positions, S key positions, D width, H kept heads, Q kept query-key
columns a head, V kept value-output columns a head.
"""

from contextvars import ContextVar
from typing import Any

import torch
from safetensors.torch import load_file
from torch import nn
from transformers import GenerationConfig, WhisperConfig, WhisperForConditionalGeneration
from transformers.cache_utils import EncoderDecoderCache
from transformers.modeling_outputs import BaseModelOutput
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.models.whisper.modeling_whisper import WhisperAttention, WhisperEncoder, eager_attention_forward
from transformers.utils import cached_file
from transformers.utils.generic import merge_with_config_defaults
from transformers.utils.output_capturing import capture_outputs

# X.weight_scale holds the scales of the matrix X.weight: with X.weight_zero it is 4 bits, alone 8.
SCALE_SUFFIX, ZERO_SUFFIX = "_scale", "_zero"
FRAMES_PER_S, WINDOW_FRAMES = 100, 3000
TELLS_TIMES: ContextVar[bool] = ContextVar("tells_times", default=False)  # whether a call of `generate` does
WHERE = ("cache_dir", "force_download", "local_files_only", "revision", "subfolder", "token")  # of a hub download


class AdaptwinWhisperConfig(WhisperConfig):
    """Whisper's configuration with the rank plan: `{"encoder.0.self": {"heads": 7, "qk": 24, "neurons": 1240}}`.

    A part that a block does not name, or names null, keeps its original shape.
    """

    model_type = "adaptwin_whisper"

    def __init__(
        self,
        adaptwin_plan: dict[str, dict[str, int | None]] | None = None,
        adaptwin_weights: str = "float16",
        adaptwin_margin_s: float | None = None,
        **kwargs: Any,
    ) -> None:
        self.adaptwin_plan = adaptwin_plan or {}
        self.adaptwin_weights = adaptwin_weights  # how the file stores matrices: float16, int8 or int4
        # How long after the last sound a window ends. None: windows are whole, 30 s. May be set on a loaded model.
        self.adaptwin_margin_s = adaptwin_margin_s
        super().__init__(**kwargs)


def fitted(features_BMF: torch.Tensor, margin_s: float) -> torch.Tensor:
    """Return features that end `margin_s` after the last sound in the batch, with an even number of frames.

    Padding is what follows the last frame that is not the same in all mels. `generate` pads the end of a long recording
    with zeros, which are loud; the feature extractor pads with the floor, which is the lowest value. Both become that.
    """
    is_sound_BF = features_BMF.amax(1) != features_BMF.amin(1)
    is_padding_BF = is_sound_BF.flip(1).cumsum(1).flip(1) == 0
    num_frames = int((~is_padding_BF).sum(1).amax()) - 1  # the last frame of a sound is centred on its end
    num_frames = max(2, num_frames + round(margin_s * FRAMES_PER_S))
    floor_B11 = features_BMF.amin((1, 2), keepdim=True)
    return torch.where(is_padding_BF.unsqueeze(1), floor_B11, features_BMF)[..., : num_frames + num_frames % 2]


class FittedEncoder(WhisperEncoder):
    """Whisper's encoder on as many frames as there are, 3000 at most; it cuts padding down to the config's margin."""

    @merge_with_config_defaults  # type: ignore[untyped-decorator]
    @capture_outputs  # type: ignore[untyped-decorator]
    def forward(
        self,
        input_features: torch.Tensor,
        attention_mask: Any = None,  # noqa: ARG002  # changes nothing, as in the stock encoder
        **kwargs: Any,
    ) -> BaseModelOutput:
        """Encode features_BMF."""
        frames, most_frames = input_features.shape[-1], 2 * self.max_source_positions
        if frames > most_frames:
            raise ValueError(f"a window has {most_frames} frames at most, and these features have {frames}")
        if self.config.adaptwin_margin_s is not None and not TELLS_TIMES.get():
            input_features = fitted(input_features, self.config.adaptwin_margin_s)
        embedded_BDT = nn.functional.gelu(self.conv2(nn.functional.gelu(self.conv1(input_features))))
        positions_TD = self.embed_positions.weight[: embedded_BDT.shape[-1]]
        hidden_BTD = nn.functional.dropout(embedded_BDT.mT + positions_TD, p=self.dropout, training=self.training)
        for layer in self.layers:
            if self.training and self.layerdrop > 0 and torch.rand([]) < self.layerdrop:
                continue
            hidden_BTD = layer(hidden_BTD, None, **kwargs)
        return BaseModelOutput(last_hidden_state=self.layer_norm(hidden_BTD))


class TwinAttention(WhisperAttention):
    """Whisper's attention with fewer heads, and Q query-key and V value-output columns in each.

    The four projections stay plain `nn.Linear`. The 1/sqrt(K) of the original is folded into the query, the value's
    bias into the output's: attention rows sum to 1, so that fold is exact.
    """

    def __init__(self, original: WhisperAttention, *, heads: int | None, qk: int | None, vo: int | None) -> None:
        nn.Module.__init__(self)
        for name in ("embed_dim", "dropout", "head_dim", "config", "is_decoder", "is_causal", "layer_idx"):
            setattr(self, name, getattr(original, name))
        self.num_heads = heads or original.num_heads
        self.query_size = qk or original.head_dim
        self.value_size = vo or original.head_dim
        self.scaling = 1.0 if qk else original.scaling
        qk_width, vo_width = self.num_heads * self.query_size, self.num_heads * self.value_size
        self.q_proj = nn.Linear(self.embed_dim, qk_width)
        self.k_proj = nn.Linear(self.embed_dim, qk_width, bias=False)
        self.v_proj = nn.Linear(self.embed_dim, vo_width, bias=vo is None and heads is None)
        self.out_proj = nn.Linear(vo_width, self.embed_dim)

    def forward(
        self,
        hidden_states: torch.Tensor,
        key_value_states: torch.Tensor | None = None,
        past_key_values: Any = None,
        attention_mask: torch.Tensor | None = None,
        output_attentions: bool = False,
        **kwargs: Any,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Attend as Whisper does; x_BTD in, x_BTD out. The cache holds k_BHSQ and v_BHSV."""
        batch, length = hidden_states.shape[:2]
        is_cross = key_value_states is not None
        q_BHTQ = self._heads(self.q_proj(hidden_states) * self.scaling, self.query_size)

        cache, is_filled = past_key_values, False
        if isinstance(past_key_values, EncoderDecoderCache):
            is_filled = bool(past_key_values.is_updated.get(self.layer_idx))
            if is_cross:
                past_key_values.is_updated[self.layer_idx] = True
                cache = past_key_values.cross_attention_cache
            else:
                cache = past_key_values.self_attention_cache

        if is_cross and cache is not None and is_filled:
            k_BHSQ, v_BHSV = cache.layers[self.layer_idx].keys, cache.layers[self.layer_idx].values
        else:
            source = key_value_states if key_value_states is not None else hidden_states
            k_BHSQ = self._heads(self.k_proj(source), self.query_size)
            v_BHSV = self._heads(self.v_proj(source), self.value_size)
            if cache is not None:
                k_BHSQ, v_BHSV = cache.update(k_BHSQ, v_BHSV, self.layer_idx)

        if length > 1:
            # Fused kernels want one head size for all three: zeros up to it cost little (measured on a CPU, 1500
            # positions: 4 times faster forward, 2.3 times with backward, than the plain path that unequal sizes take).
            widest = max(self.query_size, self.value_size)
            q_BHTQ, k_BHSQ, v_BHSV = (nn.functional.pad(x, (0, widest - x.shape[-1])) for x in (q_BHTQ, k_BHSQ, v_BHSV))
        attend = ALL_ATTENTION_FUNCTIONS.get_interface(self.config._attn_implementation, eager_attention_forward)
        out_BTHV, weights = attend(
            self,
            q_BHTQ,
            k_BHSQ,
            v_BHSV,
            attention_mask,
            dropout=self.dropout if self.training else 0.0,
            scaling=1.0,
            output_attentions=output_attentions,
            **kwargs,
        )
        out_BTHV = out_BTHV[..., : self.value_size]
        return self.out_proj(out_BTHV.reshape(batch, length, -1)), weights

    def _heads(self, x: torch.Tensor, size: int) -> torch.Tensor:
        return x.view(x.shape[0], -1, self.num_heads, size).transpose(1, 2).contiguous()


class LowRankLinear(nn.Module):
    """A linear layer kept as two thin ones: `up(down(x))`."""

    def __init__(self, in_features: int, out_features: int, *, rank: int) -> None:
        super().__init__()
        self.down = nn.Linear(in_features, rank, bias=False)
        self.up = nn.Linear(rank, out_features)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.up(self.down(x))


def shrink(layer: nn.Module, attention: str, ranks: dict[str, int | None], *, has_ff: bool) -> None:
    """Replace, in place and untrained, the modules of one block of `layer` that `ranks` names.

    Args:
        layer: a Whisper encoder or decoder layer.
        attention: the attribute of its attention module, `self_attn` or `encoder_attn`.
        ranks: any of heads, qk, vo (columns a head), neurons, fc1, fc2 (ranks of the two matrices on those neurons).
        has_ff: whether the layer's feed-forward belongs to this block.
    """
    kept = {name: ranks.get(name) for name in ("heads", "qk", "vo")}
    if any(kept.values()):
        setattr(layer, attention, TwinAttention(getattr(layer, attention), **kept))
    if not has_ff:
        return
    fc1: Any = layer.fc1
    width, neurons = fc1.in_features, ranks.get("neurons") or fc1.out_features
    for name, sizes in (("fc1", (width, neurons)), ("fc2", (neurons, width))):
        rank = ranks.get(name)
        if rank:
            setattr(layer, name, LowRankLinear(*sizes, rank=rank))
        elif ranks.get("neurons"):
            setattr(layer, name, nn.Linear(*sizes))


def widened(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return stored weights as float32.

    An int8 matrix is multiplied by the scale of each of its rows. An int4 matrix holds two values a byte, the even one
    low; each group of a row has its scale and its zero.
    """
    full = {}
    for name, tensor in state.items():
        if name.endswith((SCALE_SUFFIX, ZERO_SUFFIX)):
            continue
        scale, zero = state.get(name + SCALE_SUFFIX), state.get(name + ZERO_SUFFIX)
        if scale is None:
            full[name] = tensor.float()
        elif zero is None:
            full[name] = tensor.float() * scale.float().unsqueeze(1)
        else:
            values = torch.stack([tensor & 15, tensor >> 4], -1).flatten(1).unflatten(1, (scale.shape[1], -1))
            full[name] = ((values.float() - zero.float().unsqueeze(-1)) * scale.float().unsqueeze(-1)).flatten(1)
    return full


class AdaptwinWhisperForConditionalGeneration(WhisperForConditionalGeneration):
    """Whisper, compressed as its config's plan says. Everything else is the stock class."""

    config_class = AdaptwinWhisperConfig

    def __init__(self, config: AdaptwinWhisperConfig) -> None:
        super().__init__(config)
        # `pipeline` knows a Whisper by this name alone. Files keep the class's own, so that stock Whisper is not
        # loaded in its place.
        self.config.model_type = "whisper"
        self.model.encoder = FittedEncoder(config)
        for name, ranks in config.adaptwin_plan.items():
            half, layer, kind = name.split(".")
            attention = "encoder_attn" if kind == "cross" else "self_attn"
            module = getattr(self.model, half).layers[int(layer)]
            shrink(module, attention, ranks, has_ff=half == "encoder" or kind == "cross")
        self.post_init()

    def generate(
        self, input_features: Any = None, *args: Any, return_timestamps: bool | None = None, **kwargs: Any
    ) -> Any:
        """As the stock method. Where it tells times, as for every long recording, it hears in whole windows.

        The model was taught and judged in fitted windows without times. One that learnt little repeats itself there.
        """
        given = kwargs.get("generation_config") or self.generation_config
        wants_times = getattr(given, "return_timestamps", None) if return_timestamps is None else return_timestamps
        features = kwargs.get("inputs") if input_features is None else input_features
        is_long = features is not None and features.shape[-1] > WINDOW_FRAMES
        token = TELLS_TIMES.set(bool(wants_times or is_long))
        try:
            return super().generate(input_features, *args, return_timestamps=return_timestamps, **kwargs)
        finally:
            TELLS_TIMES.reset(token)

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: Any, *args: Any, **kwargs: Any) -> Any:
        """As the stock method; matrices stored in 8 or 4 bits are widened on the way in."""
        name = pretrained_model_name_or_path
        where = {key: kwargs[key] for key in WHERE if key in kwargs}
        config: Any = kwargs.get("config")
        if name is not None and not isinstance(config, cls.config_class):
            config = cls.config_class.from_pretrained(config or name, **where)
        if name is None or config is None or config.adaptwin_weights == "float16":
            return super().from_pretrained(name, *args, **kwargs)
        state = widened(load_file(cached_file(name, "model.safetensors", **where)))
        loaded = super().from_pretrained(None, *args, **kwargs | {"config": config, "state_dict": state})
        model = loaded[0] if isinstance(loaded, tuple) else loaded  # with output_loading_info
        if "generation_config" not in kwargs:
            model.generation_config = GenerationConfig.from_pretrained(name, **where)
        return loaded

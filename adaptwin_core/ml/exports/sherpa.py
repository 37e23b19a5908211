"""A compressed model as a sherpa-onnx bundle: encoder, decoder and tokens of its Whisper recognizer.

Its decoder keeps the keys and values of all layers in two caches of one width, which the runtime reads from
`n_text_state`. So all heads of the decoder are padded with zeros to the widest. Shape letters as in onnx_graphs.py; N
layers of the decoder, C positions of a cache, W = H · widest head.
"""

import base64
import copy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from adaptwin_core.ml.base.token_ids import language_ids, token_ids
from adaptwin_core.ml.exports.onnx_files import export
from adaptwin_core.ml.exports.onnx_graphs import Encoder, attend, by_head, feed_forward
from adaptwin_core.ml.exports.padding import pad_attention
from adaptwin_core.ml.exports.text_tokens import text_tokens
from adaptwin_core.ml.model.modeling_adaptwin import AdaptwinWhisperForConditionalGeneration

SUFFIXES = {"float32": "", "int8": ".int8"}  # as its own models are named
EMPTY = "="  # stands for a token without bytes in the table


class CrossEncoder(nn.Module):
    """Takes features_BMF; gives the keys and values that every decoder layer reads, each (N, B, S, W)."""

    def __init__(self, whisper: Any) -> None:
        super().__init__()
        self.encoder, self.layers = Encoder(whisper), whisper.model.decoder.layers

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        encoded_BSD = self.encoder(mel)
        reads = [layer.encoder_attn for layer in self.layers]
        return (
            torch.stack([attention.k_proj(encoded_BSD) for attention in reads]),
            torch.stack([attention.v_proj(encoded_BSD) for attention in reads]),
        )


class CachedDecoder(nn.Module):
    """The decoder over caches of all C positions, of which the first `offset` are filled."""

    def __init__(self, whisper: Any) -> None:
        super().__init__()
        self.decoder, self.proj_out = whisper.model.decoder, whisper.proj_out
        self.heads: int = whisper.config.decoder_attention_heads

    def forward(
        self, tokens: Tensor, keys_NBCW: Tensor, values_NBCW: Tensor, read_k: Tensor, read_v: Tensor, offset: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        decoder = self.decoder
        places_L = offset + torch.arange(tokens.shape[1])
        hidden_BLD = decoder.embed_tokens(tokens) + decoder.embed_positions.weight[places_L]
        # A token sees itself and those before it; what follows in the cache is left from an earlier recording.
        places_C = torch.arange(keys_NBCW.shape[2])
        mask_LC = torch.where(places_C <= places_L.unsqueeze(1), 0.0, torch.finfo(torch.float32).min)
        all_keys, all_values = [], []
        for index, layer in enumerate(decoder.layers):
            normed_BLD = layer.self_attn_layer_norm(hidden_BLD)
            keys_BCW = keys_NBCW[index].index_copy(1, places_L, layer.self_attn.k_proj(normed_BLD))
            values_BCW = values_NBCW[index].index_copy(1, places_L, layer.self_attn.v_proj(normed_BLD))
            all_keys.append(keys_BCW)
            all_values.append(values_BCW)
            own = by_head(keys_BCW, self.heads), by_head(values_BCW, self.heads)
            hidden_BLD = hidden_BLD + attend(layer.self_attn, normed_BLD, own, mask_LC)
            normed_BLD = layer.encoder_attn_layer_norm(hidden_BLD)
            read = by_head(read_k[index], self.heads), by_head(read_v[index], self.heads)
            hidden_BLD = feed_forward(layer, hidden_BLD + attend(layer.encoder_attn, normed_BLD, read))
        scores_BLV: Tensor = self.proj_out(decoder.layer_norm(hidden_BLD))
        return scores_BLV, torch.stack(all_keys), torch.stack(all_values)


@torch.no_grad()
def write_sherpa(model: AdaptwinWhisperForConditionalGeneration, texts: Path, out: Path, *, weights: str) -> list[str]:
    """Write encoder, decoder and tokens.

    Args:
        texts: folder with the model's tokenizer and generation settings.
        weights: float32 or int8.

    Returns:
        the names of the files written.
    """
    out.mkdir(parents=True, exist_ok=True)
    config = model.config
    padded, width = _padded(model)
    export(
        CrossEncoder(padded),
        (torch.zeros(2, config.num_mel_bins, 2 * config.max_source_positions - 2),),
        out / f"encoder{SUFFIXES[weights]}.onnx",
        inputs={"mel": {0: "n_audio", 2: "T"}},
        outputs=["n_layer_cross_k", "n_layer_cross_v"],
        weights=weights,
        metadata=_metadata(model, texts, width),
    )
    caches = [torch.zeros(config.decoder_layers, 2, config.max_target_positions, width) for _ in range(2)]
    reads = [torch.zeros(config.decoder_layers, 2, 7, width) for _ in range(2)]
    export(
        CachedDecoder(padded),
        (torch.zeros(2, 3, dtype=torch.int64), *caches, *reads, torch.tensor([1])),
        out / f"decoder{SUFFIXES[weights]}.onnx",
        inputs={
            "tokens": {0: "n_audio", 1: "n_tokens"},
            "in_n_layer_self_k_cache": {1: "n_audio"},
            "in_n_layer_self_v_cache": {1: "n_audio"},
            "n_layer_cross_k": {1: "n_audio", 2: "positions"},
            "n_layer_cross_v": {1: "n_audio", 2: "positions"},
            "offset": {},
        },
        outputs=["logits", "out_n_layer_self_k_cache", "out_n_layer_self_v_cache"],
        weights=weights,
    )
    rows = [f"{base64.b64encode(token).decode() or EMPTY} {index}" for index, token in enumerate(text_tokens(texts))]
    (out / "tokens.txt").write_text("\n".join(rows) + "\n")
    return sorted(path.name for path in out.iterdir())


def _padded(model: AdaptwinWhisperForConditionalGeneration) -> tuple[Any, int]:
    """Return a copy whose decoder heads all have one size, and the width of all heads together."""
    padded: Any = copy.deepcopy(model)
    attentions = [
        attention for layer in padded.model.decoder.layers for attention in (layer.self_attn, layer.encoder_attn)
    ]
    heads = attentions[0].num_heads
    size = max(p.out_features // heads for attention in attentions for p in (attention.k_proj, attention.v_proj))
    for attention in attentions:
        pad_attention(attention, heads, size)
    return padded, heads * size


def _metadata(model: Any, texts: Path, width: int) -> dict[str, Any]:
    """Return what sherpa-onnx reads about a Whisper, by the names it uses."""
    config, generation = model.config, model.generation_config
    ids = token_ids(texts)
    languages = language_ids(ids)
    codes = languages or {"<|en|>": ids["<|startoftranscript|>"] + 1}
    start = [ids["<|startoftranscript|>"]]
    if languages:
        start += [languages["<|en|>"], ids["<|transcribe|>"]]
    return {
        "model_type": "whisper",
        "version": "1",
        "maintainer": "AdaPTwin",
        "n_mels": config.num_mel_bins,
        "n_audio_ctx": config.max_source_positions,
        "n_audio_state": config.d_model,
        "n_audio_head": config.encoder_attention_heads,
        "n_audio_layer": config.encoder_layers,
        "n_vocab": config.vocab_size,
        "n_text_ctx": config.max_target_positions,
        "n_text_state": width,
        "n_text_head": config.decoder_attention_heads,
        "n_text_layer": config.decoder_layers,
        "sot_sequence": ",".join(str(token) for token in start),
        "all_language_tokens": ",".join(str(token) for token in codes.values()),
        "all_language_codes": ",".join(code.strip("<|>") for code in codes),
        "sot": ids["<|startoftranscript|>"],
        "sot_index": 0,
        "eot": ids["<|endoftext|>"],
        "blank_id": ids["Ġ"],
        "is_multilingual": int(bool(languages)),
        "no_speech": ids.get("<|nospeech|>", ids.get("<|nocaptions|>")),  # its name before 2023
        "non_speech_tokens": ",".join(str(token) for token in generation.suppress_tokens or []),
        "transcribe": ids["<|transcribe|>"],
        "translate": ids["<|translate|>"],
        "sot_prev": ids["<|startofprev|>"],
        "sot_lm": ids["<|startoflm|>"],
        "no_timestamps": ids["<|notimestamps|>"],
    }

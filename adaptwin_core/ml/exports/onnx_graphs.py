"""The two graphs of a Whisper for ONNX runtimes: an encoder, and a decoder that takes and returns its caches.

They are written in plain matrix products, which take any head sizes. Shape letters: B batch, M mels, F frames, S
encoder positions, D width, L new tokens, P tokens before them, T = P + L, H heads, Q query-key and V value-output
columns of a head, N tokens of the vocabulary.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  # its usual name

from adaptwin_core.ml.model.adapter import embed

Cache = tuple[Tensor, Tensor]  # keys_BHTQ, values_BHTV


class Encoder(nn.Module):
    """Takes features_BMF, gives encoded_BSD. There may be fewer frames than 30 s have: it uses the first positions."""

    def __init__(self, whisper: Any) -> None:
        super().__init__()
        self.whisper = whisper

    def forward(self, input_features: Tensor) -> Tensor:
        encoder = self.whisper.model.encoder
        hidden_BSD = embed(self.whisper, input_features)
        for layer in encoder.layers:
            normed_BSD = layer.self_attn_layer_norm(hidden_BSD)
            attended_BSD = attend(layer.self_attn, normed_BSD, keys_values(layer.self_attn, normed_BSD))
            hidden_BSD = feed_forward(layer, hidden_BSD + attended_BSD)
        encoded_BSD: Tensor = encoder.layer_norm(hidden_BSD)
        return encoded_BSD


class Decoder(nn.Module):
    """Takes new tokens and caches, gives next-token scores and the caches with the new tokens added."""

    def __init__(self, whisper: Any) -> None:
        super().__init__()
        self.decoder, self.proj_out = whisper.model.decoder, whisper.proj_out

    def forward(self, input_ids: Tensor, own: list[Cache], cross: list[Cache]) -> tuple[Tensor, list[Cache]]:
        """Decode input_ids_BL.

        Args:
            own: each layer's keys and values of the P tokens before these.
            cross: each layer's keys and values of the encoder's output.

        Returns:
            scores_BLN, and `own` of T tokens.
        """
        decoder = self.decoder
        num_new, num_before = input_ids.shape[1], own[0][0].shape[2]
        places_T = torch.arange(num_before + num_new, device=input_ids.device)
        places_L = places_T[num_before:]
        hidden_BLD = decoder.embed_tokens(input_ids) + decoder.embed_positions.weight[places_L]
        # A token sees itself and those before it.
        mask_LT = torch.where(places_T <= places_L.unsqueeze(1), 0.0, torch.finfo(torch.float32).min)
        grown = []
        for layer, before, read in zip(decoder.layers, own, cross, strict=True):
            normed_BLD = layer.self_attn_layer_norm(hidden_BLD)
            new = keys_values(layer.self_attn, normed_BLD)
            now = torch.cat([before[0], new[0]], 2), torch.cat([before[1], new[1]], 2)
            grown.append(now)
            hidden_BLD = hidden_BLD + attend(layer.self_attn, normed_BLD, now, mask_LT)
            normed_BLD = layer.encoder_attn_layer_norm(hidden_BLD)
            hidden_BLD = feed_forward(layer, hidden_BLD + attend(layer.encoder_attn, normed_BLD, read))
        scores_BLN: Tensor = self.proj_out(decoder.layer_norm(hidden_BLD))
        return scores_BLN, grown


def keys_values(attention: Any, x_BSD: Tensor) -> Cache:
    """Return the keys and values that an attention reads from `x`."""
    return by_head(attention.k_proj(x_BSD), attention.num_heads), by_head(attention.v_proj(x_BSD), attention.num_heads)


def attend(attention: Any, x_BLD: Tensor, read: Cache, mask_LT: Tensor | None = None) -> Tensor:
    """Return what an attention, stock or cut, adds to `x`."""
    keys_BHTQ, values_BHTV = read
    queries_BHLQ = by_head(attention.q_proj(x_BLD) * attention.scaling, attention.num_heads)
    scores_BHLT = queries_BHLQ @ keys_BHTQ.mT
    if mask_LT is not None:
        scores_BHLT = scores_BHLT + mask_LT
    out_BHLV = scores_BHLT.softmax(-1) @ values_BHTV
    added_BLD: Tensor = attention.out_proj(out_BHLV.transpose(1, 2).flatten(2))
    return added_BLD


def feed_forward(layer: Any, x_BLD: Tensor) -> Tensor:
    out_BLD: Tensor = layer.fc2(F.gelu(layer.fc1(layer.final_layer_norm(x_BLD))))
    return x_BLD + out_BLD


def by_head(x_BLX: Tensor, num_heads: int) -> Tensor:
    return x_BLX.unflatten(-1, (num_heads, -1)).transpose(1, 2)

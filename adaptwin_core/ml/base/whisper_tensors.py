"""The tensors of a Whisper, by Hugging Face's names."""

from adaptwin_core.domain.shape import Half, ModelShape

EMBEDDING, OUTPUT = "model.decoder.embed_tokens.weight", "proj_out.weight"


def tensor_shapes(shape: ModelShape) -> dict[str, tuple[int, ...]]:
    """Return the shape of every tensor. The output layer has no tensor of its own: it is the token embedding."""
    d = shape.d_model
    found: dict[str, tuple[int, ...]] = {
        "model.encoder.conv1.weight": (d, shape.num_mel_bins, 3),
        "model.encoder.conv1.bias": (d,),
        "model.encoder.conv2.weight": (d, d, 3),
        "model.encoder.conv2.bias": (d,),
        "model.encoder.embed_positions.weight": (shape.max_source_positions, d),
        EMBEDDING: (shape.vocab_size, d),
        "model.decoder.embed_positions.weight": (shape.max_target_positions, d),
    }
    for half, num_layers in (("encoder", shape.encoder_layers), ("decoder", shape.decoder_layers)):
        found |= _norm(f"model.{half}.layer_norm", d)
        for layer in range(num_layers):
            found |= _layer(shape, "encoder" if half == "encoder" else "decoder", f"model.{half}.layers.{layer}")
    return found


def _layer(shape: ModelShape, half: Half, prefix: str) -> dict[str, tuple[int, ...]]:
    d, f = shape.d_model, shape.ffn(half)
    found: dict[str, tuple[int, ...]] = {}
    for attention in ("self_attn",) if half == "encoder" else ("self_attn", "encoder_attn"):
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            found[f"{prefix}.{attention}.{name}.weight"] = (d, d)
            if name != "k_proj":
                found[f"{prefix}.{attention}.{name}.bias"] = (d,)
        found |= _norm(f"{prefix}.{attention}_layer_norm", d)
    found |= {f"{prefix}.fc1.weight": (f, d), f"{prefix}.fc1.bias": (f,)}
    found |= {f"{prefix}.fc2.weight": (d, f), f"{prefix}.fc2.bias": (d,)}
    return found | _norm(f"{prefix}.final_layer_norm", d)


def _norm(name: str, width: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}

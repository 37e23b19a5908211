"""Folders of a Whisper as people have them: small random weights, the real tokenizers, saved in many ways."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from transformers import GenerationConfig, WhisperConfig, WhisperForConditionalGeneration, WhisperProcessor

SIZES = {
    "d_model": 64,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 256,
    "decoder_ffn_dim": 256,
}


@dataclass(frozen=True)
class Parts:
    """A model and its processor, to be changed and saved."""

    model: WhisperForConditionalGeneration
    processor: WhisperProcessor
    texts: Path  # folder of the packaged model whose tokenizer this is

    @property
    def tokenizer(self) -> Any:
        return self.processor.tokenizer


def parts_of(texts: Path, **config: Any) -> Parts:
    torch.manual_seed(0)
    model = WhisperForConditionalGeneration(WhisperConfig.from_pretrained(texts, **SIZES, **config))
    with torch.no_grad():  # so that it soon says that it has said all
        decoder = model.model.decoder
        decoder.layer_norm.bias += 500 * decoder.embed_tokens.weight[model.config.eos_token_id]
    model.generation_config = GenerationConfig.from_pretrained(texts)
    model.generation_config.alignment_heads = [[0, 0]]
    return Parts(model, WhisperProcessor.from_pretrained(texts), texts)


def edit(path: Path, **changes: Any) -> None:
    """Change fields of a JSON file; None takes one away."""
    found = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({name: value for name, value in found.items() if value is not None}))


def as_saved_today(parts: Parts, out: Path) -> None:
    parts.model.save_pretrained(out)
    parts.processor.save_pretrained(out)


def as_saved_before(parts: Parts, out: Path) -> None:
    """With each setting in its own file, as transformers did until 2025."""
    parts.model.save_pretrained(out)
    for name in ("tokenizer.json", "tokenizer_config.json", "preprocessor_config.json", "vocab.json", "merges.txt"):
        shutil.copyfile(parts.texts / name, out / name)


def with_slow_tokenizer(parts: Parts, out: Path) -> None:
    as_saved_before(parts, out)
    (out / "tokenizer.json").unlink()


def with_words_alone(parts: Parts, out: Path) -> None:
    """With vocab.json and merges.txt, and nothing that names a special token."""
    with_slow_tokenizer(parts, out)
    (out / "tokenizer_config.json").unlink()


def without_timestamps(parts: Parts, out: Path) -> None:
    """With the tokenizer of 2022, which named no timestamp."""
    as_saved_before(parts, out)
    tokenizer = json.loads((out / "tokenizer.json").read_text())
    specials = [token for token in tokenizer["added_tokens"] if token["special"]]
    (out / "tokenizer.json").write_text(json.dumps(tokenizer | {"added_tokens": specials}))


def without_features(parts: Parts, out: Path) -> None:
    as_saved_before(parts, out)
    (out / "preprocessor_config.json").unlink()


def without_generation_config(parts: Parts, out: Path) -> None:
    as_saved_today(parts, out)
    (out / "generation_config.json").unlink()


def with_the_configuration_of_2022(parts: Parts, out: Path) -> None:
    """How to ask is in config.json, and what was derived from it lacks every token's number."""
    as_saved_today(parts, out)
    forced = [[1, 50259], [2, 50359], [3, 50363]]
    edit(
        out / "config.json",
        forced_decoder_ids=forced,
        suppress_tokens=[],
        max_length=448,
        begin_suppress_tokens=[220, 50257],
        dropout=0.1,
        apply_spec_augment=True,
    )
    (out / "generation_config.json").write_text(
        json.dumps({"_from_model_config": True, "forced_decoder_ids": forced, "suppress_tokens": []})
    )


def with_settings_of_its_own(parts: Parts, out: Path) -> None:
    """As people leave it after a fine-tuning: another task, beams, times, a cache that is off."""
    as_saved_today(parts, out)
    edit(
        out / "generation_config.json",
        forced_decoder_ids=[[1, None], [2, 50358]],
        language="<|hi|>",
        task="translate",
        num_beams=2,
        return_timestamps=True,
        alignment_heads=[[9, 9]],
    )
    edit(out / "config.json", use_cache=False)


def with_a_generic_tokenizer_class(parts: Parts, out: Path) -> None:
    as_saved_today(parts, out)
    edit(out / "tokenizer_config.json", tokenizer_class="PreTrainedTokenizerFast")


def with_a_word_added(parts: Parts, out: Path) -> None:
    parts.tokenizer.add_tokens(["kubernetes"])
    parts.model.resize_token_embeddings(len(parts.tokenizer))
    as_saved_today(parts, out)


def with_a_special_token_added(parts: Parts, out: Path) -> None:
    parts.tokenizer.add_tokens(["<|speaker|>"], special_tokens=True)
    parts.model.resize_token_embeddings(len(parts.tokenizer))
    as_saved_today(parts, out)


def with_padded_embedding(parts: Parts, out: Path) -> None:
    parts.model.resize_token_embeddings(len(parts.tokenizer), pad_to_multiple_of=64)
    as_saved_today(parts, out)


def in_bfloat16_shards(parts: Parts, out: Path) -> None:
    parts.model.bfloat16().save_pretrained(out, max_shard_size="5MB")
    parts.processor.save_pretrained(out)


def with_an_equal_output_layer(parts: Parts, out: Path) -> None:
    as_saved_today(parts, out)
    weights = load_file(out / "model.safetensors")
    weights["proj_out.weight"] = weights["model.decoder.embed_tokens.weight"].clone()
    save_file(weights, out / "model.safetensors", metadata={"format": "pt"})
    edit(out / "config.json", tie_word_embeddings=False)


SAVED: dict[str, Callable[[Parts, Path], None]] = {
    name: value
    for name, value in globals().items()
    if callable(value) and name.startswith(("as_", "with_", "without_", "in_"))
}

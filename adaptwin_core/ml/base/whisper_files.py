"""The text files beside a converted Whisper's weights: configuration, generation settings, tokenizer, audio features.

Dimensions are taken from the tensors, token ids from the tokenizer, suppressed tokens and alignment heads from
CTranslate2's config.json.
"""

import json
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from adaptwin_core.domain import audio
from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.ml.base.ct2_weights import num_layers
from adaptwin_core.ml.base.generation_settings import boundary_ids, generation_json
from adaptwin_core.ml.base.token_ids import END, NUM_TIMESTAMPS

# Of a model that dropped tokens: the base model's `vocab_size`, and `kept`, the base model's ids of those that stayed.
KEPT_FILE = "kept_tokens.json"
# What a recognizer needs beside its weights. Not every Whisper has the last ones.
SIDECARS = (
    "generation_config.json",
    "preprocessor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "normalizer.json",
    "vocab.json",
    "merges.txt",
    KEPT_FILE,
)
_FIRST_MERGE = ["Ġ", "t"]  # in both of Whisper's vocabularies; one of the pinned uploads lacks it
_NAMES_BEFORE_2023 = {"<|nocaptions|>": "<|nospeech|>"}


def english_spelling() -> dict[str, str]:
    """Return OpenAI's table of British to American spellings (openai-whisper's english.json, MIT)."""
    table: dict[str, str] = json.loads(
        resources.files(__package__).joinpath("english_spelling.json").read_text("utf-8")
    )
    return table


def tokenizer_json(source: dict[str, Any], vocab_size: int) -> dict[str, Any]:
    """Return a complete tokenizer.json with all special tokens and timestamps, equal for all uploads.

    Raises:
        InvalidInput: the tokens do not add up to `vocab_size`.
    """
    first_special = vocab_size - NUM_TIMESTAMPS - _num_specials(source)
    vocab = {token: index for token, index in source["model"]["vocab"].items() if index < first_special}
    merges = [merge.split(" ") if isinstance(merge, str) else merge for merge in source["model"]["merges"]]
    if merges[0] != _FIRST_MERGE:
        merges.insert(0, _FIRST_MERGE)
    specials = sorted(
        (token["id"], _NAMES_BEFORE_2023.get(token["content"], token["content"]))
        for token in source["added_tokens"]
        if not _is_timestamp(token["content"])
    )
    first_timestamp = first_special + len(specials)
    stamps = [(first_timestamp + i, f"<|{i * 0.02:.2f}|>") for i in range(NUM_TIMESTAMPS)]
    ids = sorted([*vocab.values(), *(index for index, _ in specials), *(index for index, _ in stamps)])
    if ids != list(range(vocab_size)):
        raise InvalidInput(f"the package's tokenizer does not fit its weights: {len(ids)} tokens, not {vocab_size}")
    added = [_added_token(i, text, special=True) for i, text in specials]
    added += [_added_token(i, text, special=False) for i, text in stamps]
    model = {**source["model"], "vocab": vocab, "merges": merges, "byte_fallback": False, "ignore_merges": False}
    return {**source, "added_tokens": added, "model": model}


def _is_timestamp(text: str) -> bool:
    return text.strip("<|>").replace(".", "").isdigit()


def _num_specials(source: Mapping[str, Any]) -> int:
    return sum(not _is_timestamp(token["content"]) for token in source["added_tokens"])


def _added_token(index: int, content: str, *, special: bool) -> dict[str, Any]:
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": not special, "special": special}
    return {"id": index, "content": content, **flags}


def config_json(tensors: Mapping[str, np.ndarray], ids: Mapping[str, int]) -> dict[str, Any]:
    """Return Hugging Face's config.json for CTranslate2 `tensors`, with the special tokens' `ids` by name."""
    vocab_size, d_model = tensors["decoder/embeddings/weight"].shape
    return {
        "architectures": ["WhisperForConditionalGeneration"],
        "model_type": "whisper",
        "is_encoder_decoder": True,
        "dtype": "float16",
        "activation_function": "gelu",
        "tie_word_embeddings": True,
        "scale_embedding": False,
        "vocab_size": vocab_size,
        "d_model": d_model,
        "num_mel_bins": tensors["encoder/conv1/weight"].shape[1],
        "max_source_positions": tensors["encoder/position_encodings/encodings"].shape[0],
        "max_target_positions": tensors["decoder/position_encodings/encodings"].shape[0],
        "encoder_layers": num_layers(tensors, "encoder"),
        "decoder_layers": num_layers(tensors, "decoder"),
        "encoder_attention_heads": int(tensors["encoder/num_heads"]),
        "decoder_attention_heads": int(tensors["decoder/num_heads"]),
        "encoder_ffn_dim": tensors["encoder/layer_0/ffn/linear_0/bias"].shape[0],
        "decoder_ffn_dim": tensors["decoder/layer_0/ffn/linear_0/bias"].shape[0],
        **boundary_ids(ids),
    }


def tokenizer_config_json(specials: Sequence[str]) -> dict[str, Any]:
    """Return tokenizer_config.json, for special tokens in the order of their ids."""
    return {
        "tokenizer_class": "WhisperTokenizer",
        "processor_class": "WhisperProcessor",
        "model_max_length": 1024,
        **dict.fromkeys(("bos_token", "eos_token", "pad_token", "unk_token"), END),
        "additional_special_tokens": list(specials),  # transformers expects timestamps after the last
    }


def preprocessor_json(num_mel_bins: int) -> dict[str, Any]:
    """Return preprocessor_config.json: Whisper's log-mel features of `num_mel_bins` bins."""
    return {
        "feature_extractor_type": "WhisperFeatureExtractor",
        "processor_class": "WhisperProcessor",
        "feature_size": num_mel_bins,
        "sampling_rate": audio.SAMPLE_RATE_HZ,
        "hop_length": audio.HOP_SAMPLES,
        "n_fft": audio.FFT_SAMPLES,
        "chunk_length": audio.WINDOW_S,
        "n_samples": audio.WINDOW_SAMPLES,
        "nb_max_frames": audio.WINDOW_FRAMES,
        "padding_side": "right",
        "padding_value": 0.0,
        "return_attention_mask": False,
    }


def write_texts(folder: Path, texts: Path, tensors: Mapping[str, np.ndarray]) -> None:
    """Write every text file of a Hugging Face Whisper into `folder`, from CTranslate2's in `texts`."""
    vocab_size = tensors["decoder/embeddings/weight"].shape[0]
    tokenizer = tokenizer_json(json.loads((texts / "tokenizer.json").read_text("utf-8")), vocab_size)
    ids = {token["content"]: token["id"] for token in tokenizer["added_tokens"] if token["special"]}
    ct2_config = json.loads((texts / "config.json").read_text("utf-8"))
    files: dict[str, Any] = {
        "config.json": config_json(tensors, ids),
        "generation_config.json": generation_json(
            ids,
            suppress=ct2_config["suppress_ids"],
            suppress_first=ct2_config["suppress_ids_begin"],
            alignment_heads=ct2_config["alignment_heads"],
        ),
        "tokenizer.json": tokenizer,
        "tokenizer_config.json": tokenizer_config_json(list(ids)),
        "vocab.json": tokenizer["model"]["vocab"],
        "normalizer.json": english_spelling(),
        "preprocessor_config.json": preprocessor_json(tensors["encoder/conv1/weight"].shape[1]),
    }
    for name, value in files.items():
        (folder / name).write_text(json.dumps(value, ensure_ascii=False, indent=1), "utf-8")
    merges = "\n".join(" ".join(pair) for pair in tokenizer["model"]["merges"])
    (folder / "merges.txt").write_text(f"#version: 0.2\n{merges}\n", "utf-8")

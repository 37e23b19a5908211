"""Completes a base model's folder with the files that it lacks beside its weights, so that all stages read one form.

People have saved Whispers with every transformers since 2022, with or without the processor. A folder that lacks a file
is completed in the cache, where its weights are linked, not copied. A complete folder is used as it is.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from adaptwin_core.domain.digest import digest_file, digest_json
from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.domain.shape import ModelShape
from adaptwin_core.ml.base.cache import made_once
from adaptwin_core.ml.base.generation_settings import mended, openai_settings
from adaptwin_core.ml.base.token_ids import ids_in
from adaptwin_core.ml.base.tokenizer import check_tokens, whole_tokenizer
from adaptwin_core.ml.base.weights import INDEX_FILE, WEIGHT_PATTERNS, read_json, weight_files
from adaptwin_core.ml.base.whisper_files import SIDECARS, preprocessor_json, tokenizer_config_json

FILE_PATTERNS = (*WEIGHT_PATTERNS, "*.json", "merges.txt")
_ORIGIN_FILE = "completed_from.json"
_COMPLETION = 1  # raise it when completion makes other files from the same folder
_TOKENIZER_CLASSES = ("WhisperTokenizer", "WhisperTokenizerFast")
_IN_TOKENIZER_JSON = ("added_tokens.json", "special_tokens_map.json")  # a tokenizer.json that was made holds both
# Dropped from config.json: decoding settings belong to generation_config.json, and a model's own code is never run.
_ELSEWHERE = ("forced_decoder_ids", "auto_map")
# Regularization that its trainer used; training here uses none.
_TRAINED = {
    "dropout": 0.0,
    "attention_dropout": 0.0,
    "activation_dropout": 0.0,
    "encoder_layerdrop": 0.0,
    "decoder_layerdrop": 0.0,
    "apply_spec_augment": False,
}


def completed(folder: Path, cache_dir: Path) -> Path:
    """Return a folder with everything that a job and its exports read from a base model.

    Args:
        folder: one that `check_folder` accepted.

    Raises:
        InvalidInput: a missing file cannot be made, or a file belongs to another model; the message says which.
    """
    changed = _changed_files(folder)
    if not changed:
        return folder
    origin = {"digest": digest_json([digest_of(folder), _COMPLETION])}

    def complete(work: Path) -> None:
        for path in [*weight_files(folder), *folder.glob(INDEX_FILE)]:
            (work / path.name).symlink_to(path.resolve())
        kept = [name for name in ("config.json", *SIDECARS) if (folder / name).is_file()]
        for name in kept:
            if "tokenizer.json" not in changed or name not in _IN_TOKENIZER_JSON:
                shutil.copyfile(folder / name, work / name)
        for name, content in {**changed, _ORIGIN_FILE: origin}.items():
            (work / name).write_text(json.dumps(content, ensure_ascii=False, indent=1), "utf-8")

    # The links lead to this one folder, so two folders with equal files are completed separately.
    name = digest_json([origin, str(folder.resolve())])[:16]
    return made_once(cache_dir / f"completed-{name}", complete)


def digest_of(folder: Path) -> str:
    """Return the SHA-256 over the files of a base model; for a completed folder, over the files it was made from."""
    if (folder / _ORIGIN_FILE).is_file():
        return str(read_json(folder / _ORIGIN_FILE)["digest"])
    names = {path for pattern in FILE_PATTERNS for path in folder.glob(pattern)}
    return digest_json({path.name: digest_file(path) for path in sorted(names)})


def _changed_files(folder: Path) -> dict[str, Any]:
    """Return the files of a folder that are missing or must be different, by name, with what they must hold."""
    config = read_json(folder / "config.json")
    shape = ModelShape.from_config(config)
    generation = _optional(folder / "generation_config.json")
    tokenizer, is_made = whole_tokenizer(folder, shape)
    ids = ids_in(tokenizer)
    starts = {given["decoder_start_token_id"] for given in (config, generation) if "decoder_start_token_id" in given}
    check_tokens(folder, ids, shape, starts)
    specials = [token["content"] for token in tokenizer["added_tokens"] if token["special"]]
    default = openai_settings(
        Tokenizer.from_str(json.dumps(tokenizer)),
        ids,
        decoder_layers=shape.decoder_layers,
        decoder_heads=shape.decoder_heads,
    )
    found: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
        "config.json": (config, _config(config)),
        "generation_config.json": (generation, _generation(generation, default, shape)),
        "preprocessor_config.json": (
            _optional(folder / "preprocessor_config.json"),
            _preprocessor(folder, shape.num_mel_bins),
        ),
        "tokenizer_config.json": (
            settings := {} if is_made else _optional(folder / "tokenizer_config.json"),
            _tokenizer_config(settings, specials),
        ),
        "tokenizer.json": ({} if is_made else tokenizer, tokenizer),
    }
    return {name: needed for name, (own, needed) in found.items() if own != needed}


def _optional(path: Path) -> dict[str, Any]:
    return read_json(path) if path.is_file() else {}


def _config(config: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in config.items() if name not in _ELSEWHERE or value is None}
    trained = {name: value for name, value in _TRAINED.items() if config.get(name)}
    # An untied output layer was checked to equal the embedding, so both can be tied.
    tied = {"tie_word_embeddings": True} if config.get("tie_word_embeddings") is False else {}
    return {**kept, **trained, **tied}


def _generation(found: Mapping[str, Any], default: dict[str, Any], shape: ModelShape) -> dict[str, Any]:
    heads = found.get("alignment_heads") or []
    if any(layer >= shape.decoder_layers or head >= shape.decoder_heads for layer, head in heads):
        found = {name: value for name, value in found.items() if name != "alignment_heads"}  # a larger model's
    return mended(found, default)


def _preprocessor(folder: Path, num_mel_bins: int) -> dict[str, Any]:
    default = preprocessor_json(num_mel_bins)
    own = _optional(folder / "preprocessor_config.json")
    found = own or _optional(folder / "processor_config.json").get("feature_extractor") or {}
    for name in ("feature_size", "sampling_rate", "hop_length", "n_fft", "chunk_length"):
        if found.get(name, default[name]) != default[name]:
            raise InvalidInput(
                f"the features in {folder} are not those of its weights: {name} is {found[name]}, not {default[name]}; "
                "copy preprocessor_config.json from the model that it was trained from"
            )
    fixed = {name: default[name] for name in ("feature_extractor_type", "feature_size")}
    return own if own and fixed.items() <= own.items() else {**default, **found, **fixed}


def _tokenizer_config(found: dict[str, Any], specials: list[str]) -> dict[str, Any]:
    if found.get("tokenizer_class") in _TOKENIZER_CLASSES and "auto_map" not in found:
        return found
    kept = {name: value for name, value in found.items() if name not in {"auto_map", "backend"}}
    return {**tokenizer_config_json(specials), **kept, "tokenizer_class": _TOKENIZER_CLASSES[0]}

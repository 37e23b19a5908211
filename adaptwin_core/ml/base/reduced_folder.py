"""A base model's folder with fewer tokens: embedding, tokenizer, and every token id in its settings.

The tokens that stay keep their order and get new ids without gaps, text first. The output layer is the embedding, so it
loses the same rows.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import torch
from safetensors.torch import load_file, save_file

from adaptwin_core.domain.digest import digest_json
from adaptwin_core.ml.base.cache import made_once
from adaptwin_core.ml.base.completion import digest_of
from adaptwin_core.ml.base.generation_settings import boundary_ids
from adaptwin_core.ml.base.kept_tokens import merges_of
from adaptwin_core.ml.base.token_ids import ids_in
from adaptwin_core.ml.base.weights import INDEX_FILE, read_json, weight_files
from adaptwin_core.ml.base.whisper_files import KEPT_FILE, SIDECARS
from adaptwin_core.ml.base.whisper_tensors import EMBEDDING, OUTPUT

_VERSION: Final = 2  # raise it when other files are made of the same folder and tokens
_SETTINGS = ("config.json", "generation_config.json")


def with_kept_tokens(folder: Path, kept: Sequence[int], cache_dir: Path) -> Path:
    """Return a folder with the base model of `folder`, of which only the tokens `kept` are left.

    Args:
        folder: as `resolve` returned it.
        kept: ids in rising order, as `kept_tokens` gives them.
        cache_dir: where the folder is made, once.
    """
    new_id = {old: new for new, old in enumerate(kept)}

    def make(work: Path) -> None:
        _write_weights(folder, work, kept)
        tokenizer = _tokenizer(read_json(folder / "tokenizer.json"), new_id)
        _write(work / "tokenizer.json", tokenizer)
        config, generation = (_renumbered(read_json(folder / name), new_id, len(kept)) for name in _SETTINGS)
        _write(work / "generation_config.json", generation)
        _write(work / "config.json", {**_named_ids(ids_in(tokenizer), generation), **config})
        _write_slow_tokenizer(folder, work, tokenizer, new_id)
        old_size = read_json(folder / "config.json")["vocab_size"]
        _write(work / KEPT_FILE, {"vocab_size": old_size, "kept": list(kept)}, indent=None)
        for name in SIDECARS:
            if (folder / name).is_file() and not (work / name).exists():
                shutil.copyfile(folder / name, work / name)

    name = digest_json([digest_of(folder), list(kept), _VERSION])[:16]
    return made_once(cache_dir / f"tokens-{name}", make)


def _write_weights(folder: Path, work: Path, kept: Sequence[int]) -> None:
    rows = torch.tensor(kept)
    for path in weight_files(folder):
        tensors = load_file(path)
        save_file(
            {name: tensor[rows] if name in {EMBEDDING, OUTPUT} else tensor for name, tensor in tensors.items()},
            work / path.name,
            metadata={"format": "pt"},
        )
    if (folder / INDEX_FILE).is_file():
        shutil.copyfile(folder / INDEX_FILE, work / INDEX_FILE)


def _renumbered(settings: Mapping[str, Any], new_id: Mapping[int, int], vocab_size: int) -> dict[str, Any]:
    """Return config.json or generation_config.json with the new ids. A dropped token needs not be suppressed."""
    changed = dict(settings)
    for name, value in settings.items():
        if value is None:
            continue
        if name.endswith("_token_id"):
            changed[name] = new_id[value]
        elif name in {"suppress_tokens", "begin_suppress_tokens"}:
            changed[name] = [new_id[token] for token in value if token in new_id]
        elif name in {"lang_to_id", "task_to_id"}:
            changed[name] = {token: new_id[index] for token, index in value.items()}
        elif name == "forced_decoder_ids":
            changed[name] = [[place, None if token is None else new_id[token]] for place, token in value]
        elif name == "vocab_size":
            changed[name] = vocab_size
    return changed


def _named_ids(ids: Mapping[str, int], generation: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ids for which transformers takes those of a whole vocabulary where config.json names none."""
    return {**boundary_ids(ids), "begin_suppress_tokens": generation.get("begin_suppress_tokens")}


def _tokenizer(whole: Mapping[str, Any], new_id: Mapping[int, int]) -> dict[str, Any]:
    vocab = {token: new_id[index] for token, index in whole["model"]["vocab"].items() if index in new_id}
    merges = [[a, b] for a, b in merges_of(whole) if {a, b, a + b} <= vocab.keys()]
    added = [{**token, "id": new_id[token["id"]]} for token in whole["added_tokens"]]
    template = whole.get("post_processor")
    if template is not None and "special_tokens" in template:
        specials = {
            name: {**token, "ids": [new_id[index] for index in token["ids"]]}
            for name, token in template["special_tokens"].items()
        }
        template = {**template, "special_tokens": specials}
    model = {**whole["model"], "vocab": vocab, "merges": merges}
    return {**whole, "added_tokens": added, "post_processor": template, "model": model}


def _write_slow_tokenizer(folder: Path, work: Path, tokenizer: Mapping[str, Any], new_id: Mapping[int, int]) -> None:
    """Write those of the older files that the folder has."""
    if (folder / "vocab.json").is_file():
        vocab = read_json(folder / "vocab.json")
        _write(work / "vocab.json", {token: new_id[index] for token, index in vocab.items() if index in new_id})
    if (folder / "merges.txt").is_file():
        merges = "\n".join(" ".join(pair) for pair in tokenizer["model"]["merges"])
        (work / "merges.txt").write_text(f"#version: 0.2\n{merges}\n", "utf-8")
    if (folder / "added_tokens.json").is_file():
        added = read_json(folder / "added_tokens.json")
        _write(work / "added_tokens.json", {token: new_id[index] for token, index in added.items()})
    settings = read_json(folder / "tokenizer_config.json")
    if "added_tokens_decoder" in settings:
        decoder = settings["added_tokens_decoder"].items()
        settings["added_tokens_decoder"] = {str(new_id[int(index)]): token for index, token in decoder}
    _write(work / "tokenizer_config.json", settings)


def _write(path: Path, content: Mapping[str, Any], *, indent: int | None = 1) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=indent), "utf-8")

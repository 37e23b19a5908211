"""A Whisper of a real shape with random weights, and a tokenizer for it, so that a job needs no download."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import ByteLevelBPETokenizer
from transformers import WhisperForConditionalGeneration

from adaptwin_core.domain.language_names import NAMES
from adaptwin_core.ml.base.generation_settings import generation_json
from adaptwin_core.ml.base.token_ids import END, NUM_TIMESTAMPS, START, ids_in
from adaptwin_core.ml.base.whisper_files import (
    english_spelling,
    preprocessor_json,
    tokenizer_config_json,
    tokenizer_json,
)
from adaptwin_core.ml.model.device import device
from bench import sizes

SENTENCES = Path(__file__).parents[1] / "demo" / "sentences.txt"
SHAPES = sizes.SHAPES | {"smallest": sizes.Shape(64, 2, 2, 1)}
TASKS = ("<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>")
NEWEST_LANGUAGE, NEWEST_VOCAB = "yue", 51866  # the models with one more token know it


def sentences() -> list[str]:
    return SENTENCES.read_text("utf-8").splitlines()


def write_model(name: str, folder: Path) -> None:
    """Write a model of the shape of that name, in float16."""
    folder.mkdir(parents=True)
    shape = SHAPES[name]
    tokenizer = _tokenizer(shape.vocab)
    ids = ids_in(tokenizer)
    specials = [token["content"] for token in tokenizer["added_tokens"] if token["special"]]
    config = sizes.config_of(shape)
    config.update({"bos_token_id": ids[END], "eos_token_id": ids[END], "pad_token_id": ids[END]})
    config.update({"decoder_start_token_id": ids[START]})
    torch.manual_seed(0)
    with device():
        model = WhisperForConditionalGeneration(config)
    model.half().save_pretrained(folder, max_shard_size="100GB")
    last = shape.decoder_layers - 1
    files: dict[str, Any] = {
        "generation_config.json": generation_json(
            ids, suppress=[], suppress_first=[ids[END]], alignment_heads=[[last, 0]]
        ),
        "tokenizer.json": tokenizer,
        "tokenizer_config.json": tokenizer_config_json(specials),
        "vocab.json": tokenizer["model"]["vocab"],
        "normalizer.json": english_spelling(),
        "preprocessor_config.json": preprocessor_json(shape.mels),
    }
    for file, content in files.items():
        (folder / file).write_text(json.dumps(content, ensure_ascii=False), "utf-8")


def _tokenizer(vocab_size: int) -> dict[str, Any]:
    """Return the content of a tokenizer.json with as many tokens as a Whisper of that size has.

    Its merges are those of the made-up transcripts; tokens that no text gives fill the rest.
    """
    specials = _specials(vocab_size)
    num_words = vocab_size - NUM_TIMESTAMPS - len(specials)
    learnt = ByteLevelBPETokenizer(add_prefix_space=False)
    learnt.train_from_iterator([f" {sentence}" for sentence in sentences()], num_words, show_progress=False)
    source: dict[str, Any] = json.loads(learnt.to_str())
    vocab = source["model"]["vocab"]
    vocab |= {f"unused {index}": index for index in range(len(vocab), num_words)}
    source["added_tokens"] = [{"id": num_words + i, "content": token} for i, token in enumerate(specials)]
    return tokenizer_json(source, vocab_size)


def _specials(vocab_size: int) -> Sequence[str]:
    codes = [code for code in NAMES if code != NEWEST_LANGUAGE or vocab_size == NEWEST_VOCAB]
    return [END, START, *(f"<|{code}|>" for code in codes), *TASKS]

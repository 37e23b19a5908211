"""Whisper's vocabulary as runtimes with their own tokenizer want it."""

import json
from pathlib import Path

from transformers.convert_slow_tokenizer import bytes_to_unicode


def text_tokens(texts: Path) -> list[bytes]:
    """Return the bytes of every token that is text, by its number, from the tokenizer.json in a folder."""
    byte_of = {letter: byte for byte, letter in bytes_to_unicode().items()}
    vocab = json.loads((texts / "tokenizer.json").read_text("utf-8"))["model"]["vocab"]
    return [bytes(byte_of[letter] for letter in token) for token in sorted(vocab, key=vocab.__getitem__)]

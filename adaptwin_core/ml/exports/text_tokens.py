"""Whisper's vocabulary for runtimes that have their own tokenizer."""

import json
from pathlib import Path

from transformers.convert_slow_tokenizer import bytes_to_unicode

from adaptwin_core.ml.base.token_ids import END, token_ids


def text_tokens(texts: Path) -> list[bytes]:
    """Return the bytes of every token that is text, in the order of their ids, from the tokenizer.json in a folder.

    Tokens that were added to Whisper's own come after its special tokens, where no runtime takes them for text.
    """
    byte_of = {letter: byte for byte, letter in bytes_to_unicode().items()}
    vocab = json.loads((texts / "tokenizer.json").read_text("utf-8"))["model"]["vocab"]
    end = token_ids(texts)[END]
    words = sorted((token for token, index in vocab.items() if index <= end), key=vocab.__getitem__)
    return [bytes(byte_of[letter] for letter in token) for token in words]

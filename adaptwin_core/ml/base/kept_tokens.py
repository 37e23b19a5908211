"""Which tokens of a Whisper's vocabulary the languages that are spoken need.

The tokenizer (byte-pair encoding) begins with single bytes and merges neighbours, always by the rule that comes first
in its list. It never undoes a merge. So the merges inside the span of a final token are those of that token alone. All
tokens that these merges make are kept with it, and with them the rules. A rule that is dropped would have made a token
outside that set, so it was never used in a text of kept tokens. Such a text is therefore encoded as before.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final
from unicodedata import category

from tokenizers import Tokenizer
from transformers.convert_slow_tokenizer import bytes_to_unicode

from adaptwin_core.ml.base.token_ids import END, ids_in
from adaptwin_core.ml.base.words import forms_of, is_in_script, listed_words, runs_together

_BATCH: Final = 20_000  # texts encoded at a time


def kept_tokens(
    tokenizer: Mapping[str, Any], languages: Sequence[str], texts: Iterable[str], *, vocab_size: int
) -> list[int]:
    """Return the ids of the tokens to keep, in rising order.

    They are the tokens of every listed word in each of its forms, with and without a space before; those of `texts`;
    those without a letter; all single bytes; and all from the end token on: special tokens, timestamps and added ones.

    Args:
        tokenizer: the content of a multilingual Whisper's tokenizer.json.
        languages: Whisper's codes, each with a word list.
        texts: transcripts.
        vocab_size: rows of the model's embedding, of which the last may have no token.
    """
    end = ids_in(tokenizer)[END]
    vocab = {token: index for token, index in tokenizer["model"]["vocab"].items() if index < end}
    kept = {index for token, index in vocab.items() if len(token) == 1}
    encoder = Tokenizer.from_str(json.dumps(tokenizer))
    for language in languages:
        words = listed_words(language)
        kept |= _whole_tokens(vocab, language, frozenset(words))
        kept |= _used(encoder, dict.fromkeys(form for word in words for form in forms_of(word, language)))
    kept |= _used(encoder, texts)
    kept = _with_parts({index for index in kept if index < end}, vocab, merges_of(tokenizer))
    return [*sorted(kept), *range(end, vocab_size)]


def merges_of(tokenizer: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the merges of a tokenizer.json in their order, whichever of its two forms they are written in."""
    pairs = (merge.split(" ") if isinstance(merge, str) else merge for merge in tokenizer["model"]["merges"])
    return [(first, second) for first, second in pairs]


def _whole_tokens(vocab: Mapping[str, int], language: str, words: frozenset[str]) -> set[int]:
    """Return the tokens that are kept for what they spell: no letter, a word in any capitals, a whole script's."""
    byte_of = {letter: byte for byte, letter in bytes_to_unicode().items()}
    found = set()
    for token, index in vocab.items():
        spelled = bytes(byte_of[letter] for letter in token)
        text = spelled.decode("utf-8", "ignore")
        if text.encode() != spelled:  # it begins or ends inside a letter
            is_kept = runs_together(language) and is_in_script(text, language)
        else:
            has_letter = any(category(letter).startswith("L") for letter in text)
            is_kept = not has_letter or text.strip().casefold() in words or is_in_script(text, language)
        if is_kept:
            found.add(index)
    return found


def _used(encoder: Tokenizer, texts: Iterable[str]) -> set[int]:
    """Return the tokens of texts, each with and without a space before it."""
    used: set[int] = set()
    for batch in _batches(texts):
        both = [*batch, *(f" {text.strip()}" for text in batch)]
        for encoding in encoder.encode_batch_fast(both, add_special_tokens=False):
            used.update(encoding.ids)
    return used


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(texts)
    while batch := list(islice(rest, _BATCH)):
        yield batch


def _with_parts(kept: set[int], vocab: Mapping[str, int], merges: Sequence[tuple[str, str]]) -> set[int]:
    """Return the kept tokens and all that they are merged from. A token's parts are made by earlier merges."""
    closed = set(kept)
    for first, second in reversed(merges):
        if vocab.get(first + second) in closed:
            closed |= {vocab[first], vocab[second]}
    return closed

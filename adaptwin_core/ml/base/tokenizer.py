"""A base model's tokenizer.json, as it is or rebuilt from vocab.json and merges.txt with Whisper's special tokens.

The special tokens follow the vocabulary of words in a fixed order, so files without them lack no information.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE

from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.domain.language_names import NAMES
from adaptwin_core.domain.shape import ModelShape
from adaptwin_core.ml.base.token_ids import END, NUM_TIMESTAMPS, START, first_timestamp, ids_in
from adaptwin_core.ml.base.weights import read_json

_COPY = (
    "copy tokenizer.json from the model that it was trained from, such as openai/whisper-small, or whisper-small.en of "
    "one that hears English only"
)
_NAMES_BEFORE_2023 = {"<|nocaptions|>": "<|nospeech|>"}
_AFTER_LANGUAGES = tuple(
    f"<|{name}|>" for name in ("translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps")
)
_MELS_WITH_CANTONESE = 128  # large-v3 and models derived from it have more mel bins and a hundredth language


@dataclass
class Found:
    """The tokens that a folder's files hold."""

    vocab: dict[str, int]
    merges: list[tuple[str, str]]
    added: dict[str, int] = field(default_factory=dict)
    special: set[str] = field(default_factory=set)


def whole_tokenizer(folder: Path, shape: ModelShape) -> tuple[dict[str, Any], bool]:
    """Return the complete tokenizer.json of a folder, and whether it had to be made.

    Raises:
        InvalidInput: there is nothing to make it from, or it is not a Whisper's.
    """
    if (folder / "tokenizer.json").is_file():
        tokenizer = read_json(folder / "tokenizer.json")
        try:
            ids = ids_in(tokenizer)
            found = _of_one_file(tokenizer)
        except (KeyError, TypeError, ValueError) as fault:
            raise InvalidInput(f"{folder / 'tokenizer.json'} is damaged, or no Whisper's: {_COPY}") from fault
        if {END, START, *_AFTER_LANGUAGES} <= {_NAMES_BEFORE_2023.get(token, token) for token in ids}:
            return tokenizer, False
    elif (folder / "vocab.json").is_file() and (folder / "merges.txt").is_file():
        found = _of_slow_files(folder)
    else:
        raise InvalidInput(f"{folder} holds no tokenizer: {_COPY}")
    return _built(folder, found, shape), True


def check_tokens(folder: Path, ids: Mapping[str, int], shape: ModelShape, starts: Collection[int]) -> None:
    """Check that a tokenizer fits the weights beside it.

    Args:
        ids: of its tokens.
        starts: the start tokens that the folder's configurations name.

    Raises:
        InvalidInput: it does not fit; the message says what to do.
    """
    most = max(ids.values()) + 1
    if most > shape.vocab_size:
        raise InvalidInput(
            f"the tokenizer in {folder} has {most} tokens, its weights have {shape.vocab_size}: call "
            "model.resize_token_embeddings(len(tokenizer)) and save both, or take the tokenizer of its training"
        )
    if shape.vocab_size < first_timestamp(ids) + NUM_TIMESTAMPS:
        raise InvalidInput(
            f"the weights in {folder} have {shape.vocab_size} tokens, fewer than Whisper's words, special tokens and "
            f"timestamps, which need {first_timestamp(ids) + NUM_TIMESTAMPS}: give a model of which none were cut off"
        )
    if starts and ids[START] not in starts:
        raise InvalidInput(
            f"the tokenizer in {folder} starts a transcript with token {ids[START]}, its configuration with "
            f"{min(starts)}: they are of two kinds of Whisper; {_COPY}"
        )


def _of_one_file(tokenizer: Mapping[str, Any]) -> Found:
    pairs = (merge.split(" ") if isinstance(merge, str) else merge for merge in tokenizer["model"]["merges"])
    merges = [(first, second) for first, second in pairs]
    added = {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
    special = {token["content"] for token in tokenizer["added_tokens"] if token["special"]}
    return Found(dict(tokenizer["model"]["vocab"]), merges, added, special)


def _of_slow_files(folder: Path) -> Found:
    lines = (folder / "merges.txt").read_text("utf-8").splitlines()
    merges = [tuple(line.split(" ")) for line in lines if line and not line.startswith("#version")]
    if any(len(merge) != 2 for merge in merges):
        raise InvalidInput(f"{folder / 'merges.txt'} is damaged: {_COPY}")
    found = Found(read_json(folder / "vocab.json"), [(first, second) for first, second in merges])
    settings = {
        name: read_json(folder / name) if (folder / name).is_file() else {}
        for name in ("added_tokens.json", "tokenizer_config.json")
    }
    found.added |= settings["added_tokens.json"]
    for index, token in settings["tokenizer_config.json"].get("added_tokens_decoder", {}).items():
        found.added[token["content"]] = int(index)
        if token.get("special"):
            found.special.add(token["content"])
    return found


def _built(folder: Path, found: Found, shape: ModelShape) -> dict[str, Any]:
    added = {_NAMES_BEFORE_2023.get(token, token): index for token, index in found.added.items()}
    end = added.get(END, found.vocab.get(END, len(found.vocab)))
    num_languages = len(NAMES) if shape.num_mel_bins == _MELS_WITH_CANTONESE else len(NAMES) - 1
    standard = {token: end + place for place, token in enumerate(_standard_tokens(num_languages))}
    by_id = {index: token for token, index in {**found.vocab, **added}.items()}
    taken = {index: token for token, index in standard.items() if by_id.get(index, token) != token}
    if taken:
        raise InvalidInput(
            f"the tokenizer in {folder} has {by_id[min(taken)]!r} where a Whisper has {taken[min(taken)]!r}: {_COPY}"
        )
    added |= standard
    words = {token: index for token, index in found.vocab.items() if index < end}
    if sorted([*words.values(), *added.values()]) != list(range(len(words) + len(added))):
        raise InvalidInput(f"the numbers of the tokens in {folder} leave gaps: {_COPY}")
    try:
        tokenizer = Tokenizer(BPE(vocab=words, merges=found.merges))
    except Exception as fault:  # the library raises no narrower class
        raise InvalidInput(
            f"vocab.json and merges.txt in {folder} do not belong together ({fault}): {_COPY}"
        ) from fault
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    for token in sorted(added, key=added.__getitem__):
        is_special = standard.get(token, end + NUM_TIMESTAMPS) < standard["<|0.00|>"] or token in found.special
        add = tokenizer.add_special_tokens if is_special else tokenizer.add_tokens
        add([AddedToken(token, special=is_special, normalized=not is_special)])
    whole: dict[str, Any] = json.loads(tokenizer.to_str())
    return whole


def _standard_tokens(num_languages: int) -> Iterator[str]:
    """Yield the tokens that follow a Whisper's words, in their order."""
    yield from (END, START)
    yield from (f"<|{code}|>" for code in list(NAMES)[:num_languages])
    yield from _AFTER_LANGUAGES
    yield from (f"<|{index * 0.02:.2f}|>" for index in range(NUM_TIMESTAMPS))

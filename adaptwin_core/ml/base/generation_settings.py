"""generation_config.json: how a Whisper is decoded, and which tokens it must not produce."""

from collections.abc import Mapping, Sequence
from typing import Any

from tokenizers import Tokenizer

from adaptwin_core.ml.base.token_ids import END, START, is_multilingual, language_ids

# What OpenAI's decoder suppresses: brackets, notes and other signs of non-speech, alone or after a space.
_SIGNS = (
    *'"#()*+/:;<=>@[\\]^_`{|}~「」『』',
    *("<<", ">>", "<<<", ">>>", "--", "---", "-(", "-[", "('", '("', "((", "))", "(((", ")))", "[[", "]]", "{{", "}}"),
    *("♪♪", "♪♪♪"),
)
_NOTES = "♩♪♫♬♭♮♯"  # some take several tokens; no word begins with the first of them
_NEVER_SAID = (START, "<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>")
_OF_OTHERS = ("forced_decoder_ids", "language", "_from_model_config")
# What follows from the tokens: a folder's own values are either equal to these or wrong.
_BY_TOKENS = (
    "is_multilingual",
    "lang_to_id",
    "task_to_id",
    "task",
    "no_timestamps_token_id",
    "prev_sot_token_id",
    "decoder_start_token_id",
    "eos_token_id",
    "return_timestamps",
)
_MULTILINGUAL_ONLY = ("lang_to_id", "task_to_id", "task")


def generation_json(
    ids: Mapping[str, int],
    *,
    suppress: Sequence[int],
    suppress_first: Sequence[int],
    alignment_heads: Sequence[Sequence[int]],
) -> dict[str, Any]:
    """Return a Whisper's whole generation_config.json.

    Args:
        ids: of its tokens.
        suppress, suppress_first: tokens that are never produced, and tokens that are not produced first.
        alignment_heads: (layer, head) of the decoder's cross-attentions that tell when a word was said.
    """
    settings = {
        "alignment_heads": alignment_heads,
        "begin_suppress_tokens": suppress_first,
        "suppress_tokens": suppress,
        "is_multilingual": is_multilingual(ids),
        "max_initial_timestamp_index": 50,  # a first segment starts within its first second, as in OpenAI's decoder
        "max_length": 448,
        "no_timestamps_token_id": ids["<|notimestamps|>"],
        "prev_sot_token_id": ids["<|startofprev|>"],
        "return_timestamps": False,
        **boundary_ids(ids),
    }
    if not is_multilingual(ids):
        return settings
    tasks = {name: ids[f"<|{name}|>"] for name in ("transcribe", "translate")}
    return settings | {"lang_to_id": language_ids(ids), "task_to_id": tasks, "task": "transcribe"}


def boundary_ids(ids: Mapping[str, int]) -> dict[str, int]:
    """Return the tokens that a transcript starts and ends with, by their names in configurations."""
    end = ids[END]
    return {"bos_token_id": end, "eos_token_id": end, "pad_token_id": end, "decoder_start_token_id": ids[START]}


def openai_settings(
    tokenizer: Tokenizer, ids: Mapping[str, int], *, decoder_layers: int, decoder_heads: int
) -> dict[str, Any]:
    """Return generation_config.json with the defaults of OpenAI's decoder, default alignment heads included."""
    upper = range(decoder_layers // 2, decoder_layers)
    return generation_json(
        ids,
        suppress=_suppressed(tokenizer, ids),
        suppress_first=[ids["Ġ"], ids[END]],
        alignment_heads=[[layer, head] for layer in upper for head in range(decoder_heads)],
    )


def mended(found: Mapping[str, Any], default: Mapping[str, Any]) -> dict[str, Any]:
    """Return a generation_config.json with all that a Whisper's `generate` and its exports need.

    A file without token ids was derived from config.json, or dates from before 2023: the default replaces it.

    Args:
        found: what the folder's file holds; empty if there is none.
        default: what `openai_settings` gives.
    """
    if any(found.get(name) is None for name in ("no_timestamps_token_id", "is_multilingual")):
        return dict(default)
    if default["is_multilingual"] and not (found.get("lang_to_id") and found.get("task_to_id")):
        return dict(default)
    foreign = (*_OF_OTHERS, *(() if default["is_multilingual"] else _MULTILINGUAL_ONLY))
    own = {name: value for name, value in found.items() if value is not None and name not in foreign}
    return {**default, **own, **{name: default[name] for name in _BY_TOKENS if name in default}}


def _suppressed(tokenizer: Tokenizer, ids: Mapping[str, int]) -> list[int]:
    def encoded(text: str) -> list[int]:
        tokens: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
        return tokens

    never = {encoded(" -")[0], encoded(" '")[0]}  # they are allowed inside a word
    for sign in (*_SIGNS, *_NOTES):
        for tokens in (encoded(sign), encoded(f" {sign}")):
            if len(tokens) == 1 or sign in _NOTES:
                never.add(tokens[0])
    return sorted(never | {ids[name] for name in _NEVER_SAID if name in ids} | {ids.get("<|nocaptions|>", ids[START])})

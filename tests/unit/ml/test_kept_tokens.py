"""Dropping tokens leaves the tokenization of every listed word as it was, and Whisper's own tokens in their places."""

import json
import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from tokenizers import Tokenizer
from transformers import GenerationConfig, WhisperConfig
from wordfreq import available_languages

from adaptwin_core.domain.word_lists import WORD_LISTS
from adaptwin_core.ml.base.kept_tokens import merges_of
from adaptwin_core.ml.base.models import resolve
from adaptwin_core.ml.base.token_ids import END, token_ids
from adaptwin_core.ml.base.words import forms_of, listed_words
from tests.reduced_base import reduced_base

pytestmark = pytest.mark.weights  # the tokenizer comes with the weights
LEAST_WORDS = 100_000
SENTENCES = {
    "de": "Die Straße wäre größer, sagt Frau Müller (42 Jahre alt): »Weiß er's schon?«",
    "el": "Ο ήλιος και τους ανθρώπους της πόλης, στις 12:30!",
    "tr": "İstanbul'da IŞIK ve sıcak çay içiyoruz; iyi günler.",
    "nl": "Het IJsselmeer is ’s winters vaak dichtgevroren.",
    "ja": "今日は天気がいいですね。東京タワーに行きましょう！",
    "zh": "今天天氣很好，我們去臺灣玩吧。",
    "ko": "안녕하세요, 저는 서울에서 살고 있습니다.",
    "ar": "شكراً جزيلاً، كيف حالك اليوم؟",
}


@pytest.fixture(scope="module")
def base() -> Path:
    return resolve("package:whisper-base", Path("var/models"))


def tokenizer_of(folder: Path) -> dict:
    return json.loads((folder / "tokenizer.json").read_text("utf-8"))


def reduced(base: Path, language: str, cache: Path, *texts: str) -> Path:
    return reduced_base(base, cache, [language], texts)


def words_of_text(language: str) -> Iterator[str]:
    """Forms of listed words; where a list is short, also pairs of them, with and without a space."""
    words = listed_words(language)
    for word in words:
        yield from forms_of(word, language)
    draw = random.Random(0)
    while True:
        yield " ".join(draw.sample(words, 2))


def differing(before: Tokenizer, after: Tokenizer, texts: list[str]) -> list[str]:
    pairs = zip(texts, before.encode_batch(texts), after.encode_batch(texts), strict=True)
    return [text for text, old, new in pairs if old.tokens != new.tokens]


@pytest.mark.release
@pytest.mark.parametrize("language", ["en", "de", "ru", "hi", "ja", "el", "ar"])
def test_a_hundred_thousand_words_are_encoded_as_before(base: Path, language: str, tmp_path: Path) -> None:
    folder = reduced(base, language, tmp_path)
    before, after = (Tokenizer.from_file(str(path / "tokenizer.json")) for path in (base, folder))
    spaces = random.Random(1)
    texts = [
        " " * spaces.randrange(2) + text
        for text in islice(dict.fromkeys(islice(words_of_text(language), 3 * LEAST_WORDS)), LEAST_WORDS)
    ]
    assert len(texts) == LEAST_WORDS
    assert differing(before, after, texts) == []


@pytest.mark.release
@pytest.mark.parametrize("language", SENTENCES)
def test_what_the_lists_fold_is_encoded_as_before(base: Path, language: str, tmp_path: Path) -> None:
    folder = reduced(base, language, tmp_path)
    before, after = (Tokenizer.from_file(str(path / "tokenizer.json")) for path in (base, folder))
    assert after.get_vocab_size() < before.get_vocab_size()
    assert differing(before, after, [f" {SENTENCES[language]}"]) == []


def test_transcripts_keep_their_tokens_whatever_their_language(base: Path, tmp_path: Path) -> None:
    said = "Привет, как дела?"
    before, after = (
        Tokenizer.from_file(str(path / "tokenizer.json")) for path in (base, reduced(base, "hi", tmp_path, said))
    )
    assert differing(before, after, [said, f" {said}"]) == []
    other = "Пожалуйста"
    assert differing(before, after, [other]) == [other]
    assert after.decode(after.encode(other).ids) == other


def test_bytes_and_special_tokens_stay_in_their_order(base: Path, tmp_path: Path) -> None:
    folder = reduced(base, "hi", tmp_path)
    old, new = token_ids(base), token_ids(folder)
    assert sum(len(token) == 1 for token in new) == 256
    specials = sorted((token for token, index in old.items() if index >= old[END]), key=old.__getitem__)
    assert sorted(new, key=new.__getitem__)[-len(specials) :] == specials
    assert sorted(new.values()) == list(range(len(new)))
    stayed = [token for token in sorted(old, key=old.__getitem__) if token in new]
    assert stayed == sorted(new, key=new.__getitem__)
    settings = json.loads((folder / "generation_config.json").read_text())
    assert settings["lang_to_id"]["<|hi|>"] == new["<|hi|>"]
    assert settings["task_to_id"] == {"transcribe": new["<|transcribe|>"], "translate": new["<|translate|>"]}
    assert settings["no_timestamps_token_id"] == new["<|notimestamps|>"]
    assert settings["begin_suppress_tokens"] == [new["Ġ"], new[END]]
    assert json.loads((folder / "config.json").read_text())["decoder_start_token_id"] == new["<|startoftranscript|>"]


def test_no_setting_names_a_token_by_its_place_in_the_whole_vocabulary(base: Path, tmp_path: Path) -> None:
    """transformers fills in what config.json leaves out, with ids of a whole vocabulary."""
    folder = reduced(base, "hi", tmp_path)
    config, generation = WhisperConfig.from_pretrained(folder), GenerationConfig.from_pretrained(folder)
    assert config.begin_suppress_tokens == generation.begin_suppress_tokens
    old, new = token_ids(base), token_ids(folder)
    names = {index: token for token, index in old.items()}
    whole = GenerationConfig.from_pretrained(base)
    expected = [new[names[index]] for index in whole.suppress_tokens if names[index] in new]
    assert generation.suppress_tokens == expected
    for settings in (config, generation):
        found = [
            value for name, value in settings.to_dict().items() if name.endswith("_token_id") and value is not None
        ]
        assert len(found) >= 4
        assert all(new["<|endoftext|>"] <= index < len(new) for index in found)


def test_the_kept_tokens_are_closed_under_the_merges(base: Path, tmp_path: Path) -> None:
    tokenizer = tokenizer_of(reduced(base, "hi", tmp_path))
    vocab = tokenizer["model"]["vocab"]
    made = {first + second for first, second in merges_of(tokenizer)}
    assert {token for token in vocab if len(token) > 1 and not token.startswith("<|")} <= made


def test_every_named_list_is_one_of_the_package() -> None:
    assert set(WORD_LISTS.values()) == set(available_languages("best"))

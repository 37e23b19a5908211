"""Tokens with times become words as they are written, and words become segments that a subtitle can hold."""

import numpy as np
import pytest

from adaptwin_core.ml.model.alignment import Aligned
from adaptwin_core.ml.model.spoken_words import segments_of, words_of

EOS = 1000


class Pieces:
    """A tokenizer whose tokens are pieces of text."""

    eos_token_id = EOS
    language = None

    def __init__(self, *pieces: str) -> None:
        self.pieces = pieces
        self.tokens = list(range(len(pieces)))

    def decode(self, tokens, **_):
        return "".join(self.pieces[token] for token in tokens)


def aligned(*times: float) -> Aligned:
    """Tokens that follow each other at these times."""
    return Aligned(np.array(times[:-1]), np.array(times[1:]), np.arange(len(times) - 1.0), 0.25)


def heard(tokenizer: Pieces, times: Aligned, language: str = "en", offset_s: float = 0.0):
    words = words_of(tokenizer, language, tokenizer.tokens, times)
    return list(segments_of(words, tokenizer.tokens, times, offset_s=offset_s))


def spoken(segments):
    return [(word.text, word.start, word.end) for segment in segments for word in segment.words]


def test_words_are_what_spaces_part():
    tokenizer = Pieces(' "', "We", " paid", " 114", ",", "300", " well", "-", "known", " poun", "ds", '."')
    found = heard(tokenizer, aligned(*np.arange(13) * 0.1))
    assert [word for word, *_ in spoken(found)] == ['"We', "paid", "114,300", "well-known", 'pounds."']
    assert spoken(found)[2] == ("114,300", 0.3, 0.6)
    [segment] = found
    assert segment.text == '"We paid 114,300 well-known pounds."'
    assert segment.tokens == tuple(range(12))


def test_letters_are_words_where_no_spaces_are_written():
    found = heard(Pieces("你", "好", "。"), aligned(0.0, 0.2, 0.4, 0.5), "zh")
    assert [word for word, *_ in spoken(found)] == ["你", "好。"]
    assert found[0].text == "你好。"


def test_a_segment_ends_with_its_sentence_or_before_a_pause():
    tokenizer = Pieces(" Stop", ".", " Then", " he", " went", " on")
    times = Aligned(np.array([0.0, 0.3, 0.4, 0.6, 0.8, 3.0]), np.array([0.3, 0.4, 0.6, 0.8, 1.0, 3.3]), np.zeros(6), 0)
    found = heard(tokenizer, times, offset_s=10.0)
    assert [segment.text for segment in found] == ["Stop.", "Then he went", "on"]
    assert [(segment.start, segment.end) for segment in found] == [(10.0, 10.4), (10.4, 11.0), (13.0, 13.3)]
    assert {segment.window_start for segment in found} == {10.0}


def test_a_subtitle_is_short():
    words = [" word"] * 60
    found = heard(Pieces(*words), aligned(*np.arange(61) * 0.3))
    assert all(segment.end - segment.start <= 7.0 for segment in found)
    assert all(len(segment.text) <= 84 for segment in found)
    assert " ".join(segment.text for segment in found) == " ".join(["word"] * 60)
    assert [token for segment in found for token in segment.tokens] == list(range(60))


def test_the_pauses_around_a_sentence_belong_to_no_word():
    found = heard(Pieces(" One", " two", " three", " four."), aligned(0.0, 5.0, 5.3, 5.6, 9.0))
    assert spoken(found) == [("One", 3.6, 5.0), ("two", 5.0, 5.3), ("three", 5.3, 5.6), ("four.", 5.6, 7.0)]


def test_a_segment_has_the_mean_of_its_own_tokens():
    found = heard(Pieces(" A", ".", " B", "."), aligned(0.0, 0.1, 0.2, 0.3, 0.4))
    assert [segment.mean_log_probability for segment in found] == pytest.approx([0.5, 2.5])
    assert {segment.silence_probability for segment in found} == {0.25}

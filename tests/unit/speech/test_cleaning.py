"""What is seen and said stays in a transcript; what is not goes without a trace."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptwin_core.speech.files.sources import label
from adaptwin_core.speech.texts.cleaning import cleaned
from tests.unit.speech.texts import read

CASES = [
    ("می\u200cخواهم کتاب\u200cها را", "می\u200cخواهم کتاب\u200cها را"),  # Persian
    ("ශ්\u200dරී ලංකාව", "ශ්\u200dරී ලංකාව"),  # Sinhala
    ("क्\u200dष", "क्\u200dष"),  # Hindi
    ("ᠬᠠᠨ\u180eᠠ", "ᠬᠠᠨ\u180eᠠ"),  # Mongolian
    ("آية\u06dd١", "آية\u06dd١"),  # a visible format character
    ("Donau\u00addampf\u00adschiff", "Donaudampfschiff"),
    ("abc\ufeffdef", "abcdef"),
    ("abc\u200bdef \u2060xyz", "abcdef xyz"),
    ("ភាសា\u200bខ្មែរ", "ភាសាខ្មែរ"),  # Khmer
    ("\u202bשלום\u202c \u200eabc\u200f \u2066x\u2069", "שלום abc x"),
    ("Il dit\u00a0: «\u202foui\u202f»", "Il dit : « oui »"),
    ("two\r\nlines\tand\x0bmore\u2028here\x00", "two lines and more here"),
    ("u\u0308ber", "über"),
    ("👩\u200d🚀", "👩\u200d🚀"),
    (" \u200b\ufeff ", ""),
    ("<|0.00|> We walked.<|2.40|><|2.40|> It rained.<|endoftext|>", "We walked. It rained."),
    ("a <| b |> <unk>", "a <| b |> <unk>"),
]


@pytest.mark.parametrize(("written", "taught"), CASES)
def test_characters_that_only_format_are_not_taught(written: str, taught: str) -> None:
    assert cleaned(written) == taught
    found = read({"a.txt": f"One {written}"}, ["a.wav"])
    assert found.text("a.wav") == f"One {taught}".strip()


def test_marks_without_end_cost_no_time() -> None:
    start = time.process_time()
    text = "a" + "\u0301\u0323" * 500_000
    assert len(cleaned(text)) <= 32
    assert len(label(text)) <= 32
    assert read({"a.txt": text}, ["a.wav"]).text("a.wav")
    assert cleaned("😀" * 40) == "😀" * 40
    assert time.process_time() - start < 10


@given(st.text(max_size=40))
def test_a_text_is_on_one_line_and_stays_as_it_is_the_second_time(text: str) -> None:
    once = cleaned(text)
    assert cleaned(once) == once == " ".join(once.split())

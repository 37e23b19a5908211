"""Whether a set is in capitals is decided over all of its transcripts, never for one clip."""

import pytest

from tests.unit.speech.texts import read


def texts_of(*texts: str) -> tuple[list[str | None], dict[str, str]]:
    found = read({f"{i:02}.txt": text for i, text in enumerate(texts)}, [f"{i:02}.wav" for i in range(len(texts))])
    return [found.text(f"{i:02}.wav") for i in range(len(texts))], found.notes


MIXED = [
    ["NASA", "We called NASA yesterday.", "BMW X5", "THE DOG OF DR. SMITH"],
    ["NASA"],
    ["BMW", "IBM", "FBI"],
    ["STOP THAT RIGHT NOW AND GO HOME AT ONCE", "he shouted and then he left"],
    ["all of this is in lower case", "and so is this"],
    ["祖父は台所に三つの時計を持っていた。", "NHK"],
    ["मेरे दादाजी के पास तीन घड़ियाँ थीं।", "BBC"],
]


@pytest.mark.parametrize("texts", MIXED)
def test_capitals_among_others_stay(texts: list[str]) -> None:
    taught, notes = texts_of(*texts)
    assert taught == texts
    assert "capitals" not in notes


SHOUTED = [
    ("MISTER QUILTER IS THE APOSTLE OF THE MIDDLE CLASSES", "Mister quilter is the apostle of the middle classes"),
    ("STOP. WHO'S THERE? IT IS ME, I SAID", "Stop. Who's there? It is me, i said"),
    ("“WHO GOES THERE”", "“Who goes there”"),
    ("МЫ ШЛИ ВДОЛЬ РЕКИ", "Мы шли вдоль реки"),
    ("ΟΔΟΣ", "Οδος".replace("ς", "ς")),
    ("ÜBER DIE BRÜCKE", "Über die brücke"),
]


def test_a_set_in_capitals_is_taught_as_sentences() -> None:
    taught, notes = texts_of(*(text for text, _ in SHOUTED))
    assert taught == [sentence for _, sentence in SHOUTED]
    assert "capitals" in notes["capitals"]


def test_the_few_that_are_no_capitals_stay_as_they_are() -> None:
    taught, _ = texts_of(*["THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG"] * 20, "We saw NASA")
    assert taught[0] == "The quick brown fox jumps over the lazy dog"
    assert taught[-1] == "We saw NASA"


def test_turkish_has_an_i_without_a_dot() -> None:
    taught, _ = texts_of("İSTANBUL ÇOK KALABALIK BİR ŞEHİR", "IŞIKLAR SÖNDÜ VE HERKES EVE GİTTİ")
    assert taught == ["İstanbul çok kalabalık bir şehir", "Işıklar söndü ve herkes eve gitti"]


def test_texts_without_audio_have_no_say() -> None:
    files = {"a.txt": "NASA", "b.txt": "WE WALKED ALONG THE RIVER UNTIL THE RAIN BEGAN TO FALL"}
    assert read(files, ["a.wav"]).text("a.wav") == "NASA"

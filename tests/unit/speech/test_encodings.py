"""Bytes of transcript files become the letters that were written, or the file is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptwin_core.speech.texts.encodings import Decoded, decode_all
from tests.unit.speech.texts import read

TEXTS = {
    "German": (("cp1252", "cp850", "mac_roman"), ["Die Straße führt zum Bahnhof.", "Sie kaufte Äpfel, nicht Öl."]),
    "German in capitals": (("cp1252",), ["DIE STRASSE FÜHRT ÜBER DIE BRÜCKE"]),
    "French": (("cp1252", "mac_roman"), ["Mon père est allé à la fenêtre.", "Où est la clé ?"]),
    "Spanish": (("cp1252",), ["El niño comió la manzana mañana.", "¿Dónde está la estación de tren?"]),
    "Portuguese": (("cp1252",), ["O coração não é de pedra.", "A irmã está na praça."]),
    "Swedish": (("cp1252",), ["Jag går till sjön på måndag.", "Vi åker hem när det är mörkt."]),
    "English with curly quotes": (("cp1252",), ["“Don’t go,” she said — and it was the café."]),
    "Polish": (("cp1250", "iso8859_2"), ["Zażółć gęślą jaźń.", "Dziadek miał w kuchni trzy zegary, łącznie."]),
    "Czech": (("cp1250", "iso8859_2"), ["Příliš žluťoučký kůň.", "Dědeček měl v kuchyni troje hodiny."]),
    "Hungarian": (("cp1250",), ["Az árvíztűrő tükörfúrógép szép.", "A nagyapámnak három órája volt a konyhában."]),
    "Turkish": (("cp1254",), ["Büyükbabamın mutfağında üç saat vardı.", "Şimdi çok geç oldu."]),
    "Russian": (("cp1251", "koi8-r", "cp866"), ["Мой дедушка держал на кухне трое часов.", "Мы шли вдоль реки."]),
    "Ukrainian": (("cp1251",), ["Мій дідусь тримав на кухні три годинники.", "Їжак побіг до лісу."]),
    "Greek": (("cp1253",), ["Ο παππούς μου είχε τρία ρολόγια στην κουζίνα."]),
    "Arabic": (("cp1256",), ["كان جدي يحتفظ بثلاث ساعات في المطبخ."]),
    "Japanese": (("cp932", "euc_jp"), ["祖父は台所に三つの時計を持っていた。", "川沿いを歩いた。"]),
    "Chinese": (("gb18030",), ["我爷爷在厨房里放了三个钟。", "我们沿着河走,直到开始下雨。"]),
    "Chinese, traditional": (("big5",), ["我爺爺在廚房裡放了三個鐘。", "我們沿著河走,直到開始下雨。"]),
    "Korean": (("cp949",), ["할아버지는 부엌에 시계 세 개를 두셨다.", "비가 올 때까지 강을 따라 걸었다."]),
    "Thai": (("cp874",), ["ปู่ของฉันมีนาฬิกาสามเรือนในครัว"]),
}
LEGACY = [(language, encoding) for language, (encodings, _) in TEXTS.items() for encoding in encodings]
UTF = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]


@pytest.mark.parametrize(("language", "encoding"), LEGACY)
def test_older_encodings_are_recognized_in_a_table(language: str, encoding: str) -> None:
    texts = TEXTS[language][1]
    content = "".join(f"clip{i}|{text}\r\n" for i, text in enumerate(texts))
    found = read({"metadata.csv": content.encode(encoding)}, [f"clip{i}.wav" for i in range(len(texts))])
    assert [line.text for line in found.annotations.values()] == texts
    assert "converted from" in found.notes["encoding"]


@pytest.mark.parametrize(("language", "encoding"), LEGACY)
def test_sidecars_in_an_older_encoding_are_judged_together(language: str, encoding: str) -> None:
    texts = TEXTS[language][1]
    files = {f"clip{i}.txt": text.encode(encoding) for i, text in enumerate(texts)}
    found = read(files, [f"clip{i}.wav" for i in range(len(texts))])
    said = [found.text(f"clip{i}.wav") for i in range(len(texts))]
    if found.notes.get("capitals"):
        said = [text.upper() if text else text for text in said]
    assert said == texts


@pytest.mark.parametrize("encoding", UTF)
@pytest.mark.parametrize("language", TEXTS)
def test_unicode_is_read_whatever_its_form(language: str, encoding: str) -> None:
    texts = TEXTS[language][1]
    content = "file_name,text\n" + "".join(f'clip{i}.wav,"{text}"\n' for i, text in enumerate(texts))
    found = read({"metadata.csv": content.encode(encoding)}, [f"clip{i}.wav" for i in range(len(texts))])
    assert [line.text for line in found.annotations.values()] == [
        text if "capitals" not in found.notes else text.capitalize() for text in texts
    ]
    assert ("encoding" in found.notes) == encoding.startswith(("utf-16", "utf-32"))


@pytest.mark.parametrize(
    "data",
    [
        "niño".encode("cp1252"),  # or "nińo" in Windows-1250
        "Mon père a mangé.".encode("cp1252"),  # or "Mon pčre a mangé."
        "grün".encode() + b" \xff\xfe\xfa gr\xc3",
        bytes(range(1, 256)),
        b"\xff\xfeabc",
    ],
)
def test_what_may_be_read_in_two_ways_is_refused(data: bytes) -> None:
    found = read({"a.txt": data}, ["a.wav"])
    assert not found.annotations
    assert found.rejects == {"a.txt": "transcript_encoding"}


def test_one_sidecar_is_understood_by_the_others() -> None:
    texts = ["El niño comió la manzana.", "¿Dónde está la estación de tren?", "niño"]
    found = read({f"{i}.txt": text.encode("cp1252") for i, text in enumerate(texts)}, ["0.wav", "1.wav", "2.wav"])
    assert [line.text for line in found.annotations.values()] == texts


@pytest.mark.parametrize("language", ["German", "French", "Spanish", "Russian", "Japanese", "Polish"])
def test_what_was_encoded_twice_is_read_once(language: str) -> None:
    text = TEXTS[language][1][0]
    found = read({"a.txt": _twice(text)}, ["a.wav"])
    assert found.text("a.wav") == text
    assert "encoded twice" in found.notes["encoding"]


def _twice(text: str) -> bytes:
    return "".join(bytes([b]).decode("cp1252", "ignore") or chr(b) for b in text.encode()).encode()


def test_lost_letters_are_told_and_not_taught() -> None:
    found = read({"t.csv": "file,text\na.wav,Die Stra\ufffde\nb.wav,Ja\n"}, ["a.wav", "b.wav"])
    assert {name: line.text for name, line in found.annotations.items()} == {"b.wav": "Ja"}
    assert found.warnings == {"lost_letters": ["t.csv, line 2"]}


@given(st.binary(max_size=60))
def test_whatever_the_bytes_they_are_decoded_or_refused(data: bytes) -> None:
    decoded = decode_all({"a": data})["a"]
    if isinstance(decoded, Decoded):
        decoded.text.encode("utf-8")

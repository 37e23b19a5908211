"""What people write for a language becomes the code that Whisper has, or is refused with what to write."""

import pytest
from pydantic import ValidationError
from transformers.models.whisper.tokenization_whisper import LANGUAGES, TO_LANGUAGE_CODE

from adaptwin_core.domain.errors import InvalidSpec
from adaptwin_core.domain.language_names import MISTAKEN, NAMES
from adaptwin_core.domain.languages import code_of, require
from adaptwin_core.domain.spec import CompressionSpec

WRITTEN = {
    "en": "en EN English english en-US en_GB.UTF-8 eng|American English|English (US)|English (UK)|English (CA)"
    "|English (Irish)| en ",
    "de": "de DE German german Deutsch de-DE de_DE de-CH deu ger deu_Latn",
    "zh": "zh zh-CN zh-TW zh_Hant Chinese Mandarin cmn cmn_hans_cn|Chinese (Mandarin)|中文|Simplified Chinese",
    "yue": "yue Cantonese zh-HK yue-Hant-HK zh-yue|Chinese (Cantonese)|Chinese (Hong Kong)|Chinese (HK)",
    "pt": "pt pt-BR pt_PT Portuguese por português|Portuguese (Brazil)|Portuguese (BR)|Brazilian Portuguese",
    "es": "es es-419 es-MX Spanish Castilian español|Latin American Spanish|Spanish (AR)|Spanish (Latin)",
    "my": "my Burmese Myanmar mya bur my-MM",
    "no": "no nb nb-NO no-NO Norwegian Bokmål nob|Norwegian Bokmål",
    "nn": "nn nn-NO Nynorsk|Norwegian (Nynorsk)|Norwegian Nynorsk",
    "he": "he iw iw-IL Hebrew heb",
    "jw": "jw jv jv-ID Javanese jav",
    "tl": "tl fil fil-PH Tagalog Filipino",
    "fa": "fa Farsi Persian fa-IR pes|Persian (Farsi)",
    "id": "id in-ID Indonesian|Bahasa Indonesia",
    "ro": "ro Moldavian Moldovan mo rum",
    "si": "si Sinhala Sinhalese",
    "ht": "ht Haitian haitian_creole|Haitian Creole",
    "el": "el ell gre Greek el-GR|Modern Greek",
    "sr": "sr sr-Latn sr-Cyrl-RS Serbian|Serbian (Latin)",
    "ca": "ca Catalan Valencian ca-ES-valencia",
    "nl": "nl Flemish nl-BE Dutch dut",
}


def forms() -> list[tuple[str, str]]:
    return [
        (form, code)
        for code, text in WRITTEN.items()
        for part, words in enumerate(text.split("|"))
        for form in (words.split() if part == 0 else [words])
    ]


@pytest.mark.parametrize(("form", "code"), forms())
def test_every_form_becomes_whispers_code(form: str, code: str) -> None:
    assert code_of(form) == code_of(f"<|{form}|>") == code
    assert CompressionSpec(language=form).language == code
    assert CompressionSpec(language=form).digest() == CompressionSpec(language=code).digest()


def test_the_table_is_whispers_own_in_the_order_of_its_tokens() -> None:
    assert list(NAMES) == list(LANGUAGES)
    assert {name: code_of(name) for name in TO_LANGUAGE_CODE} == TO_LANGUAGE_CODE
    assert [code_of(code) for code in NAMES] == list(NAMES)
    names = [name for names in NAMES.values() for name in names.split(", ")]
    assert len(names) == len(set(names))
    assert MISTAKEN.keys().isdisjoint({*names, *NAMES})
    assert set(MISTAKEN.values()) <= NAMES.keys()


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ("klingon", "is no language that Whisper knows: give the code or the English name"),
        ("xx", "such as en, de or Portuguese"),
        ("xx-XX", "no language that Whisper knows"),
        ("auto", "names no language: give that of the speech"),
        ("", "names no language"),
        ("  ", "names no language"),
        ("AUTO", "names no language"),
        ("germn", r"did you mean German \(de\)\?"),
        ("Portugese", r"did you mean Portuguese \(pt\)\?"),
        ("englisch", r"did you mean English \(en\)\?"),
        ("jp", r"write ja for Japanese \(ja\)"),
        ("cn", r"write zh for Chinese \(zh\)"),
        ("ckb", "no language that Whisper knows"),
        ("Swiss German", "no language that Whisper knows"),
        ("de, en", "no language that Whisper knows"),
        ("x" * 61, "at most 60"),
    ],
)
def test_what_is_no_language_is_refused_with_what_to_write(form: str, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        CompressionSpec(language=form)


MULTILINGUAL = [code for code in NAMES if code != "yue"]


@pytest.mark.parametrize(
    ("code", "available", "told"),
    [
        ("de", ["en"], r"is German \(de\), which tiny\.en .* English only; take a multilingual base model"),
        ("yue", MULTILINGUAL, "give zh, or take a base model that does, such as whisper-large-v3"),
        ("nn", ["en", "no"], "give no, or"),
        ("sw", ["en", "de"], "it knows only en, de"),
        ("yue", [code for code in MULTILINGUAL if code != "zh"], "take a base model that does"),
        ("de", None, "register it again"),
    ],
)
def test_a_base_model_must_have_the_language(code: str, available: list[str] | None, told: str) -> None:
    with pytest.raises(InvalidSpec, match=told) as refused:
        require(code, available, "tiny.en")
    assert refused.value.code == "language_not_in_base"


def test_what_a_base_model_has_is_taken() -> None:
    require("de", MULTILINGUAL, "base")
    require("yue", list(NAMES), "large")
    require("en", None, "old")

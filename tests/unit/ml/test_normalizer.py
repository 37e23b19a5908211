"""What counts as an error in each script, and what is only another way to write the same."""

import pytest

from adaptwin_core.domain.units import Unit, unit_of
from adaptwin_core.ml.evaluation.normalizer import normalizer
from adaptwin_core.ml.evaluation.scoring import count_units, score

DIFFERENT = [
    ("hi", "की", "का"),
    ("hi", "पानी लाओ", "पनी लाओ"),
    ("mr", "तो", "ती"),
    ("ne", "पनि", "पानि"),
    ("ta", "தமிழ்", "தமிழ"),
    ("te", "కాలు", "కల్లు"),
    ("kn", "ಮನೆ", "ಮನ"),
    ("ml", "കാലം", "കലം"),
    ("bn", "কী", "কা"),
    ("gu", "છે", "છો"),
    ("pa", "ਦੀ", "ਦਾ"),
    ("si", "මම", "මාම"),
    ("th", "มา", "ม้า"),
    ("th", "ไทย", "ไท"),
    ("lo", "ສະບາຍດີ", "ສະບາຍດ"),
    ("my", "မြန်မာ", "မြန်မ"),
    ("km", "ខ្មែរ", "ខមែរ"),
    ("bo", "བོད", "བད"),
    ("ja", "かき", "かぎ"),
    ("ja", "東京", "京都"),
    ("zh", "你好", "你号"),
    ("yue", "唔該", "唔使"),
    ("ko", "가다", "가자"),
    ("ar", "كتاب", "كاتب"),
    ("fa", "می‌خواهم", "می‌خواهد"),
    ("ur", "پانی", "پاني ہے"),
    ("he", "שלום", "שלוש"),
    ("yi", "אַ", "אָ"),
    ("de", "für", "fur"),
    ("de", "Bahn", "bahnt"),
    ("fr", "été", "ete"),
    ("fr", "l'homme", "la homme"),
    ("es", "año", "ano"),
    ("vi", "má", "mà"),
    ("yo", "ẹ\u0301", "ẹ"),
    ("tr", "ışık", "işık"),
    ("el", "νόμος", "νομός"),
]
SAME = [
    ("hi", "लड़की घर गई।", "लड\u093cकी घर गई"),  # a letter with a dot, in one piece and in two
    ("hi", "क्\u200dया हुआ?", "क्या हुआ"),
    ("bn", "হঠাত্\u200d", "হঠাৎ"),
    ("ml", "അവന്\u200d", "അവൻ"),
    ("ta", "அவன், வந்தான்!", "அவன் வந்தான்"),
    ("th", "สวัสดี ครับ", "สวัสดีครับ"),
    ("th", "น\u0e49\u0e33", "น\u0e4d\u0e49\u0e32"),  # tone mark before and after the vowel
    ("lo", "ສະບາຍດີ ບໍ່?", "ສະບາຍດີບໍ່"),
    ("my", "မြန်မာ\u200bစာ။", "မြန်မာ စာ"),
    ("km", "ខ្មែរ\u200bភាសា", "ខ្មែរ ភាសា។"),
    ("bo", "བོད་ཡིག", "བོད་ཡིག།"),
    ("ja", "今日は いい 天気 です。", "今日はいい天気です"),
    ("ja", "ｶﾞｷﾞ", "ガギ"),
    ("ja", "葛\U000e0100飾", "葛飾"),
    ("zh", "我 用 iPhone 打电话。", "我用iphone打电话"),
    ("zh", "你好，世界！", "你好 世界"),
    ("ar", "كَتَبَ الوَلَدُ.", "كتب الولد"),
    ("ar", "محمـــد، مُحَمَّد", "محمد محمد"),
    ("fa", "می‌خواهم بروم", "می خواهم بروم"),
    ("fa", "می خواهم بروم", "می‌خواهم بروم"),
    ("fa", "کتاب‌ها", "کتابها"),
    ("fa", "کتابها", "کتاب‌ها"),
    ("fa", "كتاب علي", "کتاب علی"),
    ("ur", "کِتاب", "کتاب"),
    ("he", "שָׁלוֹם עֲלֵיכֶם", "שלום עליכם"),
    ("he", "\u200fשלום", "שלום"),
    ("de", "Fu\u0308r A\u0308rger", "für Ärger"),
    ("de", "Donau\u00addampf", "Donaudampf"),
    ("fr", "e\u0301te\u0301", "Été"),
    ("fr", "l\u00b4homme", "l'homme"),
    ("vi", "tie\u0302\u0301ng", "tiếng"),
    ("tr", "İSTANBUL IŞIK", "istanbul ışık"),
    ("es", "¡Hola, Año!", "hola año"),
    ("sv", "bra ❤\ufe0f dag", "bra dag"),
]


@pytest.mark.parametrize(("language", "said", "heard"), DIFFERENT)
def test_another_word_is_an_error(language, said, heard):
    assert score([said], [heard], language=language).error_rate > 0


@pytest.mark.parametrize(("language", "said", "heard"), SAME)
def test_the_same_word_written_otherwise_is_none(language, said, heard):
    found = score([said], [heard], language=language)
    assert (found.error_rate, found.cer) == (0, 0), found.clips


@pytest.mark.parametrize(
    ("language", "said", "words"), [("hi", "हिन्दी में किताबें", 3), ("ta", "தமிழ் மொழி", 2), ("de", "U-Bahn fährt", 3)]
)
def test_a_mark_does_not_part_a_word(language, said, words):
    assert score([said], [said], language=language).num_words == words == count_units(said, language)


@pytest.mark.parametrize(
    ("language", "unit"),
    [(code, Unit.CHARACTER) for code in ("ja", "zh", "yue", "th", "lo", "my", "km", "bo")]
    + [(code, Unit.WORD) for code in ("en", "de", "hi", "ko", "vi", "ar", "jw")],
)
def test_scripts_without_spaces_are_judged_by_characters(language, unit):
    found = score(["ab cd"], ["ab ce"], language=language)
    assert unit_of(language) == found.unit == unit
    assert found.error_rate == (found.cer if unit is Unit.CHARACTER else found.wer)
    assert found.num_units == (4 if unit is Unit.CHARACTER else 2)


def test_where_spaces_are_put_is_no_error_among_characters_and_one_among_words():
    assert score(["今日 は"], ["今 日は"], language="ja").error_rate == 0
    assert score(["to day"], ["today"], language="de").error_rate > 0


def test_half_spaces_of_one_word_leave_the_rest_as_it_is():
    found = score(["او می‌خواهد برود"], ["او می خواهد بروم"], language="fa")
    assert [clip.word_errors for clip in found.clips] == [1]
    assert found.num_words == 3


def test_latin_languages_are_normalized_as_whisper_does():
    from transformers.models.whisper.english_normalizer import BasicTextNormalizer

    basic = BasicTextNormalizer()
    for text in ("Die Straße, [Lachen] «grün» (leise) U-Bahn!", "L'été: 3,5 % d’eau", "¿Qué? ½ kilo", "ﬁn™ naïve"):
        assert normalizer("fr")(text) == basic(text).strip()

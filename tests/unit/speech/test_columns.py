"""Which column of a table names the recording, and which is what was said."""

import unicodedata

import pytest

from tests.unit.speech.texts import read

SENTENCES = {
    "en": ["The quick brown fox jumps.", "Call me back before seven.", "We walked along the river.", "No."],
    "de": ["Die Straße führt zum Bahnhof.", "Ja.", "Mein Großvater hatte drei Uhren.", "Bitte rufen Sie zurück."],
    "ja": ["祖父は台所に三つの時計を持っていた。", "雨が降り始めた。", "はい。", "川沿いを歩いた。"],
    "hi": ["मेरे दादाजी के पास तीन घड़ियाँ थीं।", "हाँ।", "हम नदी के किनारे चले।", "बारिश शुरू हो गई।"],
    "az": ["Mənim babamın üç saatı var idi.", "Bəli.", "Biz çay boyu gəzdik.", "Yağış başladı."],
}
AUDIO = [f"wavs/c{i}.wav" for i in range(4)]

LAYOUTS = {
    "file and text": "{file}|{text}",
    "text and file": "{text}|{file}",
    "name without folder": "c{i}|{text}",
    "length after": "{file}|{text}|{length}",
    "length before": "{file}|{length}|{text}",
    "speaker after": "{file}|{text}|anna",
    "speaker before": "{file}|anna_speaker_with_a_long_name_01|{text}",
    "speaker and language": "{file}|anna|DE|{text}",
    "number, text and nothing": "{file}|0|{text}|_",
    "speaker and duration": "{file}|{text}|anna|{length}.5",
    "emotion": "{file}|{emotion}|{text}",
    "language tag": "{file}|{text}|de-DE",
    "phonemes": "{file}|{text}|ðə kwˈɪk bɹˈaʊn fˈɑːks dʒˈʌmps ˈoʊvɚ ðə lˈeɪzi dˈɑːɡ {i}",
    "sounds": "{file}|{text}|DH AH0 K W IH1 K B R AW1 N F AA1 K S D{i}",
    "transcript files": "{file}|{text}|texts/a-rather-long-folder-of-transcripts/c{i}.txt",
}


def table(layout: str, sentences: list[str], delimiter: str = "|") -> str:
    rows = [
        layout.format(i=i, file=AUDIO[i], text=text, length=len(text), emotion=("happy", "sad")[i % 2])
        for i, text in enumerate(sentences)
    ]
    return "\n".join(row.replace("|", delimiter) for row in rows) + "\n"


@pytest.mark.parametrize("language", SENTENCES)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("delimiter", ["|", "\t", ";"])
def test_without_a_header_the_column_that_reads_like_text_is_taught(language: str, layout: str, delimiter: str) -> None:
    found = read({"metadata.csv": table(LAYOUTS[layout], SENTENCES[language], delimiter)}, AUDIO)
    assert [found.text(name) for name in AUDIO] == SENTENCES[language]
    assert not found.rejects
    assert "column" in found.notes["table"]


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ("{file}|45{i}", "numbers only"),
        ("{file}|anna", "one speaker"),
        ("{file}|{emotion}", "two labels"),
        ("{file}|texts/c{i}.txt", "names of other files"),
        ("{file}|{text}|Mon grand-père avait {i} horloges", "two languages"),
        ("{file}|はい、祖父は三つの時計を持っていた{i}|My grandfather had {i} clocks in the kitchen.", "two scripts"),
        (
            "{file}|할아버지는 시계 {i} 개를 두셨다.|He had {i} clocks at home.|he had {i} clocks at home",
            "a translation in two forms",
        ),
    ],
)
def test_what_cannot_be_decided_is_refused_with_what_to_do(rows: str, why: str) -> None:
    found = read({"metadata.csv": table(rows, SENTENCES["en"])}, AUDIO)
    assert not found.annotations, why
    assert found.rejects == {"metadata.csv": "transcript_form"}


def test_a_header_decides_what_content_cannot() -> None:
    rows = table("{file}|Mon grand-père avait {i} horloges|{text}", SENTENCES["en"])
    found = read({"metadata.csv": "file|translation|text\n" + rows}, AUDIO)
    assert [found.text(name) for name in AUDIO] == SENTENCES["en"]
    assert "column 3 (text)" in found.notes["table"]


NAMES = [("file_name", "transcription"), ("audio_filepath", "text"), ("path", "sentence"), ("audio", "transcript"),
         ("wav_filename", "transcript"), ("Audio File", "Text"), ("FILE", "TRANSCRIPTION"), ("id", "normalized_text"),
         ("utt_id", "utterance"), ("audio-path", "raw text"), ("filename", "sentence")]  # fmt: skip


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(("file", "text"), NAMES)
def test_header_names_that_people_use(file: str, text: str, delimiter: str) -> None:
    header = ["client_id", text, "up_votes", file, "speaker_name"]
    rows = [["f00", words, "2", name, "anna"] for name, words in zip(AUDIO, SENTENCES["de"], strict=True)]
    content = "\n".join(delimiter.join(row) for row in [header, *rows])
    found = read({"data/table.csv": content}, AUDIO)
    assert [found.text(name) for name in AUDIO] == SENTENCES["de"]


def test_a_header_that_nobody_knows_is_passed_over() -> None:
    rows = table("{file}|{text}", SENTENCES["de"], ";")
    found = read({"liste.csv": "Datei;Satz\n" + rows}, AUDIO)
    assert [found.text(name) for name in AUDIO] == SENTENCES["de"]
    assert not found.warnings


@pytest.mark.parametrize("rows", [["a.wav|Hello there."], ["a.wav|anna|Hello there."], ["a.wav|Hello there.|13"]])
def test_one_row_is_enough(rows: list[str]) -> None:
    assert read({"metadata.csv": "\n".join(rows)}, ["a.wav"]).text("a.wav") == "Hello there."


KOREAN = ["할아버지는 시계를 두셨다.", "비가 왔다.", "강을 따라 걸었다.", "열쇠가 없다."]
THAI = ["สุนัขของเพื่อนบ้านเห่าทั้งคืน", "ฝนตกทั้งวัน", "เธอซื้อแอปเปิล", "ไม่มีใครจำได้"]


@pytest.mark.parametrize(
    ("form", "texts"),
    [
        ("{name}|{text}|{text}|{decomposed}|3.{i}|{translation}", KOREAN),  # KSS
        ("{name}|{text}|{text}|3.{i}", KOREAN),  # CSS10
        ("{i}|{name}|{text}|{text}|{spelt}|1200{i}|FEMALE", SENTENCES["de"]),  # FLEURS
        ("{name}|anna maria|{text}|Les Misérables, Volume 1", THAI),
        ("{name}|{text}|Les Misérables, Volume {half}", SENTENCES["hi"]),
    ],
)
def test_tables_of_known_corpora(form: str, texts: list[str]) -> None:
    rows = [
        form.format(
            i=i,
            half=i // 2,
            name=AUDIO[i],
            text=text,
            decomposed=unicodedata.normalize("NFD", text),
            spelt=" ".join(text.lower()).replace("   ", " - "),
            translation=SENTENCES["en"][i],
        )
        for i, text in enumerate(texts)
    ]
    for delimiter in "|\t":
        found = read({"metadata.csv": "\n".join(rows).replace("|", delimiter)}, AUDIO)
        assert [found.text(name) for name in AUDIO] == texts


def test_a_translation_is_not_taken_for_a_text_without_spaces() -> None:
    rows = "".join(f"{AUDIO[i]}|{THAI[i]}|{SENTENCES['en'][i]}\n" for i in range(4))
    assert read({"metadata.csv": rows}, AUDIO).rejects == {"metadata.csv": "transcript_form"}


def test_names_beside_short_texts_are_not_taken_for_the_texts() -> None:
    rows = f"{AUDIO[0]}|Ja|Maximilian Hohenberg\n{AUDIO[1]}|Nein|Anna Schmidt-Meier\n"
    assert read({"metadata.csv": rows}, AUDIO).rejects == {"metadata.csv": "transcript_form"}


def test_values_that_programs_write_for_nothing_are_told_and_not_taught() -> None:
    gone = ["#NAME?", "nan", "NaN", "<NA>", "None"]
    audio = [f"{i}.wav" for i in range(len(gone) + 1)]
    rows = "".join(f"{i}.wav,{text}\n" for i, text in enumerate([*gone, "null"]))
    found = read({"t.csv": "path,sentence\n" + rows}, audio)
    assert {name: line.text for name, line in found.annotations.items()} == {audio[-1]: "null"}
    assert len(found.warnings["lost_letters"]) == len(gone)


def test_two_rows_of_one_speaker_with_short_texts() -> None:
    found = read({"metadata.csv": "a.wav|annabelle|Ja.\nb.wav|annabelle|Nein.\n"}, ["a.wav", "b.wav"])
    assert [found.text("a.wav"), found.text("b.wav")] == ["Ja.", "Nein."]


def test_ljspeech_gives_the_normalized_text_where_it_resembles_the_other() -> None:
    content = 'LJ-1|in 1,455|in fourteen fifty-five\r\nLJ-2|"Quoted, text\nLJ-3|only raw|\nLJ-4|Mr. Bean|Mister Bean\n'
    audio = [f"wavs/LJ-{i}.wav" for i in range(1, 5)]
    found = read({"metadata.csv": content}, audio)
    assert [found.text(name) for name in audio] == [
        "in fourteen fifty-five",
        '"Quoted, text',
        "only raw",
        "Mister Bean",
    ]
    assert "column 3, else column 2" in found.notes["table"]


@pytest.mark.parametrize("header", ["", "name|original text as read|lower\n"])
def test_a_copy_without_capitals_and_punctuation_is_not_preferred(header: str) -> None:
    rows = "".join(
        f"{name}|{text}|{text.lower().strip('.')}\n" for name, text in zip(AUDIO, SENTENCES["en"], strict=True)
    )
    found = read({"metadata.csv": header + rows}, AUDIO)
    assert [found.text(name) for name in AUDIO] == SENTENCES["en"]


def test_first_text_column_that_is_not_empty_counts_in_each_row() -> None:
    content = "file_name,transcription,text,sentence\na.wav,,Second,Third\nb.wav,First,,\nc.wav, ,,Third\n"
    found = read({"metadata.csv": content}, ["a.wav", "b.wav", "c.wav"])
    assert [line.text for line in found.annotations.values()] == ["Second", "First", "Third"]


def test_column_that_names_recordings_is_preferred_to_one_called_so() -> None:
    content = "id,path,text\n17,a.wav,One\n18,b.wav,Two\n"
    assert read({"t.csv": content}, ["a.wav", "b.wav"]).text("b.wav") == "Two"


def test_rows_of_parts_of_a_recording_are_told_and_not_taught() -> None:
    content = "file,start,end,text\na.wav,0,2,One\na.wav,2,4,Two\nb.wav,0,3,Whole\nc.wav,5,9,Part\n"
    found = read({"t.csv": content}, ["a.wav", "b.wav", "c.wav"])
    assert {name: line.text for name, line in found.annotations.items()} == {"b.wav": "Whole"}
    assert found.warnings == {"piece_of_recording": ["t.csv, line 2", "t.csv, line 3", "t.csv, line 5"]}

"""Every form of transcripts that docs/audio.md lists, as files on disk, through the door."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.speech.sounds import build, rejects, voice, write
from tests.unit.speech.texts import read

TEXTS = ["First, we walk.", "Second thought", "Third time lucky.", "Fourth and last."]
SRT = "1\n00:00:00,000 --> 00:00:01,000\n{}\n"
VTT = "WEBVTT\n\n00:00.000 --> 00:01.000\n{}\n"
Files = dict[str, str]


def rows(form: str, head: str = "") -> str:
    return head + "".join(form.format(i=i, text=text, j=json.dumps(text)) for i, text in enumerate(TEXTS))


def each(name: str, form: str = "{}") -> Files:
    return {name.format(i=i): form.format(text) for i, text in enumerate(TEXTS)}


def each_json(name: str, form: Callable[[str], object]) -> Files:
    return {name.format(i=i): json.dumps(form(text)) for i, text in enumerate(TEXTS)}


def objects(file: str, text: str) -> list[dict[str, str]]:
    return [{file: f"{i}.wav", text: said} for i, said in enumerate(TEXTS)]


FORMS: dict[str, tuple[str, Files]] = {
    "sidecar": ("{i}.wav", each("{i}.txt")),
    "sidecar named with the extension": ("{i}.wav", each("{i}.wav.txt")),
    "sidecar .lab": ("{i}.wav", each("{i}.lab")),
    "sidecar .srt": ("{i}.wav", each("{i}.srt", SRT)),
    "sidecar .vtt": ("{i}.wav", each("{i}.vtt", VTT)),
    "sidecar .lrc": ("{i}.wav", each("{i}.lrc", "[00:00.00]{}\n")),
    "sidecar of a language": ("{i}.wav", each("{i}.en.srt", SRT)),
    "Audacity": ("{i}.wav", each("{i}.txt", "0.0\t0.9\t{}\n")),
    "Whisper .json": (
        "{i}.wav",
        each_json("{i}.json", lambda text: {"text": f" {text}", "segments": [{"start": 0.0, "text": f" {text}"}]}),
    ),
    "Whisper .tsv": ("{i}.wav", each("{i}.tsv", "start\tend\ttext\n0\t900\t{}\n")),
    "whisper.cpp .json": (
        "{i}.wav",
        each_json("{i}.json", lambda text: {"model": {}, "transcription": [{"offsets": {}, "text": f" {text}"}]}),
    ),
    "LibriTTS": ("{i}.wav", each("{i}.normalized.txt") | dict.fromkeys(each("{i}.original.txt"), "ORIGINAL 1")),
    "VCTK": ("wav48/p225/p225_00{i}.wav", each("txt/p225/p225_00{i}.txt")),
    "LJSpeech": ("wavs/LJ-{i}.wav", {"metadata.csv": rows("LJ-{i}|{text}|{text}\n")}),
    "LJSpeech without the third column": ("wavs/LJ-{i}.wav", {"metadata.csv": rows("LJ-{i}|{text}\n")}),
    "Hugging Face .csv": ("{i}.wav", {"metadata.csv": rows("{i}.wav,{j}\n", "file_name,transcription\n")}),
    "Hugging Face .jsonl": ("{i}.wav", {"metadata.jsonl": rows('{{"file_name": "{i}.wav", "text": {j}}}\n')}),
    "any name, semicolons": ("{i}.wav", {"transcripts.csv": rows("{i}.wav;{text}\n", "file;text\n")}),
    "tabs without header": ("id_{i}.wav", {"line_index.tsv": rows("id_{i}\t{text}\n")}),
    "Common Voice": (
        "clips/cv_{i}.wav",
        {"validated.tsv": rows("f0\tcv_{i}.wav\t{text}\t2\t0\n", "client_id\tpath\tsentence\tup_votes\tdown_votes\n")},
    ),
    "NeMo": (
        "audio/{i}.wav",
        {"manifest.json": rows('{{"audio_filepath": "/data/audio/{i}.wav", "duration": 1.0, "text": {j}}}\n')},
    ),
    "JSON array": ("{i}.wav", {"data.json": json.dumps(objects("audio", "sentence"))}),
    "JSON array in an object": (
        "{i}.wav",
        {"data.json": json.dumps({"name": "x", "data": objects("path", "text")})},
    ),
    "JSON object of names": ("{i}.wav", {"data.json": json.dumps({f"{i}.wav": t for i, t in enumerate(TEXTS)})}),
    "Kaldi": (
        "audio/rec{i}.wav",
        {"data/text": rows("utt{i} {text}\n"), "data/wav.scp": rows("utt{i} /corpora/x/audio/rec{i}.wav\n")},
    ),
    "Kaldi with commands": (
        "audio/rec{i}.wav",
        {"text": rows("utt{i} {text}\n"), "wav.scp": rows("utt{i} sox -G /x/audio/rec{i}.wav -t wav - |\n")},
    ),
    "Kaldi without wav.scp": ("utt{i}.wav", {"text": rows("utt{i} {text}\n")}),
    "LibriSpeech": ("19/198/19-198-000{i}.wav", {"19/198/19-198.trans.txt": rows("19-198-000{i} {text}\n")}),
    "Festival": ("wav/arctic_a000{i}.wav", {"etc/txt.done.data": rows("( arctic_a000{i} {j} )\n")}),
    "list in a .txt": ("a{i}.wav", {"transcript.txt": rows("a{i} {text}\n")}),
    "list of numbers in a .txt": ("{i}.wav", {"prompts.txt": rows("{i} {text}\n")}),
    "list with dashes": ("a{i}.wav", {"transcript.txt": rows("a{i}.wav - {text}\n")}),
    "list with equals signs": ("a{i}.wav", {"transcript.txt": rows("a{i}.wav = {text}\n")}),
    "list with arrows": ("a{i}.wav", {"transcript.txt": rows("a{i} -> {text}\n")}),
    "JSUT": ("basic/wav/BASIC_000{i}.wav", {"basic/transcript_utf8.txt": rows("BASIC_000{i}:{text}\n")}),
    "WeNet": ("{i}.wav", {"data.list": rows('{{"key": "x{i}", "wav": "/x/{i}.wav", "txt": {j}}}\n')}),
    "a recognizer's object with an id": ("{i}.wav", each_json("{i}.json", lambda text: {"id": "f-1", "text": text})),
    "JSON in a .txt of each": ("{i}.wav", each_json("{i}.txt", lambda text: {"text": text})),
    "list with colons and quotes": ("a{i}.wav", {"transcript.txt": rows('a{i}.wav: "{text}"\n')}),
    "NeMo in a .txt": ("{i}.wav", {"manifest.txt": rows('{{"audio_filepath": "{i}.wav", "text": {j}}}\n')}),
    "table in a .txt": ("wavs/{i}.wav", {"filelists/list.txt": rows("DUMMY/{i}.wav|0|{text}\n")}),
    "GPT-SoVITS": ("slices/{i}.wav", {"slices.list": rows("/x/slices/{i}.wav|anna|en|{text}\n")}),
    "M-AILABS": (
        "wavs/{i}.wav",
        {"metadata_mls.json": json.dumps({f"{i}.wav": {"original": t, "clean": t} for i, t in enumerate(TEXTS)})},
    ),
    "table with a header in a .txt": ("{i}.wav", {"metadata.txt": rows("{i}.wav\t{text}\n", "path\ttext\n")}),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_a_form_of_dataset_is_read_with_its_texts(form: str, tmp_path: Path) -> None:
    audio, files = FORMS[form]
    for i in range(len(TEXTS)):
        write(tmp_path / "in" / audio.format(i=i), voice(1.0, i), subtype="PCM_16")
    for name, content in files.items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_text(content, encoding="utf-8")
    corpus = build(tmp_path / "in", tmp_path / "out")
    assert [clip.text for clip in corpus.clips] == TEXTS
    assert not rejects(corpus)


NO_TRANSCRIPTS = {
    "config.json": '{"model_type": "whisper", "layers": [1, 2]}',
    "stats.csv": "epoch,loss\n1,0.5\n2,0.4\n",
    "list.json": "[1, 2, 3]",
    "broken.json": '{"a": ',
    "deep.json": "[" * 100_000,
    "number.json": "1" * 10_000,
    "empty.csv": "",
    "header.csv": "file_name,text\n",
    "no-text.jsonl": '{"file_name": "0.wav", "duration": 1.0}\n',
    "data/segments": "u1 rec 0.0 1.0\n",
    "alone/wav.scp": "u1 /x/0.wav\n",
    "notes/text": "just some words\nand more\n",
}


@pytest.mark.parametrize("name", NO_TRANSCRIPTS)
def test_what_is_no_transcript_is_refused_alone(name: str) -> None:
    found = read({name: NO_TRANSCRIPTS[name], "0.txt": "Hello"}, ["0.wav"])
    assert found.text("0.wav") == "Hello"
    assert found.rejects == {name: "transcript_form"}


def test_common_voice_keeps_splits_and_leaves_out_what_was_voted_down() -> None:
    head = "client_id\tpath\tsentence\n"
    files = {
        "train.tsv": head + "f\ta.mp3\tOne\n",
        "dev.tsv": head + "f\tb.mp3\tTwo\n",
        "test.tsv": head + "f\tc.mp3\tThree\n",
        "other.tsv": head + "f\te.mp3\tFive\n",
        "invalidated.tsv": head + "f\td.mp3\tFour\n",
        "reported.tsv": "sentence_id\tsentence\tlocale\treason\n17\tOne\ten\toffensive\n",
    }
    found = read(files, [f"clips/{name}.mp3" for name in "abcde"])
    assert {name[6]: (line.text, line.split) for name, line in found.annotations.items()} == {
        "a": ("One", "train"),
        "b": ("Two", "valid"),
        "c": ("Three", "test"),
        "e": ("Five", None),
    }
    assert "not for training" in found.notes["not_taught"]
    assert not found.rejects


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (["train.csv", "test.csv"], ["train", "test"]),
        (["metadata_train.csv", "metadata_val.csv"], ["train", "valid"]),
        (["a-dev-list.tsv", "a-training-list.tsv"], ["valid", "train"]),
        (["test.csv"], [None]),
        (["train.csv"], [None]),
        (["test.csv", "more.csv"], [None, None]),
        (["train_test.csv", "train.csv", "test.csv"], [None, "train", "test"]),
    ],
)
def test_names_of_tables_tell_splits_where_they_part_training_from_testing(
    names: list[str], splits: list[str | None]
) -> None:
    files = {
        name: f"file,text\n{i}.wav,Text {i}\n".replace(",", "\t" if "tsv" in name else ",")
        for i, name in enumerate(names)
    }
    found = read(files, [f"{i}.wav" for i in range(len(names))])
    assert [line.split for line in found.annotations.values()] == splits


def test_parts_of_recordings_in_kaldi_are_told_and_not_taught() -> None:
    files = {
        "text": "u1 one\nu2 two\nr2 whole\n",
        "wav.scp": "r1 r1.wav\nr2 r2.wav\n",
        "segments": "u1 r1 0 1\nu2 r1 1 2\n",
    }
    found = read(files, ["r1.wav", "r2.wav"])
    assert {name: line.text for name, line in found.annotations.items()} == {"r2.wav": "whole"}
    assert found.warnings["piece_of_recording"] == ["text, line 1", "text, line 2"]
    assert found.rejects == {"segments": "transcript_form"}


def test_parts_of_recordings_in_nemo_are_told_and_not_taught() -> None:
    lines = [
        {"audio_filepath": "a.wav", "offset": 0.0, "duration": 2.0, "text": "one"},
        {"audio_filepath": "a.wav", "offset": 2.0, "duration": 2.0, "text": "two"},
        {"audio_filepath": "b.wav", "offset": 0.0, "duration": 2.0, "text": "whole"},
    ]
    found = read({"m.json": "\n".join(map(json.dumps, lines))}, ["a.wav", "b.wav"])
    assert {name: line.text for name, line in found.annotations.items()} == {"b.wav": "whole"}
    assert len(found.warnings["piece_of_recording"]) == 2


def test_lists_of_names_only_give_splits() -> None:
    files = {"train.txt": "a1.wav\na2.wav\n", "test.txt": "a3.wav\n"}
    found = read(files, ["a1.wav", "a2.wav", "a3.wav"])
    assert [line.split for line in found.annotations.values()] == ["train", "train", "test"]
    assert not found.warnings


def test_a_list_is_known_although_most_of_its_recordings_are_missing() -> None:
    content = "".join(f"take_{i:03} Sentence number {i}\n" for i in range(100))
    assert read({"prompts.txt": content}, ["take_007.wav"]).text("take_007.wav") == "Sentence number 7"


def test_a_sidecar_that_repeats_its_name_is_read_without_it() -> None:
    found = read({"a1.txt": "a1|Hello there", "a2.txt": "a2\tGoodbye"}, ["a1.wav", "a2.wav"])
    assert [line.text for line in found.annotations.values()] == ["Hello there", "Goodbye"]


def test_words_are_no_list() -> None:
    found = read({"story.txt": "one day\ntwo days\n", "one.txt": "one, two"}, ["one.wav", "two.wav", "story.mp3"])
    assert (found.text("story.mp3"), found.text("one.wav"), found.text("two.wav")) == (
        "one day two days",
        "one, two",
        None,
    )


def set_of(folder: Path, files: dict[str, bytes], num_clips: int, seconds: float = 1.0) -> Path:
    for i in range(num_clips):
        write(folder / f"c{i}.wav", voice(seconds, i), subtype="PCM_16")
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


TOLD: dict[str, tuple[str, list[str | None], str]] = {
    "an older encoding": ("c0|Die Straße.\nc1|Über Öl.\n", ["Die Straße.", "Über Öl."], "Windows-1252"),
    "columns by content": ("c0|anna|Hello.|12\nc1|anna|No, no.|7\n", ["Hello.", "No, no."], "texts in column 3"),
    "a damaged row": ('c0.wav,"Hello\nc1.wav,No.\n', [None, "No."], "metadata.csv, line 1"),
    "a table nobody can read": ("c0.wav|45\nc1.wav|46\n", [None, None], "transcript_form"),
    "capitals": (
        "c0|WE WALKED ALONG THE RIVER UNTIL\nc1|THE RAIN BEGAN TO FALL\n",
        ["We walked along the river until", "The rain began to fall"],
        "are in capitals",
    ),
}


@pytest.mark.parametrize("case", TOLD)
def test_the_report_says_how_texts_were_understood(case: str, tmp_path: Path) -> None:
    table, texts, said = TOLD[case]
    corpus = build(set_of(tmp_path / "in", {"metadata.csv": table.encode("cp1252")}, len(texts)), tmp_path / "out")
    assert [clip.text for clip in corpus.clips] == texts
    assert said in corpus.report().model_dump_json()


@pytest.mark.parametrize(
    ("text", "seconds", "code"),
    [
        ("0.0\t20.0\tHello there.\n20.0\t39.0\tGoodbye.\n", 40.0, "long_clip_unlabelled"),
        ("Hello\n[00:02.000 --> 00:04.000] there\n", 5.0, "timed_text"),
    ],
)
def test_times_are_never_taught(text: str, seconds: float, code: str, tmp_path: Path) -> None:
    corpus = build(set_of(tmp_path / "in", {"c0.txt": text.encode()}, 1, seconds), tmp_path / "out")
    assert {clip.text for clip in corpus.clips} == {None}
    assert code in corpus.report().model_dump_json()

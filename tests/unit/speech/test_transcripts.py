"""What transcript files say, matched with audio by name."""

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.speech.annotations import Annotation
from adaptwin_core.speech.notices import Notices
from adaptwin_core.speech.texts.transcripts import Transcripts, is_transcript
from tests.unit.speech.texts import read


def match(files: Mapping[str, str | bytes], audio: list[str]) -> tuple[dict[str, Annotation], list[str]]:
    found = read(files, audio)
    return found.annotations, sorted(found.warnings)


def test_sidecars_lie_next_to_their_audio() -> None:
    files = {"x/a.txt": "\ufeffOne\r\n two.\r\n", "y/a.txt": "Three"}
    annotations, warned = match(files, ["x/a.wav", "y/a.opus", "b.wav"])
    assert annotations == {"x/a.wav": Annotation("One two."), "y/a.opus": Annotation("Three")}
    assert not warned


@pytest.mark.parametrize("empty", ["", " ", "\n", "\ufeff", "\r\n\u200b\n"])
def test_an_empty_sidecar_says_that_nobody_speaks(empty: str) -> None:
    found = claimed({"a.txt": "One", "b.txt": "Two", "noise.txt": empty}, ["a.wav", "b.wav", "noise.wav"])
    assert found == {"a": "One", "b": "Two", "noise": ""}


@pytest.mark.parametrize("row", ["noise.wav,,", 'noise.wav,"",""', "noise.wav, ,\u200b", "noise.wav,"])
def test_an_empty_row_says_that_nobody_speaks(row: str) -> None:
    table = f"file,text,sentence\na.wav,One,\nb.wav,Two,\n{row}\n"
    assert claimed({"t.csv": table}, ["a.wav"]) == {"a.wav": "One", "b.wav": "Two", "noise.wav": ""}


def test_json_tells_nothing_from_empty() -> None:
    rows = [{"audio": "a", "text": "One"}, {"audio": "b", "text": ""}, {"audio": "c", "text": None}, {"audio": "d"}]
    assert claimed({"t.jsonl": "\n".join(map(json.dumps, rows))}, ["a.wav", "b.wav"]) == {"a": "One", "b": ""}


@pytest.mark.parametrize(
    "files",
    [
        {"a.txt": "", "b.txt": ""},
        {"a.txt": "", "b.txt": "", "c.txt": "One"},
        {"t.csv": "file,text\na.wav,\nb.wav,\n"},
        {"t.csv": "file,text\na.wav,\nb.wav,\nc.wav,One\n"},
    ],
)
def test_where_most_are_empty_nothing_is_known(files: dict[str, str]) -> None:
    annotations, warned = match(files, ["a.wav", "b.wav", "c.wav"])
    assert {name: annotation.text for name, annotation in annotations.items()} in ({}, {"c.wav": "One"})
    assert "empty_texts" in warned


def claimed(files: Mapping[str, str], audio: list[str]) -> dict[str, str | None]:
    transcripts = Transcripts(Notices())
    for name, content in files.items():
        transcripts.add_file(name, content.encode())
    return {claim.key: claim.annotation.text for claim in transcripts.claims(audio)}


def test_of_several_texts_of_a_recording_the_plain_one_counts() -> None:
    srt = "1\n00:00:00,000 --> 00:00:01,000\n{}\n"
    files = {"a.srt": srt.format("Hello, there"), "a.txt": "Hello there.", "a.json": '{"text": "hello there"}'}
    annotations, warned = match(files, ["a.wav"])
    assert (annotations["a.wav"].text, warned) == ("Hello there.", [])
    found = read(files | {"a.vtt": "WEBVTT\n\n00:00.000 --> 00:01.000\nGoodbye\n"}, ["a.wav"])
    assert found.text("a.wav") == "Hello there."
    assert found.warnings == {"overruled_transcript": ["a.vtt"]}


def test_a_text_that_is_empty_or_refused_gives_way() -> None:
    srt = "1\n00:00:00,000 --> 00:00:01,000\nHello\n"
    assert read({"a.txt": "", "a.srt": srt}, ["a.wav"]).text("a.wav") == "Hello"
    assert read({"a.txt": "x --> y", "a.srt": srt}, ["a.wav"]).text("a.wav") == "Hello"


def test_rows_of_a_jsonl_are_read_and_broken_ones_told() -> None:
    rows = [{"file_name": "a.wav", "text": "Hello", "split": "test"}, {"text": "no name"}, ["x"], {"file_name": ""}]
    table = "\n".join(json.dumps(row) for row in rows) + "\n{broken\n\n"
    found = read({"metadata.jsonl": table}, ["a.wav"])
    assert found.annotations == {"a.wav": Annotation("Hello", "test")}
    assert found.warnings == {"unreadable_row": [f"metadata.jsonl, line {number}" for number in (2, 3, 4, 5)]}


@pytest.mark.parametrize("column", ["split", "Subset", "PARTITION"])
@pytest.mark.parametrize(
    ("given", "split"),
    [
        ("train", "train"),
        ("general", "train"),
        ("dev", "valid"),
        ("Validation", "valid"),
        ("TEST", "test"),
        ("x", None),
    ],
)
def test_a_split_is_known_by_its_usual_names_and_others_are_told(given: str, split: str | None, column: str) -> None:
    annotations, warned = match({"metadata.csv": f"file_name,text,{column}\na.wav,t,{given}\n"}, ["a.wav"])
    assert annotations["a.wav"].split == split
    assert ("unknown_split" in warned) == (split is None)


@pytest.mark.parametrize("audio", ["wavs/a.wav", "a.wav", "other/deep/a.opus", "wavs/a.flac"])
def test_row_finds_its_file_by_the_nearest_name(audio: str) -> None:
    annotations, _ = match({"set/metadata.csv": "file_name,text\nwavs/a.wav,found\n"}, [audio, "b.wav"])
    assert annotations == {audio: Annotation("found")}


def test_name_with_dots_is_not_cut() -> None:
    annotations, _ = match({"metadata.csv": "v1.2.a|one\nv1.2.b|two\n"}, ["wavs/v1.2.a.wav", "wavs/v1.2.b.wav"])
    assert [annotation.text for annotation in annotations.values()] == ["one", "two"]


def test_exact_name_wins_over_base_name() -> None:
    table = "file_name,text\na.wav,top\nx/a.wav,inner\n"
    annotations, warned = match({"metadata.csv": table}, ["a.wav", "x/a.wav"])
    assert (annotations["a.wav"].text, annotations["x/a.wav"].text) == ("top", "inner")
    assert not warned


def test_ambiguous_names_are_left_out_with_a_warning() -> None:
    one_for_two = match({"metadata.csv": "a|which\n"}, ["x/a.wav", "y/a.wav"])
    assert one_for_two == ({}, ["ambiguous_transcript"])
    two_for_one = match({"metadata.csv": "file_name,text\nx/a.wav,one\ny/a.wav,two\n"}, ["a.wav"])
    assert two_for_one == ({}, ["ambiguous_transcript"])


def test_same_row_twice_is_no_conflict() -> None:
    annotations, warned = match({"metadata.csv": "a|one\na|one\n"}, ["a.wav"])
    assert annotations == {"a.wav": Annotation("one")}
    assert not warned


def test_sidecar_text_goes_before_the_table_which_still_gives_the_split() -> None:
    files = {"metadata.csv": "file_name,text,split\na.wav,table,test\n", "a.txt": "sidecar"}
    assert match(files, ["a.wav"])[0] == {"a.wav": Annotation("sidecar", "test")}


def test_rows_without_audio_are_counted_with_examples() -> None:
    table = "".join(f"gone-{i}|text number {i}\n" for i in range(9))
    assert read({"metadata.csv": table}, ["a.wav"]).warnings == {
        "transcript_without_audio": [f"gone-{i}" for i in range(5)]
    }


def test_composed_and_decomposed_letters_are_the_same_name() -> None:
    annotations, _ = match({"metadata.csv": "file_name,text\nu\u0308.wav,found\n"}, ["\u00fc.wav"])
    assert annotations["\u00fc.wav"].text == "found"


@pytest.mark.parametrize(
    "data", [b"file_name,text\n,\n/,x\n..,y\n\0,z\n", b"|\n||\n/|x\n", b'"|"\n"\n', b"file_name\n"]
)
def test_odd_tables_do_no_harm(data: bytes) -> None:
    assert not read({"metadata.csv": data}, ["a.wav"]).annotations


def test_two_transcripts_of_one_name_are_told() -> None:
    transcripts = Transcripts(Notices())
    transcripts.add_file("a.txt", b"One")
    with pytest.raises(InvalidAudio) as raised:
        transcripts.add_file("a.txt", b"Two")
    assert raised.value.code == "duplicate_name"


READ = ["a.txt", "x/B.TXT", "metadata.csv", "x/any.jsonl", "a.tsv", "m.json", "a.srt", "a.vtt", "a.lrc", "a.lab"]


@pytest.mark.parametrize("name", [*READ, "data/text", "wav.scp", "etc/txt.done.data"])
def test_which_files_are_read_as_transcripts(name: str) -> None:
    assert is_transcript(name)


@pytest.mark.parametrize("name", ["a.pdf", "txt", "notes.docx", "csv", "a.txt.bak", "context"])
def test_which_files_are_not(name: str) -> None:
    assert not is_transcript(name)


@given(
    st.sampled_from([*READ, "text", "wav.scp", "a.trans.txt", "a.json"]),
    st.one_of(st.binary(max_size=200), st.text('file_name,text|;\t\n"\\{}[]:a.wv/ 0-->', max_size=200).map(str.encode)),
)
def test_whatever_the_bytes_it_is_read_or_refused(name: str, data: bytes) -> None:
    for annotation in read({name: data}, ["a.wav", "x/b.wav"]).annotations.values():
        assert annotation.text is None or annotation.text == " ".join(annotation.text.split())

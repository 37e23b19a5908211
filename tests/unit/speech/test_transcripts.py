"""Three forms of transcripts, matched with audio by name."""

import contextlib
import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.speech import matching
from adaptwin_core.speech.claims import Line
from adaptwin_core.speech.notices import Notices
from adaptwin_core.speech.transcripts import Transcripts, is_transcript


def match(files: Mapping[str, str | bytes], audio: list[str]) -> tuple[dict[str, Line], dict[str, int]]:
    notices = Notices()
    transcripts = Transcripts(notices)
    for name, content in files.items():
        transcripts.add_file(name, content.encode() if isinstance(content, str) else content)
    return matching.match(transcripts.claims, audio, [], notices), {w["code"]: w["count"] for w in notices.warnings}


def test_sidecars_lie_next_to_their_audio() -> None:
    files = {"x/a.txt": "\ufeffOne\r\n two.\r\n", "y/a.txt": "Three", "b.txt": "  \n"}
    lines, warned = match(files, ["x/a.wav", "y/a.opus", "b.wav"])
    assert lines == {"x/a.wav": Line("One two."), "y/a.opus": Line("Three"), "b.wav": Line(None)}
    assert not warned


def test_ljspeech_prefers_the_normalised_column() -> None:
    table = 'LJ-1|in 1,455|in fourteen fifty-five\r\nLJ-2|"Quoted, text\nLJ-3|only raw|\nbroken line\n'
    lines, warned = match({"LJ/metadata.csv": table}, ["LJ/wavs/LJ-1.wav", "LJ/wavs/LJ-2.wav", "LJ/wavs/LJ-3.wav"])
    assert [line.text for line in lines.values()] == ["in fourteen fifty-five", '"Quoted, text', "only raw"]
    assert warned == {"unreadable_row": 1}


@pytest.mark.parametrize("column", ["transcription", "text", "sentence", "transcript"])
def test_audiofolder_csv(column: str) -> None:
    table = f'file_name,{column},split,seconds\n./a.wav,"Hello, ""you""",validation,1.0\nd/b.wav,Two\nlines\n'
    lines, warned = match({"s/metadata.csv": "\ufeff" + table}, ["s/a.wav", "s/d/b.wav"])
    assert lines["s/a.wav"] == Line('Hello, "you"', "valid")
    assert lines["s/d/b.wav"] == Line("Two", None)
    assert warned == {"transcript_without_audio": 1}  # the line that a missing quote broke off


def test_audiofolder_jsonl() -> None:
    rows = [{"file_name": "a.wav", "text": "Hello", "split": "test"}, {"text": "no name"}, ["x"], {"file_name": 7}]
    table = "\n".join(json.dumps(row) for row in rows) + "\n{broken\n\n"
    lines, warned = match({"metadata.jsonl": table}, ["a.wav"])
    assert lines == {"a.wav": Line("Hello", "test")}
    assert warned == {"unreadable_row": 4}


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
def test_split_names(given: str, split: str | None) -> None:
    lines, warned = match({"metadata.csv": f"file_name,text,split\na.wav,t,{given}\n"}, ["a.wav"])
    assert lines["a.wav"].split == split
    assert ("unknown_split" in warned) == (split is None)


@pytest.mark.parametrize("audio", ["wavs/a.wav", "a.wav", "other/deep/a.opus", "wavs/a.flac"])
def test_row_finds_its_file_by_the_nearest_name(audio: str) -> None:
    lines, _ = match({"set/metadata.csv": "file_name,text\nwavs/a.wav,found\n"}, [audio, "b.wav"])
    assert lines == {audio: Line("found")}


def test_name_with_dots_is_not_cut() -> None:
    lines, _ = match({"metadata.csv": "v1.2.a|one\nv1.2.b|two\n"}, ["wavs/v1.2.a.wav", "wavs/v1.2.b.wav"])
    assert [line.text for line in lines.values()] == ["one", "two"]


def test_exact_name_wins_over_base_name() -> None:
    table = "file_name,text\na.wav,top\nx/a.wav,inner\n"
    lines, warned = match({"metadata.csv": table}, ["a.wav", "x/a.wav"])
    assert (lines["a.wav"].text, lines["x/a.wav"].text) == ("top", "inner")
    assert not warned


def test_ambiguous_names_are_left_out_with_a_warning() -> None:
    one_for_two = match({"metadata.csv": "a|which\n"}, ["x/a.wav", "y/a.wav"])
    assert one_for_two == ({}, {"ambiguous_transcript": 1})
    two_for_one = match({"metadata.csv": "file_name,text\nx/a.wav,one\ny/a.wav,two\n"}, ["a.wav"])
    assert two_for_one == ({}, {"ambiguous_transcript": 1})


def test_same_row_twice_is_no_conflict() -> None:
    lines, warned = match({"metadata.csv": "a|one\na|one\n"}, ["a.wav"])
    assert lines == {"a.wav": Line("one")}
    assert not warned


def test_sidecar_text_goes_before_the_table_which_still_gives_the_split() -> None:
    files = {"metadata.csv": "file_name,text,split\na.wav,table,test\n", "a.txt": "sidecar"}
    assert match(files, ["a.wav"])[0] == {"a.wav": Line("sidecar", "test")}


def test_rows_without_audio_are_counted_with_examples() -> None:
    notices = Notices()
    transcripts = Transcripts(notices)
    transcripts.add_file("metadata.csv", "".join(f"gone-{i}|text\n" for i in range(9)).encode())
    matching.match(transcripts.claims, ["a.wav"], [], notices)
    [warning] = notices.warnings
    assert (warning["code"], warning["count"]) == ("transcript_without_audio", 9)
    assert warning["examples"] == [f"gone-{i}" for i in range(5)]


def test_composed_and_decomposed_letters_are_the_same_name() -> None:
    lines, _ = match({"metadata.csv": "file_name,text\nu\u0308.wav,found\n"}, ["\u00fc.wav"])
    assert lines["\u00fc.wav"].text == "found"


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("a.txt", "grün".encode("latin-1"), "transcript_encoding"),
        ("a.txt", "text".encode("utf-16"), "transcript_encoding"),
        ("metadata.csv", b"path,words\na.wav,hello\n", "transcript_form"),
        ("metadata.csv", b"", "transcript_form"),
        ("metadata.csv", b"file_name,text\na.wav," + b"x" * 200_000, "transcript_form"),
        ("metadata.csv", b"x" * 200_000, "transcript_form"),
    ],
)
def test_unusable_transcript_files_are_refused(name: str, data: bytes, code: str) -> None:
    with pytest.raises(InvalidAudio) as raised:
        match({name: data}, ["a.wav"])
    assert raised.value.code == code


@pytest.mark.parametrize(
    "data", [b"file_name,text\n,\n/,x\n..,y\n\0,z\n", b"|\n||\n/|x\n", b'"|"\n"\n', b"file_name\n"]
)
def test_odd_tables_do_no_harm(data: bytes) -> None:
    lines, _ = match({"metadata.csv": data}, ["a.wav"])
    assert not lines


def test_which_files_are_read_as_transcripts() -> None:
    assert all(map(is_transcript, ("a.txt", "x/B.TXT", "metadata.csv", "x/metadata.jsonl")))
    assert not any(map(is_transcript, ("a.csv", "my-metadata.csv", "a.json", "txt")))


@given(
    st.sampled_from(["metadata.csv", "x/metadata.jsonl", "a.txt"]),
    st.one_of(st.binary(max_size=200), st.text('file_name,text|\n"\\{}:a.wv/', max_size=200).map(str.encode)),
)
def test_whatever_the_bytes_it_is_read_or_refused(name: str, data: bytes) -> None:
    with contextlib.suppress(InvalidAudio):
        match({name: data}, ["a.wav", "x/b.wav"])

"""A folder of a person's disk: everything in it is read, or told of."""

import os
from pathlib import Path

import pytest

from adaptwin_core.domain.hidden_names import is_hidden
from adaptwin_core.speech.files.sources import read_folder
from tests.unit.speech.sounds import build, rejects, voice, warnings, wav_bytes, write


def names(folder: Path) -> list[str]:
    return [source.name for source in read_folder(folder)]


def test_links_to_files_and_folders_are_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    for i in range(3):
        write(elsewhere / "deep" / f"{i}.wav", voice(1.0, i))
        (elsewhere / "deep" / f"{i}.txt").write_text(f"text {i}")
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.wav").symlink_to(elsewhere / "deep" / "0.wav")
    (folder / "a.txt").symlink_to(elsewhere / "deep" / "0.txt")
    (elsewhere / "deep" / "0.wav").rename(elsewhere / "0.wav")
    (folder / "a.wav").unlink()
    (folder / "a.wav").symlink_to("../elsewhere/0.wav")
    (folder / "more").symlink_to(elsewhere / "deep")
    corpus = build(folder, tmp_path / "out")
    assert {clip.recording: clip.text for clip in corpus.clips} == {
        "a.wav": "text 0",
        "more/1.wav": "text 1",
        "more/2.wav": "text 2",
    }


def test_what_cannot_be_followed_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    write(folder / "wavs" / "a.wav", voice(1.0))
    (folder / "broken.wav").symlink_to(tmp_path / "gone.wav")
    (folder / "circle.wav").symlink_to("circle.wav")
    (folder / "again").symlink_to("wavs")
    (folder / "wavs" / "up").symlink_to(folder)
    (folder / "above").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe.wav")
    corpus = build(folder, tmp_path / "out")
    odd = ("broken.wav", "circle.wav", "again", "wavs/up", "above", "pipe.wav")
    assert rejects(corpus) == dict.fromkeys(odd, "not_a_file")
    assert [clip.recording for clip in corpus.clips] == ["wavs/a.wav"]


def test_folders_that_link_to_each_other_are_read_once(tmp_path: Path) -> None:
    write(tmp_path / "one" / "a.wav", voice(1.0, 1))
    write(tmp_path / "two" / "b.wav", voice(1.0, 2))
    (tmp_path / "one" / "two").symlink_to(tmp_path / "two")
    (tmp_path / "two" / "one").symlink_to(tmp_path / "one")
    assert names(tmp_path / "one") == ["a.wav", "two/b.wav", "two/one"]


def test_a_store_under_hashes_is_read_by_the_names_that_link_to_it(tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / "0123abcd").write_bytes(wav_bytes(1.0, 1))
    (tmp_path / "snapshots").mkdir()
    (tmp_path / "snapshots" / "a.wav").symlink_to("../blobs/0123abcd")
    assert names(tmp_path) == ["snapshots/a.wav"]


@pytest.mark.parametrize(
    "hidden", [".hidden.wav", "._a.wav", ".git/a.wav", "__MACOSX/a.wav", "Thumbs.db", "desktop.ini"]
)
def test_hidden_files_are_passed_over_and_named(tmp_path: Path, hidden: str) -> None:
    assert is_hidden(hidden)
    write(tmp_path / "in" / "a.wav", voice(1.0))
    (tmp_path / "in" / hidden).parent.mkdir(exist_ok=True)
    (tmp_path / "in" / hidden).write_bytes(b"x")
    corpus = build(tmp_path / "in", tmp_path / "out")
    [warning] = [warning for warning in corpus.warnings if warning.code == "hidden_files"]
    assert warning.count == 1
    assert hidden.startswith(warning.examples[0])
    assert not corpus.rejects


def test_a_name_that_begins_with_an_ellipsis_is_not_hidden(tmp_path: Path) -> None:
    write(tmp_path / "in" / "...and then.wav", voice(1.0))
    (tmp_path / "in" / "...and then.txt").write_text("and then")
    corpus = build(tmp_path / "in", tmp_path / "out")
    assert [(clip.recording, clip.text) for clip in corpus.clips] == [("...and then.wav", "and then")]
    assert "hidden_files" not in warnings(corpus)


@pytest.mark.parametrize("name", ["a.wav", "x/b.mp3", "c"])
def test_empty_files_are_called_empty(tmp_path: Path, name: str) -> None:
    write(tmp_path / "in" / "good.wav", voice(1.0))
    (tmp_path / "in" / name).parent.mkdir(exist_ok=True)
    (tmp_path / "in" / name).touch()
    corpus = build(tmp_path / "in", tmp_path / "out")
    assert rejects(corpus) == {name: "empty_file"}


def test_names_in_an_old_encoding_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for i, name in enumerate(("Größe", "Grüße")):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + f"{name}.wav".encode("latin-1"))).write_bytes(wav_bytes(1.0, i))
    (folder / "metadata.csv").write_text("file_name,text\nGröße.wav,size\nGrüße.wav,greetings\n", encoding="utf-8")
    corpus = build(folder, tmp_path / "out")
    assert {clip.recording: clip.text for clip in corpus.clips} == {"Größe.wav": "size", "Grüße.wav": "greetings"}


def test_a_path_that_is_no_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError):
        read_folder(write(tmp_path / "a.wav", voice(1.0)))

"""Which files of a folder are sent."""

import os
from pathlib import Path

import pytest

from adaptwin_core.client import NothingToSend
from adaptwin_core.client.folder import file_at, files_in
from adaptwin_core.speech.files.sources import is_hidden, read_folder


def write(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def names(folder: Path) -> list[str]:
    return [file.name for file in files_in(folder)[0]]


def test_a_folder_is_sent_as_it_is_read_from_a_disk(tmp_path: Path) -> None:
    folder = tmp_path / "ada"
    for name in ("b.wav", "a.txt", "deep/er/c.wav", "...and then.wav", ".hidden", ".git/config", "Thumbs.db"):
        write(folder / name)
    write(tmp_path / "elsewhere" / "d.wav")
    (folder / "a link").symlink_to(tmp_path / "elsewhere")
    (folder / "back").symlink_to(folder)
    (folder / "up").symlink_to(tmp_path)
    (folder / "again").symlink_to(folder / "deep")
    read = [source.name for source in read_folder(folder) if source.path.is_file() and not is_hidden(source.name)]
    assert names(folder) == read == ["...and then.wav", "a link/d.wav", "a.txt", "b.wav", "deep/er/c.wav"]


def test_what_cannot_be_sent_is_told(tmp_path: Path) -> None:
    write(tmp_path / "a.wav")
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "two\nlines.wav").write_text("x")
    Path(os.fsdecode(bytes(tmp_path) + b"/\xff.wav")).write_text("x")
    files, left_out = files_in(tmp_path)
    assert [file.name for file in files] == ["a.wav"]
    assert {one.name for one in left_out} == {"broken", "pipe", "two\nlines.wav", "\ufffd.wav"}
    assert all(one.why for one in left_out)


def test_a_folder_without_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    with pytest.raises(NothingToSend, match="holds no file that can be sent; broken: it is a broken link"):
        files_in(tmp_path)
    with pytest.raises(NothingToSend, match="is not a folder"):
        files_in(tmp_path / "missing")
    with pytest.raises(NothingToSend, match="missing cannot be sent"):
        file_at(tmp_path / "missing")


def test_one_file_may_have_another_name(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", "abc")
    assert (file_at(path).name, file_at(path, "deep/b.wav").name) == ("a.wav", "deep/b.wav")
    assert file_at(path).num_bytes == 3


@pytest.mark.parametrize("name", ["", "a\x01b.wav", "x" * 1025, "é" * 513])
def test_a_name_that_the_service_refuses_is_not_sent(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "a.wav")
    with pytest.raises(NothingToSend, match="its name is empty, or has control characters or more than 1024 bytes"):
        file_at(path, name)
    assert file_at(path, "é" * 512).num_bytes == 1

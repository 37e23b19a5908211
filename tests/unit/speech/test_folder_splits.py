"""Folders called `train` and `test` keep their recordings apart."""

from pathlib import Path

import pytest

from adaptwin_core.speech.folder_splits import splits_by_folder
from tests.unit.speech.sounds import build, voice, write


@pytest.mark.parametrize(
    ("folders", "splits"),
    [
        (["train", "test"], ["train", "test"]),
        (["data/train", "data/validation", "data/test"], ["train", "valid", "test"]),
        (["train/anna", "test/anna"], ["train", "test"]),
        (["audio/train", "audio/dev"], ["train", "valid"]),
        (["LibriSpeech/train-clean-100/84", "LibriSpeech/dev-clean/85"], ["train", "valid"]),
        (["Train", "TEST", "other"], ["train", "test", None]),
        (["train/test", "test/train"], ["train", "test"]),
        (["test", "wavs"], [None, None]),
        (["train", "training"], [None, None]),
        (["train", "wavs"], [None, None]),
        (["testimony", "trains"], [None, None]),
        (["test", "x/train"], [None, None]),
        (["general", "test"], [None, None]),
    ],
)
def test_folders_at_one_depth_that_say_different_splits(folders: list[str], splits: list[str | None]) -> None:
    found = splits_by_folder([f"{folder}/a.wav" for folder in folders])
    assert [found.get(f"{folder}/a.wav") for folder in folders] == splits


def test_recordings_stay_in_the_split_of_their_folder_unless_a_table_says_another(tmp_path: Path) -> None:
    for i in range(12):
        folder = ("train", "test", "dev")[i % 3]
        write(tmp_path / "in" / folder / f"{i:02}.wav", voice(1.0, i))
        with (tmp_path / "in" / folder / "metadata.csv").open("a") as table:
            table.write(f"{i:02}|text {i}\n")
    (tmp_path / "in" / "metadata.csv").write_text("file_name,text,split\ntrain/00.wav,text 0,test\n")
    corpus = build(tmp_path / "in", tmp_path / "out")
    assert {clip.recording: clip.split for clip in corpus.clips} == {
        f"{folder}/{i:02}.wav": "test" if i == 0 else split
        for i in range(12)
        for folder, split in [(("train", "train"), ("test", "test"), ("dev", "valid"))[i % 3]]
    }
    assert all(clip.text == f"text {int(clip.recording[-6:-4])}" for clip in corpus.clips)

"""One recording in several encodings is read once: never in training and in the test."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptwin_core.speech.annotations import Annotation
from adaptwin_core.speech.corpus import Corpus
from adaptwin_core.speech.matching.same_recording import Versions
from tests.unit.speech.sounds import RATE_HZ, build, encode, rejects, voice, write


def make(folder: Path, files: Mapping[str, int | str | bytes]) -> Path:
    """Write sounds by their seed, texts and bytes by their content."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif isinstance(content, str):
            path.write_text(content)
        elif path.suffix == ".m4a":
            encode(path, voice(1.0, content), RATE_HZ, "aac")
        else:
            write(path, voice(1.0, content))
    return folder


def texts(corpus: Corpus) -> dict[str, str | None]:
    return {clip.recording: clip.text for clip in corpus.clips}


@pytest.mark.parametrize(
    ("files", "kept"),
    [
        ({"a.m4a": 1, "a.wav": 1, "a.txt": "text"}, "a.wav"),
        ({"a.flac": 1, "a.m4a": 1, "a.mp3": 1, "metadata.csv": "a|text"}, "a.flac"),
        ({"a.m4a": 1, "a.mp3": 1, "a.txt": "text"}, "a.m4a"),
        ({"v/x_mic1.flac": 1, "v/x_mic2.flac": 2, "txt/v/x.txt": "text"}, "v/x_mic1.flac"),
        ({"wav/a.wav": 1, "mp3/a.mp3": 1, "metadata.csv": "a|text"}, "wav/a.wav"),
        ({"wav/a.wav": 1, "mp3/a.mp3": 1, "wav/a.txt": "text"}, "wav/a.wav"),
        ({"clips/a.mp3": 1, "clips_wav/a.wav": 1, "metadata.csv": "a|text"}, "clips_wav/a.wav"),
        ({"clips/a.mp3": 1, "clips_wav/a.wav": 1, "metadata.csv": "file_name,text\na.mp3,text"}, "clips_wav/a.wav"),
    ],
)
def test_one_encoding_is_kept_with_its_text(tmp_path: Path, files: dict[str, int | str], kept: str) -> None:
    corpus = build(make(tmp_path / "in", files), tmp_path / "out")
    others = [name for name, content in files.items() if isinstance(content, int) and name != kept]
    assert texts(corpus) == {kept: "text"}
    assert rejects(corpus) == dict.fromkeys(others, "same_recording")
    assert all(kept in reject.reason for reject in corpus.rejects)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"day1/a.wav": 1, "day2/a.m4a": 2}, {"day1/a.wav": None, "day2/a.m4a": None}),
        ({"day1/a.wav": 1, "day2/a.wav": 2, "metadata.csv": "day1/a|x"}, {"day1/a.wav": "x", "day2/a.wav": None}),
        ({"a.wav": 1, "a.m4a": 2, "metadata.csv": "a.wav|x\na.m4a|y"}, {"a.wav": "x", "a.m4a": "y"}),
        ({"wav/a.wav": 1, "mp3/a.mp3": 2, "wav/a.txt": "x", "mp3/a.txt": "y"}, {"wav/a.wav": "x", "mp3/a.mp3": "y"}),
        ({"wavs/a.wav": 1, "phone/a.m4a": 2, "wavs/a.txt": "x"}, {"wavs/a.wav": "x", "phone/a.m4a": None}),
        ({"a.wav": 1, "A.wav": 2}, {"a.wav": None, "A.wav": None}),
        ({"take.7.wav": 1, "take.m4a": 2}, {"take.7.wav": None, "take.m4a": None}),
    ],
)
def test_two_recordings_that_share_a_name_stay_two(
    tmp_path: Path, files: dict[str, int | str], expected: dict[str, str | None]
) -> None:
    corpus = build(make(tmp_path / "in", files), tmp_path / "out")
    assert texts(corpus) == expected
    assert not corpus.rejects


def test_where_the_better_encoding_is_broken_the_other_is_read(tmp_path: Path) -> None:
    broken = b"fLaC" + bytes(100)
    folder = make(tmp_path / "in", {"a.flac": broken, "a.m4a": 1, "a.mp3": 1, "a.txt": "text", "b.wav": 2})
    corpus = build(folder, tmp_path / "out")
    assert texts(corpus) == {"b.wav": None, "a.m4a": "text"}
    assert rejects(corpus) == {"a.flac": "decode_failed", "a.mp3": "same_recording"}


def test_a_refused_encoding_leaves_its_text_to_the_one_that_is_read(tmp_path: Path) -> None:
    folder = make(tmp_path / "in", {"a.wma": b"\x30\x26\xb2\x75" + bytes(50), "a.m4a": 1, "metadata.csv": "a.wma|text"})
    corpus = build(folder, tmp_path / "out")
    assert texts(corpus) == {"a.m4a": "text"}
    assert rejects(corpus) == {"a.wma": "not_audio"}


def test_no_recording_is_trained_on_and_tested_with(tmp_path: Path) -> None:
    files = {f"{kind}/{i:02}.{kind}": i for i in range(20) for kind in ("wav", "mp3")}
    corpus = build(make(tmp_path / "in", files), tmp_path / "out")
    assert sorted(clip.recording for clip in corpus.clips) == [f"wav/{i:02}.wav" for i in range(20)]
    assert {clip.split for clip in corpus.clips} == {"train", "valid", "test"}


NAMES = st.lists(
    st.builds(
        lambda folder, stem, form: f"{folder}{stem}.{form}",
        st.sampled_from(["", "wav/", "mp3/", "day1/", "x/wav/", "x/mp3/"]),
        st.sampled_from(["a", "b", "a_mic1", "a_mic2", "a.1"]),
        st.sampled_from(["wav", "mp3", "m4a", "WAV", "7"]),
    ),
    unique=True,
    max_size=12,
)


@given(NAMES, st.dictionaries(st.integers(0, 11), st.sampled_from(["one", "two"])))
def test_every_file_is_read_or_named_with_the_one_that_is(names: list[str], said: dict[int, str]) -> None:
    annotations = {names[i]: Annotation(text) for i, text in said.items() if i < len(names)}
    versions = Versions(names, annotations)
    unread = dict(versions.unread())
    assert versions.first.isdisjoint(unread)
    assert versions.first | set(unread) == set(names)
    assert set(unread.values()) <= versions.first
    for other, kept in unread.items():
        assert len({annotations[name] for name in (other, kept) if name in annotations}) <= 1


@given(NAMES)
def test_what_cannot_be_used_is_replaced_until_nothing_is_left(names: list[str]) -> None:
    versions = Versions(names, {})
    tried: list[str] = []
    wanted = versions.first
    while wanted:
        tried += wanted
        wanted = versions.instead_of(set(tried))
    assert sorted(tried) == sorted(names)
    assert not list(versions.unread())

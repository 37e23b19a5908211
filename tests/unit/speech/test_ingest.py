"""A folder in, a corpus out."""

import random
from pathlib import Path

import numpy as np
import pytest
import soundfile

from adaptwin_core.domain.errors import CorruptBlob, InvalidAudio
from adaptwin_core.speech.corpus import Corpus
from adaptwin_core.speech.files.sources import label, read_folder
from adaptwin_core.speech.ingest import Limits, SourceFile, build_corpus
from tests.unit.speech.sounds import build, build_files, rejects, voice, warnings, write


@pytest.fixture(scope="module")
def speaker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty labelled clips, and some of what goes wrong."""
    folder = tmp_path_factory.mktemp("speaker")
    for i in range(20):
        write(folder / "wavs" / f"{i:02}.wav", voice(1.0 + 0.1 * i, i), subtype="PCM_16")
    (folder / "metadata.csv").write_text("".join(f"{i:02}|raw {i}|clip number {i}\n" for i in range(20)))
    write(folder / "again.flac", soundfile.read(folder / "wavs" / "05.wav", dtype="int16")[0])
    write(folder / "short.wav", voice(0.19, 50))
    write(folder / "silent.wav", np.zeros(32_000))
    write(folder / "loud.wav", np.clip(voice(2.0, 51) * 40, -1, 1))
    (folder / "notes.pdf").write_bytes(b"%PDF-1.4")
    (folder / "latin.txt").write_bytes("ni\u00f1o".encode("latin-1"))
    (folder / ".hidden.wav").write_bytes(b"x")
    return folder


@pytest.fixture(scope="module")
def corpus(speaker: Path, tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return build(speaker, tmp_path_factory.mktemp("corpus") / "out")


def test_every_file_is_used_or_rejected_with_a_reason(corpus: Corpus) -> None:
    assert rejects(corpus) == {
        "latin.txt": "transcript_encoding",
        "notes.pdf": "not_audio",
        "short.wav": "too_short",
        "silent.wav": "silent",
        "wavs/05.wav": "duplicate",
    }
    assert all(reject.reason for reject in corpus.rejects)
    assert len(corpus.clips) == 21
    assert corpus.seconds == pytest.approx(sum(1.0 + 0.1 * i for i in range(20)) + 2.0)
    assert warnings(corpus) == {"clipped": 1, "hidden_files": 1}


def test_texts_belong_to_their_sounds(corpus: Corpus) -> None:
    for clip in corpus.clips:
        if clip.recording.startswith("wavs/"):
            number = int(clip.recording[5:7])
            assert clip.text == f"clip number {number}"
            expected = voice(1.0 + 0.1 * number, number)
            assert np.abs(corpus.audio(clip) - expected).max() < 1e-4


def test_splits_share_no_recording(corpus: Corpus) -> None:
    names = {split: {clip.recording for clip in corpus.split(split)} for split in ("train", "valid", "test")}
    assert all(names.values())
    assert sum(map(len, names.values())) == len(set.union(*names.values())) == 21


def test_corpus_loads_as_it_was_written(corpus: Corpus) -> None:
    loaded = Corpus.load(corpus.folder)
    assert loaded == corpus
    assert (
        sorted(loaded.files()) == ["corpus.json", "shard-0000.flac"] == sorted(p.name for p in corpus.folder.iterdir())
    )
    assert loaded.report().model_validate_json(loaded.report().model_dump_json()) == loaded.report()
    assert loaded.report().labelled == 19


def test_altered_manifest_is_not_loaded(corpus: Corpus, tmp_path: Path) -> None:
    text = (corpus.folder / "corpus.json").read_text()
    for bad in (text.replace("clip number 3", "clip number 4"), text[:-5], "[]", '{"version":1}'):
        (tmp_path / "corpus.json").write_text(bad)
        with pytest.raises(CorruptBlob):
            Corpus.load(tmp_path)
    (tmp_path / "corpus.json").write_text(text)
    loaded = Corpus.load(tmp_path)
    with pytest.raises(CorruptBlob, match="shard-0000"):
        loaded.audio(loaded.clips[0])


def test_same_files_in_any_order_and_place_give_the_same_bytes(speaker: Path, corpus: Corpus, tmp_path: Path) -> None:
    sources = read_folder(speaker)
    random.Random(1).shuffle(sources)
    again = build_corpus(sources, tmp_path / "out", Limits())
    assert again.digest == corpus.digest
    for name, path in again.files().items():
        assert path.read_bytes() == (corpus.folder / name).read_bytes()


def test_other_speech_or_overruled_transcript_gives_another_digest(tmp_path: Path) -> None:
    a, b = (write(tmp_path / f"{i}.wav", voice(1.0, i)) for i in range(2))
    (tmp_path / "t").write_text("hello")
    digests = [
        build_files(files, tmp_path / f"out{i}").digest
        for i, files in enumerate(({"x.wav": a}, {"x.wav": b}, {"x.wav": a, "x.txt": tmp_path / "t"}))
    ]
    assert len(set(digests)) == 3


def test_two_files_of_one_name(tmp_path: Path) -> None:
    a, b = (write(tmp_path / f"{i}.wav", voice(1.0, i)) for i in range(2))
    one = build_corpus([SourceFile("x.wav", a), SourceFile("./x.wav", b)], tmp_path / "one", Limits())
    two = build_corpus([SourceFile("x.wav", b), SourceFile("x.wav", a)], tmp_path / "two", Limits())
    assert rejects(one) == {"x.wav": "duplicate_name"}
    assert one.digest == two.digest


def test_long_recording_is_cut_and_loses_its_text(tmp_path: Path) -> None:
    samples = np.concatenate([voice(100.0, 1), np.zeros(80 * 16_000, np.float32), np.tile(voice(70.0, 2), 10)])
    write(tmp_path / "in" / "talk.wav", samples, subtype="PCM_16")
    (tmp_path / "in" / "talk.txt").write_text("all that was said")
    corpus = build(tmp_path / "in", tmp_path / "out")
    assert {clip.text for clip in corpus.clips} == {None}
    assert max(clip.seconds for clip in corpus.clips) <= 28
    assert 800 <= corpus.seconds < 880
    found = warnings(corpus)
    assert found["long_clip_unlabelled"] == 1
    assert found["silent_parts"] >= 1
    assert [shard["name"] for shard in corpus.shards] == ["shard-0000.flac", "shard-0001.flac"]
    assert all(shard["num_samples"] <= 600 * 16_000 for shard in corpus.shards)
    order = [clip.split for clip in corpus.clips]
    assert order == sorted(order, key=("train", "valid", "test").index)
    last = corpus.clips[-1]
    assert np.abs(corpus.audio(last) - samples[-last.num_samples :]).max() < 1e-4


def test_text_that_cannot_fit_the_sound_is_told(tmp_path: Path) -> None:
    write(tmp_path / "in" / "a.wav", voice(2.0, 1))
    write(tmp_path / "in" / "b.wav", voice(8.0, 2))
    (tmp_path / "in" / "a.txt").write_text("far too many words for two seconds " * 5)
    (tmp_path / "in" / "b.txt").write_text("hm")
    corpus = build(tmp_path / "in", tmp_path / "out")
    assert warnings(corpus)["text_mismatch"] == 2
    assert corpus.report().labelled == 2


@pytest.mark.parametrize("files", [{}, {"a.txt": b"words"}, {"a.wav": b"words", "b.wav": b"RIFF....WAVE"}])
def test_set_without_speech_is_an_error_that_says_why(tmp_path: Path, files: dict[str, bytes]) -> None:
    (tmp_path / "in").mkdir()
    for name, data in files.items():
        (tmp_path / "in" / name).write_bytes(data)
    with pytest.raises(InvalidAudio) as raised:
        build(tmp_path / "in", tmp_path / "out")
    assert raised.value.code == "no_audio"
    assert all(name in raised.value.message for name in files if name.endswith(".wav"))


def test_set_that_takes_too_long_is_an_error(tmp_path: Path) -> None:
    write(tmp_path / "in" / "a.wav", voice(1.0))
    with pytest.raises(InvalidAudio) as raised:
        build(tmp_path / "in", tmp_path / "out", max_wall_s=0.0)
    assert raised.value.code == "too_slow"


def test_progress_ends_at_the_whole(speaker: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int, float]] = []

    def progress(done: int, total: int, /, **figures: float) -> None:
        seen.append((done, total, figures["seconds"]))

    build_corpus(read_folder(speaker), tmp_path / "out", Limits(), progress)
    num_files, total_files, decoded_s = seen[-1]
    assert num_files == total_files == 24
    assert decoded_s == pytest.approx(44.69)
    assert [seconds for *_, seconds in seen] == sorted(seconds for *_, seconds in seen)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("../../a.wav", "a.wav"),
        ("/abs//b/./c.wav", "abs/b/c.wav"),
        ("C:\\x\\y.wav", "x/y.wav"),
        ("\\\\?\\C:\\x\\y.wav", "x/y.wav"),
        ("s3://x/y.wav", "x/y.wav"),
        ("Day 1:/y.wav", "Day 1:/y.wav"),
        ("...and then.wav", "...and then.wav"),
        ("a\x00\x1b[31mb\u202e.wav", "a[31mb.wav"),
        ("", "unnamed"),
        ("..", "unnamed"),
        ("u\u0308.wav", "\u00fc.wav"),
        ("\udcff.wav", "?.wav"),
    ],
)
def test_a_name_becomes_a_label_that_can_be_shown(name: str, expected: str) -> None:
    assert label(name) == expected

"""Which recording a claim means, by names alone. A wrong text is worse than none."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptwin_core.domain.splits import Split
from adaptwin_core.speech.annotations import Annotation, Claim
from adaptwin_core.speech.matching.matching import match
from adaptwin_core.speech.notices import Notices
from tests.unit.speech.sounds import build, rejects, voice, write


def row(key: str, text: str | None, folder: str = "", split: Split | None = None) -> Claim:
    return Claim(key, folder, Annotation(text, split), place="metadata.csv", is_sidecar=False)


def sidecar(name: str, text: str) -> Claim:
    """Return what the text file `name` says: its key is its name without `.txt`."""
    folder, _, leaf = name.removesuffix(".txt").rpartition("/")
    return Claim(leaf, folder, Annotation(text), place=name, is_sidecar=True)


def matched(
    claims: Sequence[Claim], audio: Sequence[str], refused: Sequence[str] = ()
) -> tuple[dict[str, str], dict[str, int]]:
    notices = Notices()
    annotations = match(claims, audio, refused, notices)
    texts = {name: annotation.text for name, annotation in annotations.items() if annotation.text is not None}
    return texts, {warning.code: warning.count for warning in notices.warnings}


@pytest.mark.parametrize(
    "key",
    [
        "LJ001-0001",
        "LJ001-0001.wav",
        "LJ001-0001.mp3",
        "wavs/LJ001-0001",
        "./wavs/LJ001-0001.WAV",
        "../LJSpeech/wavs/LJ001-0001.wav",
        "/data/x/wavs/LJ001-0001.wav",
        "C:\\Users\\anna\\wavs\\LJ001-0001.wav",
        "C:\\Users\\anna\\clips\\LJ001-0001.wav",
        "\\\\server\\share\\LJ001-0001.wav",
        "file:///home/anna/wavs/LJ001%2D0001.wav",
        "s3://bucket/speech/wavs/LJ001-0001.wav",
        "https://example.org/a/LJ001-0001.wav?token=a/b.wav",
        "lj001-0001.wav",
    ],
)
@pytest.mark.parametrize("name", ["LJSpeech/wavs/LJ001-0001.wav", "LJSpeech/LJ001-0001.flac", "LJSpeech/my/LJ001-0001"])
def test_a_row_finds_its_file_however_it_writes_the_path(key: str, name: str) -> None:
    assert matched([row(key, "found", "LJSpeech")], [name, "LJSpeech/wavs/LJ001-0002.wav"])[0] == {name: "found"}


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("take.7", "take.wav"),
        ("take", "take.7"),
        ("v1.2", "v1.wav"),
        ("Mr. Smith", "Mr.wav"),
        ("the end.", "the end.wav"),
        ("1", "0001.wav"),
        ("0001", "1.wav"),
        ("a.wav.bak", "a.wav"),
    ],
)
def test_only_an_extension_of_audio_files_is_an_extension(key: str, name: str) -> None:
    for claim in (row(key, "another"), sidecar(f"{key}.txt", "another")):
        assert matched([claim], [name]) == ({}, {"transcript_without_audio": 1})


@pytest.mark.parametrize("stem", ["take.7", "v1.2", "Mr. Smith", "the end.", "...and then", "a.b.c", "3.wav"])
def test_a_name_with_dots_is_matched_whole(stem: str) -> None:
    audio = [f"{stem}.wav", f"{stem.split('.', maxsplit=1)[0]}x.wav"]
    for claim in (
        row(stem, "text"),
        row(f"{stem}.wav", "text"),
        row(f"{stem}.mp3", "text"),
        sidecar(f"{stem}.txt", "text"),
    ):
        assert matched([claim], audio)[0] == {f"{stem}.wav": "text"}


@pytest.mark.parametrize(
    ("text", "audio"),
    [
        ("text/day1/000.txt", "audio/day1/000.wav"),
        ("set/text/day1/000.txt", "set/audio/day1/000.wav"),
        ("txt/p225/p225_001.txt", "wav48_silence_trimmed/p225/p225_001_mic1.flac"),
        ("transcripts/a.txt", "audio/a.wav"),
        ("transcripts/a.txt", "a.wav"),
        ("labels/a.txt", "anna/a.wav"),
        ("a.txt", "audio/a.wav"),
        ("day1/a.txt", "day1/wav/a.wav"),
        ("day1/txt/a.txt", "day1/wav/a.wav"),
        ("day1_text/a.txt", "day1_audio/a.wav"),
        ("Texte/a.txt", "Aufnahmen/a.wav"),
        ("transcripciones/a.txt", "grabaciones/a.wav"),
        ("тексты/a.txt", "записи/a.wav"),
        ("文本/a.txt", "录音/a.wav"),
        ("day1/a.txt", "day1/A.WAV"),
        ("a.wav.txt", "a.wav"),
    ],
)
def test_texts_in_a_parallel_tree_are_matched(text: str, audio: str) -> None:
    assert matched([sidecar(text, "found")], [audio, "other/b.wav"]) == ({audio: "found"}, {})


@pytest.mark.parametrize(
    ("text", "audio", "refused"),
    [
        ("day2/001.txt", ["day1/001.wav"], ["day2/001.aac"]),
        ("day2/001.txt", ["day1/001.wav", "day2/002.wav"], []),
        ("day2/001.txt", ["day1/001.wav"], ["day2/002.m4a"]),
        ("session2/002.txt", ["session1/002.wav"], []),
        ("kitchen/002.txt", ["garden/002.wav"], []),
        ("text/day2/002.txt", ["audio/day1/002.wav"], []),
        ("day2/text/002.txt", ["day1/audio/002.wav"], []),
        ("day2_text/002.txt", ["day1_audio/002.wav"], []),
        ("day2/002.txt", ["002.wav"], []),
        ("002.txt", ["001.wav", "day1/002.wav"], []),
        ("002.txt", ["day1/002.wav"], ["002.wma"]),
    ],
)
def test_a_text_whose_recording_is_missing_or_refused_stays_without(
    text: str, audio: list[str], refused: list[str]
) -> None:
    assert matched([sidecar(text, "another")], audio, refused) == ({}, {"transcript_without_audio": 1})


def test_a_folder_whose_recordings_have_texts_beside_them_takes_no_others() -> None:
    claims = [sidecar("audio/001.txt", "own"), sidecar("text/002.txt", "another")]
    assert matched(claims, ["audio/001.wav", "audio/002.wav"]) == (
        {"audio/001.wav": "own"},
        {"transcript_without_audio": 1},
    )


@pytest.mark.parametrize(
    ("claim", "audio", "refused"),
    [
        (row("day2/001.wav", "another"), ["day1/001.wav"], []),
        (row("/home/anna/day2/001.wav", "another"), ["day1/001.wav"], []),
        (row("001", "another", "day2"), ["day1/001.wav"], []),
        (row("001", "another", "day2"), ["day1/001.wav", "day2/002.wav"], []),
        (row("wavs/001.wav", "another", "day1"), ["day1/wavs/002.wav", "day2/wavs/001.wav"], []),
        (row("001.aac", "another"), ["day1/002.wav"], ["day1/001.aac"]),
        (row("day2/001", "another"), ["day1/001.wav"], ["day2/001.aac"]),
    ],
)
def test_a_row_whose_recording_is_missing_or_refused_stays_without(
    claim: Claim, audio: list[str], refused: list[str]
) -> None:
    assert matched([claim], audio, refused) == ({}, {"transcript_without_audio": 1})


def test_two_folders_of_a_table_are_not_one_of_the_set() -> None:
    claims = [
        row("/rec/kitchen/001.wav", "one"),
        row("/rec/garden/001.wav", "two"),
        row("/rec/kitchen/002.wav", "three"),
    ]
    texts, warned = matched(claims, ["garden/001.wav", "garden/002.wav"])
    assert (texts, warned) == ({"garden/001.wav": "two"}, {"transcript_without_audio": 2})


def test_a_folder_that_a_table_knows_by_another_name() -> None:
    claims = [row(f"C:\\Users\\anna\\{i:03}.wav", str(i)) for i in range(4)]
    assert matched(claims, [f"mine/{i:03}.wav" for i in range(4)])[0] == {f"mine/{i:03}.wav": str(i) for i in range(4)}


def test_tables_in_several_folders_mean_their_own() -> None:
    claims = [row("001", f"of {day}", day) for day in ("day1", "day2")]
    claims += [row("day2/002.wav", "from above")]
    audio = ["day1/wavs/001.wav", "day2/wavs/001.wav", "backup/day1/001.wav", "x/day2/002.wav"]
    assert matched(claims, audio) == (
        {"day1/wavs/001.wav": "of day1", "day2/wavs/001.wav": "of day2", "x/day2/002.wav": "from above"},
        {},
    )


def test_only_what_is_ambiguous_is() -> None:
    audio = ["x/a.wav", "y/a.wav", "x/b.wav"]
    assert matched([row("a", "which")], audio) == ({}, {"ambiguous_transcript": 1})
    assert matched([row("a", "which")], audio[:1], ["y/a.aac"]) == ({}, {"ambiguous_transcript": 1})
    assert matched([row("y/a", "this"), row("b", "that")], audio) == ({"y/a.wav": "this", "x/b.wav": "that"}, {})
    assert matched([row("a", "one"), row("a", "two")], audio[:1]) == ({}, {"ambiguous_transcript": 1})
    assert matched([row("a", "one"), row("a", "one")], audio[:1]) == ({"x/a.wav": "one"}, {})


def test_the_nearer_text_counts_and_the_other_is_told() -> None:
    texts, warned = matched([row("a.wav", "table"), sidecar("a.txt", "sidecar")], ["a.wav"])
    assert (texts, warned) == ({"a.wav": "sidecar"}, {"overruled_transcript": 1})
    texts, warned = matched([row("x/a.wav", "near"), sidecar("text/a.txt", "far")], ["x/a.wav"])
    assert (texts, warned) == ({"x/a.wav": "near"}, {"overruled_transcript": 1})


def test_an_empty_text_counts_only_where_no_other_has_words() -> None:
    assert matched([sidecar("a.txt", ""), row("a", "words")], ["a.wav"]) == ({"a.wav": "words"}, {})
    assert matched([sidecar("a.txt", ""), row("a", "")], ["a.wav"]) == ({"a.wav": ""}, {})


def test_a_split_and_a_text_from_two_tables_come_together() -> None:
    annotations = match([row("a", "text"), row("a", None, split="test")], ["a.wav"], [], Notices())
    assert annotations == {"a.wav": Annotation("text", "test")}


def test_splits_that_differ_are_ambiguous_and_the_text_stays() -> None:
    notices = Notices()
    annotations = match([row("a", "text", split="train"), row("a", "text", split="test")], ["a.wav"], [], notices)
    assert annotations == {"a.wav": Annotation("text", None)}
    assert [warning.code for warning in notices.warnings] == ["ambiguous_transcript"]


def test_capitals_count_only_where_nothing_else_does() -> None:
    assert matched([row("A.WAV", "text")], ["a.wav"])[0] == {"a.wav": "text"}
    assert matched([row("A", "big"), row("a", "small")], ["A.wav", "a.wav"])[0] == {"A.wav": "big", "a.wav": "small"}
    assert matched([row("AB", "which")], ["Ab.wav", "aB.wav"]) == ({}, {"ambiguous_transcript": 1})


def test_composed_and_decomposed_letters_are_one() -> None:
    claims = [sidecar("texte/u\u0308/a\u0308.txt", "text")]
    assert matched(claims, ["ton/\u00fc/\u00e4.wav"])[0] == {"ton/\u00fc/\u00e4.wav": "text"}


@pytest.mark.parametrize("key", ["p225_001", "p225_001_mic2.flac", "p225_001_mic1"])
def test_what_is_said_of_one_microphone_holds_for_both(key: str) -> None:
    audio = ["p225/p225_001_mic1.flac", "p225/p225_001_mic2.flac"]
    assert matched([row(key, "text")], audio)[0] == dict.fromkeys(audio, "text")


def test_texts_beside_the_audio_are_matched_by_folder() -> None:
    name = "LibriTTS/84/121123/84_121123_000007_000001"
    audio = [f"{name}.wav", "LibriTTS/85/121123/84_121123_000007_000001.wav"]
    assert matched([sidecar(f"{name}.txt", "text")], audio)[0] == {audio[0]: "text"}


def test_a_set_with_gaps_is_taught_only_its_own_texts(tmp_path: Path) -> None:
    for i, name in enumerate(("day1/001", "day1/002", "day3/001", "take", "other")):
        write(tmp_path / "in" / f"{name}.wav", voice(1.0, i))
    files = {
        "day1/001.txt": "own",
        "day2/001.wma": "\x30\x26\xb2\x75",
        "day2/001.txt": "of a refused file",
        "day2/002.txt": "of a missing file",
        "day3/002.txt": "of another missing file",
        "metadata.csv": "take.7|of a missing take\nother|own too\n",
    }
    for name, content in files.items():
        (tmp_path / "in" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "in" / name).write_text(content, encoding="latin-1")
    corpus = build(tmp_path / "in", tmp_path / "out")
    assert {clip.recording: clip.text for clip in corpus.clips if clip.text} == {
        "day1/001.wav": "own",
        "other.wav": "own too",
    }
    assert rejects(corpus) == {"day2/001.wma": "not_audio"}
    [told] = [warning for warning in corpus.warnings if warning.code == "transcript_without_audio"]
    assert set(told.examples) == {"day2/001", "day2/002", "day3/002", "take.7"}


FOLDERS = st.sampled_from(["day1", "day2", "anna", "bernd", "p225"])
STEMS = st.sampled_from(["000", "001", "take.7", "v1.2", "hello"])
PLACES = st.sets(st.tuples(FOLDERS, STEMS), min_size=1, max_size=12)


@given(PLACES, PLACES, PLACES)
def test_a_sidecar_never_goes_to_another_folder_of_recordings(
    texts: set[tuple[str, str]], audio: set[tuple[str, str]], refused: set[tuple[str, str]]
) -> None:
    claims = [sidecar(f"{folder}/{stem}.txt", f"{folder}/{stem}") for folder, stem in sorted(texts)]
    used = {f"{folder}/{stem}.wav" for folder, stem in audio - refused}
    found, _ = matched(claims, sorted(used), sorted(f"{folder}/{stem}.wma" for folder, stem in refused))
    assert found == {f"{place}.wav": place for place in (f"{f}/{s}" for f, s in texts) if f"{place}.wav" in used}


@given(PLACES, PLACES, st.sampled_from([("text", "audio"), ("set/txt", "set/wav48"), ("labels", "Aufnahmen")]))
def test_parallel_trees_give_each_text_to_its_own_recording_or_to_none(
    texts: set[tuple[str, str]], audio: set[tuple[str, str]], trees: tuple[str, str]
) -> None:
    claims = [sidecar(f"{trees[0]}/{folder}/{stem}.txt", f"{folder}/{stem}") for folder, stem in sorted(texts)]
    found, warned = matched(claims, sorted(f"{trees[1]}/{folder}/{stem}.wav" for folder, stem in audio))
    assert found == {f"{trees[1]}/{folder}/{stem}.wav": f"{folder}/{stem}" for folder, stem in texts & audio}
    assert warned.get("transcript_without_audio", 0) == len(texts - audio)


@given(PLACES, PLACES, st.sampled_from(["", "/data/speech/", "D:\\x\\", "wavs/", "s3://b/"]))
def test_rows_with_paths_give_each_text_to_its_own_recording(
    rows: set[tuple[str, str]], audio: set[tuple[str, str]], prefix: str
) -> None:
    everything = rows | audio
    claims = [row(f"{prefix}{folder}/{stem}.wav", f"{folder}/{stem}") for folder, stem in sorted(everything)]
    found, _ = matched(claims, sorted(f"set/{folder}/{stem}.wav" for folder, stem in audio))
    assert found == {f"set/{folder}/{stem}.wav": f"{folder}/{stem}" for folder, stem in audio}


@given(st.lists(st.tuples(st.text("ab./\\:%~ \u0308üÜ_mic1", max_size=12), st.booleans()), max_size=6))
def test_whatever_the_names_only_given_audio_is_matched(names: list[tuple[str, bool]]) -> None:
    claims = [Claim(key, "", Annotation(key), "x", is_sidecar) for key, is_sidecar in names]
    audio = ["a.wav", "b/a.wav", "ü_mic1.flac", "a.mp3"]
    assert set(match(claims, audio, ["b.wma"], Notices())) <= set(audio)

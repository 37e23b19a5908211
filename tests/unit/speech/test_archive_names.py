"""Names in archives whose encoding nothing tells: no recording vanishes, and texts find theirs."""

import io
import stat
import struct
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptwin_core.speech.corpus import Corpus
from adaptwin_core.speech.files.archive import members
from adaptwin_core.speech.files.name_encoding import decoded
from tests.unit.speech.sounds import build_files, rejects, wav_bytes


def raw_zip(path: Path, files: Mapping[bytes, bytes], extra: Mapping[bytes, bytes] | None = None) -> Path:
    """Write a zip whose names are these bytes, with no flag that says how to read them."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            info = _RawName(name.decode("cp437"))
            info.extra = (extra or {}).get(name, b"")
            archive.writestr(info, data)
    return path


class _RawName(zipfile.ZipInfo):
    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802  # the standard library's hook
        return self.filename.encode("cp437"), self.flag_bits & ~0x800


def of(path: Path) -> Corpus:
    return build_files({path.name: path}, path.parent / "out")


def texts(corpus: Corpus) -> dict[str, str | None]:
    return {clip.recording: clip.text for clip in corpus.clips}


GERMAN = ["Größe", "Straße", "Äpfel", "Öl"]


def raw_set(stems: list[str], encoding: str, form: str = "NFC") -> dict[bytes, bytes]:
    table = "file_name,text\n" + "".join(f"{stem}.wav,about {stem}\n" for stem in stems)
    files = {
        f"set/{unicodedata.normalize(form, s)}.wav".encode(encoding): wav_bytes(0.5, i) for i, s in enumerate(stems)
    }
    return {b"set/metadata.csv": table.encode(), **files}


@pytest.mark.parametrize(
    ("stems", "encoding", "form"),
    [
        (GERMAN, "utf-8", "NFD"),  # what macOS writes
        (GERMAN, "utf-8", "NFC"),
        (GERMAN, "cp437", "NFC"),
        (GERMAN, "cp850", "NFC"),
        (GERMAN, "cp1252", "NFC"),
        (["été", "âge"], "cp850", "NFC"),
        (["テスト", "表", "ソ", "会議1"], "cp932", "NFC"),  # the second byte of 表 and ソ is a backslash
        (["大家", "你好"], "gbk", "NFC"),
        (["中文", "測試"], "big5", "NFC"),
        (["한국어", "안녕"], "cp949", "NFC"),
        (["Привет", "мир"], "cp866", "NFC"),
        (["Привет", "мир"], "cp1251", "NFC"),
    ],
)
def test_unmarked_names_in_a_zip_match_the_table(tmp_path: Path, stems: list[str], encoding: str, form: str) -> None:
    corpus = of(raw_zip(tmp_path / "x.zip", raw_set(stems, encoding, form)))
    assert texts(corpus) == {f"set/{stem}.wav": f"about {stem}" for stem in stems}
    assert not corpus.rejects
    assert not [w for w in corpus.warnings if w.code != "text_mismatch"]


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("cp437", ["Größe", "Äpfel", "Öl"]),
        ("cp437", ["café", "garçon"]),
        ("cp850", ["São", "Ação"]),
        ("cp1252", ["naïve rôle"]),
        ("cp932", ["こんにちは", "takeテスト"]),
        ("cp932", ["日本"]),
        ("cp949", ["한국어"]),
        ("gbk", ["中文", "测试"]),
        ("big5", ["中文", "測試"]),
        ("cp1251", ["Привет", "мир"]),
        ("cp866", ["Привет", "мир"]),
    ],
)
def test_names_that_no_table_says_are_read_as_words(encoding: str, names: list[str]) -> None:
    assert decoded([name.encode(encoding) for name in names]) == names


def test_the_unicode_path_of_info_zip_is_believed_where_it_is_current(tmp_path: Path) -> None:
    def field(name: bytes, real: str) -> bytes:
        data = b"\x01" + struct.pack("<I", zlib.crc32(name)) + real.encode()
        return struct.pack("<HH", 0x7075, len(data)) + data

    extra = {b"Gr_e.wav": field(b"Gr_e.wav", "Größe.wav"), b"new.wav": field(b"old.wav", "outdated.wav")}
    extra[b"short.wav"] = b"\x75\x70\xff\xff\x01"
    files = {name: wav_bytes(0.5, i) for i, name in enumerate(extra)}
    assert set(texts(of(raw_zip(tmp_path / "x.zip", {k: files[k] for k in list(files)[:2]}, extra)))) == {
        "Größe.wav",
        "new.wav",
    }


def test_folders_of_any_kind_are_no_files(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, attributes in {
            "speech\\": 0x10,
            "speech\\wavs\\": 0,
            "marked": 0x10,
            "unix": (stat.S_IFDIR | 0o755) << 16,
            "plain/": 0,
        }.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = attributes
            archive.writestr(info, b"")
        archive.writestr("speech\\metadata.csv", "a|hello\n")
        archive.writestr("speech\\wavs\\a.wav", wav_bytes(0.5, 1))
    corpus = of(path)
    assert texts(corpus) == {"speech/wavs/a.wav": "hello"}
    assert not corpus.rejects


def test_two_entries_of_one_name_are_told(tmp_path: Path) -> None:
    files = {b"a.wav": wav_bytes(0.5, 1), b"./a.wav": wav_bytes(0.5, 2), "ü.wav".encode(): wav_bytes(0.5, 3)}
    files["u\u0308.wav".encode()] = wav_bytes(0.5, 4)
    corpus = of(raw_zip(tmp_path / "x.zip", files))
    assert rejects(corpus) == {"a.wav": "duplicate_name", "ü.wav": "duplicate_name"}
    assert set(texts(corpus)) == {"a.wav", "ü.wav"}


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "cp932"])
def test_names_in_a_tar(tmp_path: Path, encoding: str) -> None:
    stems = ["録音", "テスト"] if encoding == "cp932" else ["Größe", "Grüße"]
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT, encoding=encoding) as tar:
        for i, stem in enumerate(stems):
            for name, data in ((f"{stem}.wav", wav_bytes(0.5, i)), (f"{stem}.txt", stem.encode())):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    assert texts(of(path)) == {f"{stem}.wav": stem for stem in stems}


@given(st.lists(st.binary(min_size=1, max_size=12), max_size=8, unique=True))
def test_any_bytes_are_names_and_distinct_ones_stay_distinct(names: list[bytes]) -> None:
    read = decoded(names)
    assert len(read) == len(set(read)) == len(names)


def test_damaged_tables_do_not_keep_names_from_being_read(tmp_path: Path) -> None:
    path = raw_zip(tmp_path / "x.zip", {b"metadata.csv": b"\xff\xfe\xff", b"Gr\x94\xe1e.wav": b"x"})
    assert [member.name for member in members(path, "zip")] == ["metadata.csv", "Größe.wav"]

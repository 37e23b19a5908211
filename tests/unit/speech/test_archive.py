"""Archives are read as streams; their names are labels; what is odd in them is refused with a reason."""

import contextlib
import gzip
import io
import random
import re
import stat
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.speech.corpus import Corpus
from adaptwin_core.speech.files.archive import members
from adaptwin_core.speech.sound.sniff import Archive
from tests.unit.speech.sounds import build_files, rejects, tar_of, voice, wav_bytes, write, zip_of

Make = Callable[[Path, Mapping[str, bytes]], Path]

GOOD = {"set/wavs/a.wav": wav_bytes(1.0, 1), "set/wavs/b.wav": wav_bytes(1.0, 2), "set/wavs/a.txt": b"hello"}


SIX = {f"{i}.wav": wav_bytes(2.0, i) for i in range(6)}


def of(path: Path, **caps: float) -> Corpus:
    return build_files({path.name: path}, path.parent / "out", **caps)


@pytest.mark.parametrize("form", ["tar", "tar.gz", "zip", "stored.zip"])
def test_archive_is_read(tmp_path: Path, form: str) -> None:
    path = tmp_path / "speech.bin"  # the name says nothing
    match form:
        case "zip":
            zip_of(path, GOOD)
        case "stored.zip":
            zip_of(path, GOOD, zipfile.ZIP_STORED)
        case _:
            tar_of(path, GOOD, "w:gz" if form == "tar.gz" else "w")
    corpus = of(path)
    assert [(clip.recording, clip.text) for clip in corpus.clips] == [
        ("set/wavs/a.wav", "hello"),
        ("set/wavs/b.wav", None),
    ]
    assert not corpus.rejects


def test_same_content_gives_the_same_digest_from_every_form(tmp_path: Path) -> None:
    digests = set()
    forms: dict[str, Make] = {"a.tar": tar_of, "b.zip": zip_of}
    for name, make in forms.items():
        (tmp_path / name).mkdir()
        digests.add(of(make(tmp_path / name / name, GOOD)).digest)
    files = {}
    for i, (name, data) in enumerate(GOOD.items()):
        files[name] = tmp_path / str(i)
        files[name].write_bytes(data)
    digests.add(build_files(files, tmp_path / "out").digest)
    assert len(digests) == 1


@pytest.mark.parametrize("make", [tar_of, zip_of])
def test_names_are_never_paths(tmp_path: Path, make: Make) -> None:
    names = ("../../escape.wav", "/etc/abs.wav", "C:\\win\\c.wav", "a/./b/../n\x07ame.wav")
    home = tmp_path / "deep" / "down"
    home.mkdir(parents=True)
    path = make(home / "x", {name: wav_bytes(1.0, i) for i, name in enumerate(names)})
    corpus = of(path)
    assert {clip.recording for clip in corpus.clips} == {"escape.wav", "etc/abs.wav", "win/c.wav", "a/b/name.wav"}
    written = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()}
    assert written == {"deep/down/x", "deep/down/out/corpus.json", "deep/down/out/shard-0000.flac"}


def test_links_and_devices_in_a_tar_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    secret = write(tmp_path / "secret.wav", voice(1.0, 9))
    with tarfile.open(path, "w") as tar:
        for name, kind in {"sym.wav": tarfile.SYMTYPE, "hard.wav": tarfile.LNKTYPE, "dev": tarfile.CHRTYPE}.items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, str(secret)
            tar.addfile(info)
        tar.add(write(tmp_path / "good.wav", voice(1.0)), "good.wav")
        tar.add(tmp_path, "folder", recursive=False)
    corpus = of(path)
    assert rejects(corpus) == dict.fromkeys(("sym.wav", "hard.wav", "dev"), "not_a_file")
    assert [clip.recording for clip in corpus.clips] == ["good.wav"]


def test_odd_zip_members_are_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "x.zip", {"good.wav": wav_bytes(1.0, 1)})
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("link.wav")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("rare.wav", wav_bytes(1.0, 2), zipfile.ZIP_LZMA)
        archive.writestr("nested.zip", zip_of(tmp_path / "n.zip", GOOD).read_bytes())
        archive.writestr("nested.tar.gz", gzip.compress(b"x"))
        archive.writestr("secret.wav", wav_bytes(1.0, 3))
        archive.writestr("__MACOSX/._good.wav", b"junk")
        archive.writestr("set/.DS_Store", b"junk")
    data = bytearray(path.read_bytes())
    data[data.rindex(b"secret.wav") - 46 + 8] |= 1  # the flag of an encrypted member, in the central directory
    path.write_bytes(data)
    assert rejects(of(path)) == {
        "link.wav": "not_a_file",
        "rare.wav": "archive_form",
        "nested.zip": "nested_archive",
        "nested.tar.gz": "nested_archive",
        "secret.wav": "encrypted",
    }


def test_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "x.zip", {"good.wav": wav_bytes(1.0, 1)})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("bomb.wav", "w") as member:
        for _ in range(100):
            member.write(bytes(1 << 20))
    assert rejects(of(path)) == {"bomb.wav": "bomb"}


@pytest.mark.parametrize(
    ("cap", "code"), [({"max_entries": 2}, "too_many_files"), ({"max_bytes": 50_000}, "too_large")]
)
def test_caps_on_the_whole_set(tmp_path: Path, cap: dict[str, float], code: str) -> None:
    with pytest.raises(InvalidAudio) as raised:
        of(tar_of(tmp_path / "x.tar.gz", GOOD), **cap)
    assert raised.value.code == code


def test_gzip_bomb_stops_at_the_cap_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "x.tar.gz"
    info = tarfile.TarInfo("huge.wav")
    info.size = 1 << 40
    with gzip.open(path, "wb") as file:
        file.write(info.tobuf())
        for _ in range(50):
            file.write(bytes(1 << 20))
    with pytest.raises(InvalidAudio) as raised:
        of(path)
    assert raised.value.code == "too_large"


def test_one_member_over_its_cap_costs_itself(tmp_path: Path) -> None:
    path = tar_of(tmp_path / "x.tar.gz", {"good.wav": wav_bytes(1.0, 1), "big.wav": wav_bytes(3.0, 2)})
    assert rejects(of(path, max_file_bytes=50_000)) == {"big.wav": "file_too_large"}


@pytest.mark.parametrize("make", [tar_of, zip_of])
@given(seed=st.integers(0, 2**32))
@example(seed=118)  # gzip unpacks all six in full, and only its checksum says that one of them is not what was packed
@example(seed=137)  # zeros within a file stand where a header should, and look like the end of the tar
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_archive_gives_what_it_can(tmp_path: Path, make: Make, seed: int) -> None:
    path = make(tmp_path / "x", SIX)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 200] = random.Random(seed).randbytes(200)
    path.write_bytes(data)
    corpus = of(path)
    assert "archive_damaged" in rejects(corpus).values()
    # A zip has a checksum for each file, a tar.gz one for all: there all may seem whole.
    assert 2 <= len(corpus.clips) <= (5 if make is zip_of else 6)


def test_what_follows_the_end_of_a_tar_is_told_of(tmp_path: Path) -> None:
    path, other = (tar_of(tmp_path / name, {f"{name}.wav": wav_bytes(1.0, 1)}, "w") for name in ("x", "y"))
    path.write_bytes(path.read_bytes() + other.read_bytes())
    assert rejects(of(path)) == {"x": "archive_damaged"}


@pytest.mark.parametrize(
    "data",
    [gzip.compress(b"not a tar" * 100), b"PK\x03\x04" + bytes(100), b"\x1f\x8b\x08" + bytes(100)],
    ids=["no tar in it", "zip cut short", "gzip cut short"],
)
def test_broken_archive_is_rejected(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(InvalidAudio, match="the archive is damaged") as raised:
        of(tmp_path / "x")
    assert raised.value.code == "no_audio"
    assert not re.search(r"zip file|error|header|block", raised.value.message, re.IGNORECASE)  # of a library


def test_foreign_archives_are_named_as_such(tmp_path: Path) -> None:
    path = tar_of(tmp_path / "x.tar.xz", GOOD, "w:xz")
    with pytest.raises(InvalidAudio, match=r"use tar, tar\.gz or zip"):
        of(path)


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_and_foreign_names_in_a_tar(tmp_path: Path, form: int) -> None:
    name = "ü/" * 70 + "long.wav"
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w", format=form) as tar:
        info = tarfile.TarInfo(name)
        info.size = 3
        tar.addfile(info, io.BytesIO(b"abc"))
        tar.addfile(tarfile.TarInfo("next"))
    found = [(m.name, m.size_bytes, m.open().read(10)) for m in members(path, "tar")]
    assert found == [(name, 3, b"abc"), ("next", 0, b"")]


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_extended_header_of_absurd_size_is_not_read_into_memory(tmp_path: Path, kind: bytes) -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = kind, (1 << 33) - 1
    (tmp_path / "x.tar").write_bytes(info.tobuf() + bytes(1 << 20))
    with pytest.raises(InvalidAudio, match="too large"):
        list(members(tmp_path / "x.tar", "tar"))


@pytest.mark.parametrize("header", [b"9999 path=x\n", b"x path=y\n", b"5\n", b"-1 a=b\n", b"12 size=-12\n", b"0 a=b\n"])
def test_malformed_extended_header_is_damage(tmp_path: Path, header: bytes) -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, len(header)
    plain = tarfile.TarInfo("y").tobuf()
    (tmp_path / "x.tar").write_bytes(info.tobuf() + header.ljust(512, b"\0") + plain + bytes(1024))
    with pytest.raises(InvalidAudio, match="malformed"):
        list(members(tmp_path / "x.tar", "tar"))


def test_zip_directory_of_absurd_size_is_not_read_into_memory(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "x.zip", {})
    end = bytearray(path.read_bytes())
    end[12:16] = (200 << 20).to_bytes(4, "little")
    with path.open("wb") as file:
        file.truncate(200 << 20)
        file.seek(200 << 20)
        file.write(end)
    with pytest.raises(InvalidAudio, match="too large"):
        list(members(path, "zip"))


SMALL = {"a.wav": b"x" * 700, "b/c.txt": b"hello", "d" * 120: b"y" * 100}


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    form=st.sampled_from(["tar", "tar.gz", "zip"]),
    changes=st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=6),
    cut=st.integers(0, 4000),
)
def test_whatever_the_bytes_only_damage_is_told(
    tmp_path: Path, form: Archive, changes: list[tuple[int, int]], cut: int
) -> None:
    path = tmp_path / "x"
    if form == "zip":
        zip_of(path, SMALL)
    else:
        tar_of(path, SMALL, "w:gz" if form == "tar.gz" else "w")
    data = bytearray(path.read_bytes())
    for at, value in changes:
        data[at % len(data)] = value
    path.write_bytes(data[: len(data) - cut % len(data) // 8])
    with contextlib.suppress(InvalidAudio):
        for member in members(path, form):
            with contextlib.suppress(InvalidAudio):
                file, num_bytes = member.open(), 0
                while block := file.read(256):
                    num_bytes += len(block)
                assert num_bytes <= member.size_bytes

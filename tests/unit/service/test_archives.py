"""The archive of a model: laid out without its files, read from any byte on, and opened by what people have."""

import hashlib
import io
import shutil
import subprocess
import tarfile
import tracemalloc
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptwin_core.domain.errors import CorruptBlob, NotFound
from adaptwin_core.service.pieces import check_range, num_bytes_of, read_range
from adaptwin_core.service.tar_layout import pieces_of, tag_of
from adaptwin_core.store.blobs import BlobRef, BlobStore, Files
from adaptwin_core.store.blobs_local import LocalBlobs

SCOPE = "ten_a"
CONTENTS = {"b.json": b"", "adaptwin.json": b"{}", "deep/c.bin": bytes(range(256)) * 3, "d.bin": bytes(512)}


class InMemory(LocalBlobs):
    """Reads what is in memory; nothing else is asked of it."""

    def __init__(self, contents: dict[str, bytes]) -> None:
        self._bytes = {_ref(data).sha256: data for data in contents.values()}

    def read(self, sha256: str, *, scope: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        assert scope == SCOPE
        assert length
        data = self._bytes[sha256][start : start + length]
        yield from (data[at : at + 100] for at in range(0, len(data), 100))


def _ref(data: bytes) -> BlobRef:
    return BlobRef(hashlib.sha256(data).hexdigest(), len(data))


def _stored(blobs: BlobStore, folder: Path, contents: dict[str, bytes]) -> Files:
    file, files = folder / "one", Files()
    for name, data in contents.items():
        file.write_bytes(data)
        files[name] = blobs.put(file, scope=SCOPE)
    return files


LAYOUT = pieces_of({name: _ref(data) for name, data in CONTENTS.items()}, "mdl_1")
TOTAL = num_bytes_of(LAYOUT)
MEMORY = InMemory(CONTENTS)
WHOLE = b"".join(read_range(LAYOUT, MEMORY, SCOPE, range(TOTAL)))


def _members(data: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        found = archive.getmembers()
        assert all(member.isreg() and member.mtime == member.uid == member.gid == 0 for member in found)
        return {member.name: archive.extractfile(member).read() for member in found}  # type: ignore[union-attr]


def test_its_length_is_known_beforehand_and_it_holds_the_files():
    assert len(WHOLE) == TOTAL
    assert _members(WHOLE) == {f"mdl_1/{name}": data for name, data in CONTENTS.items()}


def test_every_range_around_the_bounds_of_its_pieces_is_that_slice():
    bounds = [sum(num_bytes_of([piece]) for piece in LAYOUT[:count]) for count in range(len(LAYOUT) + 1)]
    places = sorted({place + step for place in bounds for step in (-2, -1, 0, 1, 2)} & set(range(TOTAL + 1)))
    assert len(places) > 25
    for start, stop in product(places, places):
        assert b"".join(read_range(LAYOUT, MEMORY, SCOPE, range(start, stop))) == WHOLE[start:stop]


@given(st.integers(0, TOTAL), st.integers(0, TOTAL))
def test_any_range_is_that_slice(start: int, stop: int):
    assert b"".join(read_range(LAYOUT, MEMORY, SCOPE, range(start, stop))) == WHOLE[start:stop]


def test_it_comes_from_a_folder_and_from_a_bucket(blobs: BlobStore, tmp_path: Path):
    layout = pieces_of(_stored(blobs, tmp_path, CONTENTS), "mdl_1")
    assert layout == LAYOUT
    for wanted in (range(TOTAL), range(700, TOTAL - 3), range(5, 6), range(TOTAL - 1024, TOTAL)):
        check_range(layout, blobs, SCOPE, wanted)
        assert b"".join(read_range(layout, blobs, SCOPE, wanted)) == WHOLE[wanted.start : wanted.stop]


@pytest.mark.skipif(shutil.which("tar") is None, reason="there is no tar on this machine")
def test_the_program_tar_opens_it_without_a_word(tmp_path: Path):
    (tmp_path / "a.tar").write_bytes(WHOLE)
    done = subprocess.run(["tar", "-xf", "a.tar"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
    assert {name: (tmp_path / "mdl_1" / name).read_bytes() for name in CONTENTS} == CONTENTS


@pytest.mark.parametrize("name", ["ä/größe.bin", "n" * 100, "deep/" * 30 + "file", "x" * 200])
def test_names_that_a_plain_header_does_not_hold(name: str):
    data = b"abc"
    layout = pieces_of({name: _ref(data)}, "mdl_1")
    whole = b"".join(read_range(layout, InMemory({name: data}), SCOPE, range(num_bytes_of(layout))))
    assert _members(whole) == {f"mdl_1/{name}": data}


def test_a_file_that_a_plain_header_does_not_hold():
    huge = BlobRef("a" * 64, 9 << 30)
    layout = pieces_of({"huge.bin": huge}, "mdl_1")
    header = layout[0]
    assert isinstance(header, bytes)
    with tarfile.open(fileobj=io.BytesIO(header + bytes(512)), mode="r:") as archive:
        member = archive.next()
        assert member is not None
        assert (member.name, member.size) == ("mdl_1/huge.bin", 9 << 30)
    assert num_bytes_of(layout) == len(header) + (9 << 30) + 1024


def test_its_tag_is_that_of_names_and_contents_in_any_order():
    files = {name: _ref(data) for name, data in CONTENTS.items()}
    tags = {
        tag_of(pieces_of(dict(reversed(files.items())), "mdl_1")),
        tag_of(LAYOUT),
    }
    assert len(tags) == 1
    others = [
        pieces_of(files, "mdl_2"),
        pieces_of(files | {"d.bin": _ref(bytes(511) + b"1")}, "mdl_1"),
        pieces_of(files | {"e.bin": _ref(b"")}, "mdl_1"),
    ]
    assert len(tags | {tag_of(other) for other in others}) == 4


def test_bytes_that_are_lost_or_damaged_are_noticed_first(tmp_path: Path):
    blobs = LocalBlobs(tmp_path / "blobs")
    files = _stored(blobs, tmp_path, CONTENTS)
    layout = pieces_of(files, "mdl_1")
    stored = blobs.fetch(files["deep/c.bin"].sha256, scope=SCOPE)
    stored.chmod(0o600)
    stored.write_bytes(CONTENTS["deep/c.bin"][:-1])
    with pytest.raises(CorruptBlob):
        check_range(layout, blobs, SCOPE, range(TOTAL))
    check_range(layout, blobs, SCOPE, range(10))
    with pytest.raises(CorruptBlob, match="lacks 1 bytes"):
        list(read_range(layout, blobs, SCOPE, range(TOTAL)))
    stored.unlink()
    with pytest.raises(NotFound):
        check_range(layout, blobs, SCOPE, range(10, TOTAL))
    check_range(layout, blobs, SCOPE, range(TOTAL - 5, TOTAL))


def test_a_large_one_takes_no_more_memory(tmp_path: Path):
    blobs = LocalBlobs(tmp_path / "blobs")
    layout = pieces_of(_stored(blobs, tmp_path, {"a": bytes(40 << 20), "b": b"b" * (40 << 20)}), "mdl_1")
    tracemalloc.start()
    num_bytes = sum(map(len, read_range(layout, blobs, SCOPE, range(num_bytes_of(layout)))))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert num_bytes == num_bytes_of(layout)
    assert peak < 5 << 20

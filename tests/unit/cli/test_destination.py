"""A command's folder is there whole, or nothing is."""

import os
from pathlib import Path

import pytest

from adaptwin_core.cli.destination import whole_or_nothing
from adaptwin_core.domain.errors import InvalidInput


def fill(folder: Path) -> None:
    folder.mkdir()
    (folder / "a").write_text("a")
    (folder / "deep").mkdir()
    (folder / "deep" / "b").write_text("b")


def _fill_and_fail(folder: Path, fault: type[BaseException]) -> None:
    fill(folder)
    raise fault


def held(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.mark.parametrize("is_there", [False, True])
def test_what_was_written_becomes_the_folder(tmp_path: Path, is_there: bool):
    out = tmp_path / "some" / "out"
    if is_there:
        out.mkdir(parents=True)
        inode = out.stat().st_ino
    with whole_or_nothing(out) as made:
        fill(made)
    assert held(tmp_path) == ["some", "some/out", "some/out/a", "some/out/deep", "some/out/deep/b"]
    if is_there:
        assert out.stat().st_ino == inode, "another disk may be mounted there"


@pytest.mark.parametrize("is_there", [False, True])
@pytest.mark.parametrize("fault", [RuntimeError, KeyboardInterrupt])
def test_after_a_failure_all_is_as_before(tmp_path: Path, is_there: bool, fault: type[BaseException]):
    out = tmp_path / "some" / "out"
    if is_there:
        out.mkdir(parents=True)
    before = held(tmp_path)
    with pytest.raises(fault), whole_or_nothing(out) as made:
        _fill_and_fail(made, fault)
    assert held(tmp_path) == before


def test_a_link_to_an_empty_folder_is_followed(tmp_path: Path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk")
    with whole_or_nothing(tmp_path / "out") as made:
        fill(made)
    assert held(tmp_path / "disk") == ["a", "deep", "deep/b"]


def test_others_may_read_it_as_they_may_read_any_new_folder(tmp_path: Path):
    with whole_or_nothing(tmp_path / "out") as made:
        fill(made)
    (tmp_path / "plain").mkdir()
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_place_that_may_not_be_written_to(tmp_path: Path):
    tmp_path.chmod(0o500)
    with pytest.raises(InvalidInput, match="cannot be written to"), whole_or_nothing(tmp_path / "out"):
        pass

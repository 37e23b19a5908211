"""Where a command finds its service: an option first, then the environment, then the usual folder."""

from pathlib import Path

import pytest

from adaptwin_core.cli.exit_codes import CommandFailed, ExitCode
from adaptwin_core.cli.service_address import find_address
from adaptwin_core.local.published import publish_url, published, url_of

HERE = "http://127.0.0.1:8000"


def runs(folder: Path, port: int, key: str) -> Path:
    folder.mkdir()
    publish_url(folder, "127.0.0.1", port)
    (folder / "api_key").write_text(f"{key}\n")
    return folder


@pytest.fixture(autouse=True)
def _nothing_else_names_one(no_service: None) -> None:
    """The folder of the test is empty, and so is the environment."""


def test_the_usual_folder_is_asked_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs(tmp_path / "var", 8000, "of var")
    assert find_address(None, None, None) == (HERE, "of var")
    monkeypatch.setenv("ADAPTWIN_URL", "http://there:1")
    monkeypatch.setenv("ADAPTWIN_KEY", "of environment")
    assert find_address(None, None, None) == ("http://there:1", "of environment")
    assert find_address("http://flag:2", "of flag", None) == ("http://flag:2", "of flag")


def test_a_slash_at_the_end_is_no_other_address(tmp_path: Path) -> None:
    runs(tmp_path / "var", 8000, "of var")
    assert find_address(f"{HERE}/", None, None).key == "of var"


def test_a_folder_that_is_named_comes_before_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = runs(tmp_path / "mine", 9000, "of mine")
    monkeypatch.setenv("ADAPTWIN_URL", "http://there:1")
    monkeypatch.setenv("ADAPTWIN_KEY", "of environment")
    assert find_address(None, None, named) == ("http://127.0.0.1:9000", "of mine")
    assert find_address(None, "of flag", named).key == "of flag"


@pytest.mark.parametrize("by", ["option", "environment"])
def test_the_key_of_a_folder_is_not_sent_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    runs(tmp_path / "var", 8000, "of var")
    if by == "environment":
        monkeypatch.setenv("ADAPTWIN_URL", "http://there:1")
    with pytest.raises(CommandFailed, match="no key to http://there:1"):
        find_address("http://there:1" if by == "option" else None, None, None)


def test_nothing_names_a_service(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="start `adaptwin up` in this folder") as failed:
        find_address(None, None, None)
    assert failed.value.code is ExitCode.WRONG_USAGE
    with pytest.raises(CommandFailed, match=r"elsewhere holds no address"):
        find_address(None, None, tmp_path / "elsewhere")


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", HERE),
        ("0.0.0.0", HERE),
        ("::", "http://[::1]:8000"),
        ("fe80::1", "http://[fe80::1]:8000"),
        ("my.host", "http://my.host:8000"),
    ],
)
def test_a_server_is_reached_where_it_listens(host: str, url: str) -> None:
    assert url_of(host, 8000) == url


def test_only_the_owner_reads_what_is_written(tmp_path: Path) -> None:
    publish_url(tmp_path, "127.0.0.1", 8000)
    assert (tmp_path / "url").stat().st_mode & 0o777 == 0o600
    assert published(tmp_path) == (HERE, None)

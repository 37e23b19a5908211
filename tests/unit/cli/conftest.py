"""Runs commands in this process, against a service that answers what a test tells it to."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from adaptwin_core.cli.main import app
from adaptwin_core.domain.service_variables import KEY as KEY_VARIABLE
from adaptwin_core.domain.service_variables import URL as URL_VARIABLE
from tests.unit.cli.fake_service import KEY, FakeService, fake_service


@dataclass(frozen=True)
class Ran:
    """The exit status of a command, and what it printed."""

    code: int
    out: str
    err: str


Adaptwin = Callable[..., Ran]


@pytest.fixture
def no_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing name a service: neither the environment nor the folder."""
    monkeypatch.chdir(tmp_path)
    for variable in (URL_VARIABLE, KEY_VARIABLE):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def service(no_service: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeService]:
    """A service that the environment names."""
    with fake_service() as running:
        monkeypatch.setenv(URL_VARIABLE, running.url)
        monkeypatch.setenv(KEY_VARIABLE, KEY)
        yield running


@pytest.fixture
def adaptwin(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Adaptwin:
    """Run a command as the program does."""

    def run(*words: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["adaptwin", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            app()
        said = capsys.readouterr()
        return Ran(int(ended.value.code or 0), said.out, said.err)

    return run

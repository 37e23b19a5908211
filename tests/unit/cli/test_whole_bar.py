"""The one bar of a command: what it says of the time left, and how it looks without a terminal."""

import pytest
from rich.console import Console

from adaptwin_core.cli.whole_bar import EVERY_S, Lines, time_left


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def said_by(lines: Lines, console: Console) -> list[str]:
    return console.export_text(clear=True).splitlines()


def test_without_a_terminal_a_line_comes_every_so_often(clock: Clock) -> None:
    console = Console(record=True, quiet=False, file=open("/dev/null", "w"), width=200)  # noqa: SIM115, PTH123
    lines = Lines("my-speech", console, clock)
    for step in range(101):
        lines.at(step / 100, "a.wav")
        clock.now += EVERY_S / 50
    assert said_by(lines, console) == ["my-speech: a.wav, 50 %, 30 s left", "my-speech: a.wav, 100 %, 1 s left"]
    lines.say("[red] is no markup")
    assert said_by(lines, console) == ["[red] is no markup"]


def test_what_was_there_at_first_does_not_count_as_speed(clock: Clock) -> None:
    console = Console(record=True, file=open("/dev/null", "w"), width=200)  # noqa: SIM115, PTH123
    lines = Lines("go on", console, clock)
    lines.at(0.5)
    clock.now = 60.0
    lines.at(0.75)
    assert said_by(lines, console) == ["go on: 75 %, 1 min left"]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(None, ""), (0.2, "1 s left"), (59.0, "59 s left"), (150.0, "2 min left"), (5400.0, "1.5 h left")],
)
def test_a_time_is_told_as_people_say_it(seconds: float | None, told: str) -> None:
    assert time_left(seconds) == told

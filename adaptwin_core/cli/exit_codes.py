"""What the exit status of a command says. docs/command-line.md shows this table."""

from enum import IntEnum
from typing import Final


class ExitCode(IntEnum):
    """The exit statuses of all commands."""

    DONE = 0
    NOT_DONE = 1
    WRONG_USAGE = 2
    REFUSED = 3
    NOT_REACHED = 4
    FAILED = 5
    NOT_INSTALLED = 6
    INTERRUPTED = 130
    TERMINATED = 143


MEANINGS: Final = {
    ExitCode.DONE: "The command did what it says.",
    ExitCode.NOT_DONE: "Something on this machine cannot be used, such as a folder or a setting.",
    ExitCode.WRONG_USAGE: "The command is used wrongly, or the address or the key of the service is missing.",
    ExitCode.REFUSED: "The service refuses the request.",
    ExitCode.NOT_REACHED: "The service does not answer, or asks to come back later.",
    ExitCode.FAILED: "The service was to make something, and it failed: a dataset, a job or an export.",
    ExitCode.NOT_INSTALLED: "The command needs packages that are not installed.",
    ExitCode.INTERRUPTED: "Ctrl-C stopped the command.",
    ExitCode.TERMINATED: "SIGTERM stopped the command.",
}


class CommandFailed(Exception):
    """Ends a command with one sentence and an exit status."""

    def __init__(self, message: str, code: ExitCode) -> None:
        super().__init__(message)
        self.message, self.code = message, code

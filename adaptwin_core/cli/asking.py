"""Asks before something is deleted."""

import sys

import typer

from adaptwin_core.cli.exit_codes import CommandFailed, ExitCode


def make_sure(question: str, is_sure: bool) -> None:
    """Ask on a terminal, and elsewhere want --yes. Raises CommandFailed if the answer is no."""
    if is_sure:
        return
    if not sys.stdin.isatty():
        raise CommandFailed("deleting cannot be undone: say --yes", ExitCode.WRONG_USAGE)
    if not typer.confirm(question, err=True):
        raise CommandFailed("nothing is deleted", ExitCode.NOT_DONE)

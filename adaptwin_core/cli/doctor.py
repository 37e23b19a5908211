"""`adaptwin doctor` tells what this machine can do, what is missing, and how to get it."""

import typer


def doctor() -> None:
    typer.echo("")

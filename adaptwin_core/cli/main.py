"""The `adaptwin` command. Each command imports what it needs when it runs, so that the help comes at once."""

from typing import Annotated

import typer

from adaptwin_core.cli import base, datasets, jobs, keys, models
from adaptwin_core.cli.compress import compress
from adaptwin_core.cli.doctor import doctor
from adaptwin_core.cli.estimate import estimate
from adaptwin_core.cli.exit_codes import CommandFailed, ExitCode
from adaptwin_core.cli.export import export, verify
from adaptwin_core.cli.extras import needs
from adaptwin_core.cli.suggestions import SuggestingGroup
from adaptwin_core.cli.up import up
from adaptwin_core.cli.upload import upload
from adaptwin_core.domain.errors import AdaptwinError

commands = typer.Typer(
    cls=SuggestingGroup,
    help="Compress Whisper for one speaker: speech recognition that knows your voice.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
commands.command()(upload)
commands.command()(estimate)
commands.add_typer(datasets.app, name="datasets")
commands.add_typer(jobs.app, name="jobs")
commands.add_typer(models.app, name="models")
commands.command()(compress)
commands.command()(export)
commands.command()(verify)
commands.command()(doctor)
commands.command()(up)
commands.add_typer(keys.app, name="keys")
commands.add_typer(base.app, name="base")


def _print_version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version

        typer.echo(version("adaptwin"))
        raise typer.Exit


@commands.callback()
def of_all(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Take the options that no command is needed for."""


@commands.command()
def migrate() -> None:
    """Update the tables of the database of DATABASE_URL, and make the S3 bucket if one is set and missing."""
    with needs("service"):
        from adaptwin_core.store import migrate as migrations
        from adaptwin_core.store.settings import Settings

    settings = Settings()
    migrations.upgrade(settings.database_url)
    typer.echo("the database is up to date")
    if settings.s3_bucket is not None:
        with needs("s3"):
            from adaptwin_core.store.bucket import ensure_bucket

        ensure_bucket(settings.s3_bucket, settings.s3_endpoint_url)
        typer.echo(f"the bucket {settings.s3_bucket} exists")


def app() -> None:
    """Run the command line. An expected failure is told in one sentence, without a traceback."""
    try:
        commands()
    except AdaptwinError as error:
        _end(error.message, ExitCode.NOT_DONE)
    except CommandFailed as failed:
        _end(failed.message, failed.code)


def _end(message: str, code: ExitCode) -> None:
    typer.secho(f"adaptwin: {message}", err=True, fg=typer.colors.RED)
    raise SystemExit(int(code)) from None


if __name__ == "__main__":
    app()

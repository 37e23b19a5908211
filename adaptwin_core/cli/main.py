"""The `adaptwin` command."""

import typer

from adaptwin_core.cli import base, keys
from adaptwin_core.cli.compress import compress
from adaptwin_core.cli.export import export, verify
from adaptwin_core.cli.up import up
from adaptwin_core.domain.errors import AdaptwinError
from adaptwin_core.store import migrate as migrations
from adaptwin_core.store.settings import Settings

commands = typer.Typer(
    help="Compress Whisper for one speaker: speech recognition that knows your voice.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
commands.command()(up)
commands.command()(compress)
commands.command()(export)
commands.command()(verify)
commands.add_typer(keys.app, name="keys")
commands.add_typer(base.app, name="base")


@commands.command()
def migrate() -> None:
    """Update the tables of the database of DATABASE_URL, and make the S3 bucket if one is set and missing."""
    settings = Settings()
    migrations.upgrade(settings.database_url)
    typer.echo("the database is up to date")
    if settings.s3_bucket is not None:
        from adaptwin_core.store.bucket import ensure_bucket  # boto3 is optional

        ensure_bucket(settings.s3_bucket, settings.s3_endpoint_url)
        typer.echo(f"the bucket {settings.s3_bucket} exists")


def app() -> None:
    """Run the command line. An expected failure is told in one sentence, without a traceback."""
    try:
        commands()
    except AdaptwinError as error:
        typer.secho(f"adaptwin: {error.message}", err=True, fg=typer.colors.RED)
        raise SystemExit(1) from None


if __name__ == "__main__":
    app()

"""The options of every command that talks to a service."""

from pathlib import Path
from typing import Annotated

import typer

from adaptwin_core.domain.service_variables import KEY, URL

Url = Annotated[
    str | None,
    typer.Option(
        "--url", help=f"Address of the service. Else it is {URL}, or what `adaptwin up` wrote into its folder."
    ),
]
Key = Annotated[
    str | None,
    typer.Option("--key", help=f"API key. Else it is {KEY}, or that in the folder of `adaptwin up`."),
]
ServiceFolder = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Folder of `adaptwin up` to take address and key from. Else it is var, if any."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
IsSure = Annotated[bool, typer.Option("--yes", help="Do not ask whether to delete it.")]

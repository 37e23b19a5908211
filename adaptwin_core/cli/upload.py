"""`adaptwin upload` sends a person's speech to the service, and tells what the service found in it."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adaptwin_core.cli.connected import connected
from adaptwin_core.cli.interruption import stoppable
from adaptwin_core.cli.naming import dataset_id
from adaptwin_core.cli.printing import print_result, warn
from adaptwin_core.cli.service_options import AsJson, Key, ServiceFolder, Url

if TYPE_CHECKING:
    from adaptwin_core.client import Client
    from adaptwin_core.rest.datasets import DatasetOut


def upload(
    speech: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER",
            help="Folder of speech, with or without transcripts, or one tar or zip of such a folder.",
            exists=True,
            readable=True,
        ),
    ],
    name: Annotated[
        str | None, typer.Option(help="Name of the dataset. If it is left out, that of the folder.")
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(help="Id or name of a dataset to go on with, where an upload broke off.")
    ] = None,
    url: Url = None,
    key: Key = None,
    data_dir: ServiceFolder = None,
    as_json: AsJson = False,
) -> None:
    """Upload a folder of speech, and print what the service finds in it.

    The speech becomes one dataset. Hidden files stay here. Files that the dataset has already are not sent again.
    """
    from adaptwin_core.cli.datasets import dataset_lines

    with connected(url, key, data_dir) as service:
        found, left_out = _sent_and_read(service, speech, name or speech.resolve().name, dataset)
    value = found.model_dump(mode="json") | {"left_out": [{"name": one, "why": why} for one, why in left_out]}
    told = [*dataset_lines(found), f"{found.id} is ready: `adaptwin jobs submit --dataset {found.id}`"]
    print_result(value, told, as_json=as_json)


def _sent_and_read(
    service: "Client", speech: Path, name: str, begun: str | None
) -> tuple["DatasetOut", list[tuple[str, str]]]:
    """Send what the dataset lacks, and wait until it is read. Return it with what was left out, and why."""
    from adaptwin_core.cli.transfers import showing
    from adaptwin_core.cli.whole_bar import whole_bar
    from adaptwin_core.client.folder import file_at, files_in
    from adaptwin_core.domain.states import DatasetState

    # What cannot be sent is refused before there is a dataset.
    _, left_out = files_in(speech) if speech.is_dir() else ([file_at(speech)], [])
    for one in left_out:
        warn(f"{one.name} is left out: {one.why}")
    to_fill = service.datasets.get(dataset_id(service, begun)) if begun else service.datasets.create(name)
    go_on = f"adaptwin upload {shlex.quote(str(speech))} --dataset {to_fill.id}"
    warn(f"dataset {to_fill.id}, {to_fill.name}; to go on after a break: {go_on}")
    with stoppable(f"what was sent is kept; go on: {go_on}"), whole_bar(to_fill.name) as bar:
        if to_fill.state is DatasetState.OPEN:
            send = service.datasets.upload_folder if speech.is_dir() else service.datasets.upload_file
            send(to_fill.id, speech, on_progress=showing(bar))
            bar.wait("the service closes the dataset")
            service.datasets.seal(to_fill.id)
        bar.wait("the service reads the speech")
        found = service.datasets.wait(to_fill.id)
    return found, [(one.name, one.why) for one in left_out]

"""`adaptwin datasets` lists, shows and deletes the speech that the service holds."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from adaptwin_core.cli.asking import make_sure
from adaptwin_core.cli.connected import connected
from adaptwin_core.cli.naming import dataset_id
from adaptwin_core.cli.printing import at, columns, print_result
from adaptwin_core.cli.service_options import AsJson, IsSure, Key, ServiceFolder, Url

if TYPE_CHECKING:
    from adaptwin_core.rest.datasets import DatasetOut

app = typer.Typer(help="List, show and delete the speech that the service holds.", no_args_is_help=True)


@app.command("list")
def list_datasets(url: Url = None, key: Key = None, data_dir: ServiceFolder = None, as_json: AsJson = False) -> None:
    """List the datasets, newest first."""
    with connected(url, key, data_dir) as service:
        found = service.datasets.all()
    rows = [(one.id, one.state, at(one.created_at), one.name) for one in found]
    print_result(found, columns(rows), as_json=as_json)


@app.command()
def report(
    dataset: Annotated[str | None, typer.Argument(help="Id or name of the dataset. Without it, the newest.")] = None,
    url: Url = None,
    key: Key = None,
    data_dir: ServiceFolder = None,
    as_json: AsJson = False,
) -> None:
    """Tell what the service found in a dataset: clips, transcripts, and files that are not used."""
    with connected(url, key, data_dir) as service:
        found = service.datasets.get(dataset_id(service, dataset))
    print_result(found, dataset_lines(found), as_json=as_json)


@app.command()
def delete(
    dataset: Annotated[str, typer.Argument(help="Id or name of the dataset.")],
    is_sure: IsSure = False,
    url: Url = None,
    key: Key = None,
    data_dir: ServiceFolder = None,
    as_json: AsJson = False,
) -> None:
    """Delete a dataset, its speech and what was measured on it. This cannot be undone."""
    with connected(url, key, data_dir) as service:
        found = service.datasets.get(dataset_id(service, dataset))
        make_sure(f"Delete {found.id}, {found.name}, and its speech for ever?", is_sure)
        service.datasets.delete(found.id)
    print_result({"id": found.id, "is_deleted": True}, [f"{found.id} is deleted"], as_json=as_json)


def dataset_lines(dataset: "DatasetOut") -> Iterator[str]:
    """Yield what a person wants to know of a dataset."""
    from adaptwin_core.cli.summary import speech_summary

    yield f"{dataset.name} ({dataset.id}) is {dataset.state}"
    if dataset.error is not None:
        yield f"{dataset.error.code}: {dataset.error.message}"
    if dataset.report is not None:
        yield from speech_summary("speech", dataset.report)

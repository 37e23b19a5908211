"""`adaptwin models` lists, judges, downloads, tries and deletes finished models."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adaptwin_core.cli import job_settings
from adaptwin_core.cli.asking import make_sure
from adaptwin_core.cli.connected import connected
from adaptwin_core.cli.exit_codes import CommandFailed, ExitCode
from adaptwin_core.cli.interruption import stoppable
from adaptwin_core.cli.naming import model_id
from adaptwin_core.cli.printing import at, columns, print_json, print_lines, print_result
from adaptwin_core.cli.service_options import AsJson, IsSure, Key, ServiceFolder, Url
from adaptwin_core.cli.summary import count_of
from adaptwin_core.domain.manifests import MODEL_MANIFEST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adaptwin_core.client import Client
    from adaptwin_core.rest.models import FileRef

app = typer.Typer(help="List, judge, download, try and delete finished models.", no_args_is_help=True)

ModelArgument = Annotated[
    str | None, typer.Argument(help="Id of the model, or of the job that made it. Without it, the newest.")
]


@app.command("list")
def list_models(url: Url = None, key: Key = None, data_dir: ServiceFolder = None, as_json: AsJson = False) -> None:
    """List the finished models, newest first."""
    with connected(url, key, data_dir) as service:
        found = service.models.all()
    rows = [(one.id, at(one.created_at), one.job_id, one.name or "") for one in found]
    print_result(found, columns(rows), as_json=as_json)


@app.command()
def report(
    model: ModelArgument = None,
    url: Url = None,
    key: Key = None,
    data_dir: ServiceFolder = None,
    as_json: AsJson = False,
) -> None:
    """Tell how good a model is: the verdict, the error rates behind it, and advice."""
    from adaptwin_core.cli.summary import model_summary

    with connected(url, key, data_dir) as service:
        found = service.models.get(model_id(service, model))
    if as_json:
        print_json(found)
    else:
        print_lines(model_summary(found.manifest))


@app.command()
def download(
    out: Annotated[Path, typer.Option(help="Folder to write to. A download that broke off goes on there.")],
    model: ModelArgument = None,
    form: Annotated[
        str | None, typer.Option(help="Form for another runtime, such as ct2-int8. It is made if it is not there.")
    ] = None,
    url: Url = None,
    key: Key = None,
    data_dir: ServiceFolder = None,
    as_json: AsJson = False,
) -> None:
    """Download a model, each file checked by its SHA-256."""
    with connected(url, key, data_dir) as service:
        found = model_id(service, model)
        with stoppable(f"what came is kept; give --out {out} again to go on"):
            files = _model(service, found, out) if form is None else _export(service, found, form, out)
    size = sum(file.bytes for file in files.values())
    told = f"{out}: {count_of(len(files), 'file')} of {found}, {size / 1e6:.1f} MB, each with its SHA-256"
    print_result({"model_id": found, "form": form, "folder": str(out), "files": files}, [told], as_json=as_json)


@app.command()
def transcribe(
    recording: Annotated[Path, typer.Argument(help="Recording to transcribe.", exists=True, dir_okay=False)],
    model: Annotated[
        str | None, typer.Option(help="Id of the model, or of the job that made it. Without it, the newest.")
    ] = None,
    language: job_settings.SpokenLanguage = None,
    prompt: Annotated[str | None, typer.Option(help="Words that show how names are spelt.")] = None,
    url: Url = None,
    key: Key = None,
    data_dir: ServiceFolder = None,
    as_json: AsJson = False,
) -> None:
    """Transcribe a recording with a finished model of the service. With --json, times are told as well."""
    from adaptwin_core.cli.whole_bar import whole_bar

    with connected(url, key, data_dir) as service:
        found = model_id(service, model)
        with whole_bar(recording.name) as bar:
            bar.wait("the service listens")
            heard = service.models.transcribe(found, recording, language=language, prompt=prompt)
    print_result(heard, [heard.text], as_json=as_json)


@app.command()
def delete(
    model: Annotated[str, typer.Argument(help="Id of the model.")],
    is_sure: IsSure = False,
    url: Url = None,
    key: Key = None,
    data_dir: ServiceFolder = None,
    as_json: AsJson = False,
) -> None:
    """Delete a model and its exports. This cannot be undone."""
    with connected(url, key, data_dir) as service:
        found = service.models.get(model)
        make_sure(f"Delete {found.id}, made at {at(found.created_at)}, for ever?", is_sure)
        service.models.delete(found.id)
    print_result({"id": found.id, "is_deleted": True}, [f"{found.id} is deleted"], as_json=as_json)


def _model(service: "Client", model: str, out: Path) -> "Mapping[str, FileRef]":
    from adaptwin_core.cli.transfers import showing
    from adaptwin_core.cli.whole_bar import whole_bar

    _require_no_other(service.models.get(model).files, out)
    with whole_bar(model) as bar:
        return service.models.download(model, out, on_progress=showing(bar)).files


def _export(service: "Client", model: str, form: str, out: Path) -> "Mapping[str, FileRef]":
    """Have a model exported, wait for it, and download it."""
    from adaptwin_core.cli.transfers import showing
    from adaptwin_core.cli.whole_bar import whole_bar
    from adaptwin_core.domain.exports import FORMATS
    from adaptwin_core.domain.refusals import unknown_name

    if form not in FORMATS:
        raise CommandFailed(unknown_name("form", form, FORMATS), ExitCode.WRONG_USAGE)
    name = FORMATS[form].name
    with whole_bar(f"{model} as {form}") as bar:
        service.exports.request(model, name)
        bar.wait("the service makes it and tests it")
        _require_no_other(service.exports.wait(model, name).files, out)
        return service.exports.download(model, name, out, on_progress=showing(bar)).files


def _require_no_other(files: "Mapping[str, FileRef]", out: Path) -> None:
    """Raise CommandFailed if a folder holds another model: the files of both would be mixed."""
    from adaptwin_core.domain.digest import digest_file

    there = out / MODEL_MANIFEST
    if there.is_file() and (MODEL_MANIFEST not in files or digest_file(there) != files[MODEL_MANIFEST].sha256):
        raise CommandFailed(f"{out} holds another model: name another folder", ExitCode.NOT_DONE)

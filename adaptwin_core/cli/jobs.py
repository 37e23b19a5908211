"""`adaptwin jobs` submits, lists, watches, pauses and cancels jobs of the service."""

from typing import TYPE_CHECKING, Annotated

import typer

from adaptwin_core.cli import asked_job, job_settings, naming
from adaptwin_core.cli.connected import connected
from adaptwin_core.cli.exit_codes import CommandFailed, ExitCode
from adaptwin_core.cli.interruption import stoppable
from adaptwin_core.cli.printing import at, columns, print_json, print_lines, print_result
from adaptwin_core.cli.service_options import AsJson, Key, ServiceFolder, Url

if TYPE_CHECKING:
    from adaptwin_core.rest.jobs import JobOut

app = typer.Typer(help="Submit, list, watch, pause and cancel jobs of the service.", no_args_is_help=True)

JobArgument = Annotated[str, typer.Argument(help="Id of the job.")]


@app.command()
def submit(
    dataset: asked_job.Dataset,
    general: asked_job.General = None,
    base_model: asked_job.BaseModels = None,
    make: job_settings.Make = None,
    limits: job_settings.Limits = None,
    name: Annotated[str | None, typer.Option(help="Name of the job.")] = None,
    encoder_cut: job_settings.EncoderCut = None,
    language: job_settings.Language = None,
    settings: job_settings.Settings = "{}",
    accept_little: job_settings.AcceptsLittle = False,
    url: Url = None,
    key: Key = None,
    data_dir: ServiceFolder = None,
    as_json: AsJson = False,
) -> None:
    """Submit a job: make a Whisper smaller for one speaker."""
    spec = job_settings.parse_settings(settings, encoder_cut, language)
    family = job_settings.parse_family(make, limits)
    with connected(url, key, data_dir) as service:
        asked = asked_job.asked_job(
            service,
            dataset=dataset,
            general=general,
            base_model=base_model,
            family=family,
            spec=spec,
            accept_little=accept_little,
            name=name,
        )
        job = service.jobs.submit(asked)
    print_result(job, [f"{job.id} is submitted: `adaptwin jobs watch {job.id}`"], as_json=as_json)


@app.command("list")
def list_jobs(url: Url = None, key: Key = None, data_dir: ServiceFolder = None, as_json: AsJson = False) -> None:
    """List the jobs, newest first."""
    with connected(url, key, data_dir) as service:
        found = service.jobs.all()
    rows = [(one.id, one.state, at(one.created_at), " ".join(one.base_models), one.name or "") for one in found]
    print_result(found, columns(rows), as_json=as_json)


@app.command()
def watch(
    job: Annotated[str | None, typer.Argument(help="Id of the job. Without it, the newest.")] = None,
    url: Url = None,
    key: Key = None,
    data_dir: ServiceFolder = None,
    as_json: AsJson = False,
) -> None:
    """Show a job until it ends, and then how good its model is."""
    from adaptwin_core.cli import job_watch

    with connected(url, key, data_dir) as service:
        job_id = naming.job_id(service, job)
        with stoppable(f"the job goes on: adaptwin jobs watch {job_id}"):
            ended = job_watch.watch(service, job_id)
    if as_json:
        print_json(ended)
    _require_success(ended)
    if not as_json:
        print_lines(_result(ended))


@app.command()
def cancel(
    job: JobArgument, url: Url = None, key: Key = None, data_dir: ServiceFolder = None, as_json: AsJson = False
) -> None:
    """Cancel a job. Its workers stop within seconds."""
    with connected(url, key, data_dir) as service:
        _tell(service.jobs.cancel(job), as_json)


@app.command()
def pause(
    job: JobArgument, url: Url = None, key: Key = None, data_dir: ServiceFolder = None, as_json: AsJson = False
) -> None:
    """Pause a job. Finished tasks are kept; those that run are stopped and begin again later."""
    with connected(url, key, data_dir) as service:
        _tell(service.jobs.pause(job), as_json)


@app.command()
def resume(
    job: JobArgument, url: Url = None, key: Key = None, data_dir: ServiceFolder = None, as_json: AsJson = False
) -> None:
    """Go on with a paused job."""
    with connected(url, key, data_dir) as service:
        _tell(service.jobs.resume(job), as_json)


@app.command()
def retry(
    job: JobArgument, url: Url = None, key: Key = None, data_dir: ServiceFolder = None, as_json: AsJson = False
) -> None:
    """Go on with a failed or cancelled job from its last finished task."""
    with connected(url, key, data_dir) as service:
        _tell(service.jobs.retry(job), as_json)


def _tell(job: "JobOut", as_json: bool) -> None:
    print_result(job, [f"{job.id} is {job.state}"], as_json=as_json)


def _result(job: "JobOut") -> list[str]:
    """Return what came of a job that succeeded: its model, or all of them where none is the one to take."""
    choice = [] if job.choice is None else [job.choice.sentence]
    if job.model_id is None:
        left = [f"  {model.model_id}: {model.base_model}" for model in job.models if model.model_id is not None]
        return [*choice, *(["The models that it made:", *left] if left else ["Its models were deleted."])]
    told = [] if job.verdict is None else [job.verdict.sentence, *job.verdict.advice]
    return [*choice, *told, f"Get the model: adaptwin models download {job.model_id} --out FOLDER"]


def _require_success(job: "JobOut") -> None:
    if job.state != "succeeded":
        why = f"{job.error.code}: {job.error.message}" if job.error else "it has made no model"
        raise CommandFailed(f"{job.id} is {job.state}: {why}", ExitCode.FAILED)

"""`adaptwin estimate` tells what a job would be before it is submitted."""

from typing import TYPE_CHECKING

from adaptwin_core.cli import asked_job, job_settings
from adaptwin_core.cli.connected import connected
from adaptwin_core.cli.exit_codes import CommandFailed, ExitCode
from adaptwin_core.cli.printing import print_result
from adaptwin_core.cli.service_options import AsJson, Key, ServiceFolder, Url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adaptwin_core.rest.estimates import EstimateOut
    from adaptwin_core.rest.jobs import TimeSpan


def estimate(
    dataset: asked_job.Dataset,
    general: asked_job.General = None,
    base_model: asked_job.BaseModels = None,
    make: job_settings.Make = None,
    limits: job_settings.Limits = None,
    encoder_cut: job_settings.EncoderCut = None,
    language: job_settings.Language = None,
    settings: job_settings.Settings = "{}",
    accept_little: job_settings.AcceptsLittle = False,
    url: Url = None,
    key: Key = None,
    data_dir: ServiceFolder = None,
    as_json: AsJson = False,
) -> None:
    """Tell what a job would take, and what is wrong with it, without submitting it."""
    spec = job_settings.parse_settings(settings, encoder_cut, language)
    family = job_settings.parse_family(make, limits)
    with connected(url, key, data_dir) as service:
        found = service.estimate(
            asked_job.asked_job(
                service,
                dataset=dataset,
                general=general,
                base_model=base_model,
                family=family,
                spec=spec,
                accept_little=accept_little,
            )
        )
    print_result(found, _told(found), as_json=as_json)
    if found.problems:
        raise CommandFailed("the job would be refused", ExitCode.REFUSED)


def _told(found: "EstimateOut") -> "Iterator[str]":
    for problem in found.problems:
        yield f"refused: {problem.message}"
    for remark in found.remarks:
        yield remark.message
    for model in found.models:
        about = "" if model.is_exact else "about "
        size = f"{about}{model.total_params:,} parameters, {about}{model.bytes / 1e6:.1f} MB of weights"
        yield f"{model.base_model}: {size}"
    if found.work is not None:
        yield f"time: {_span(found.work.time)}"
        yield f"memory: {found.work.memory_bytes / 1e9:.1f} GB for the largest task"
        yield f"disk: {found.work.disk_bytes / 1e9:.1f} GB"
    if found.workers == 0:
        yield "no worker is there: the job waits until one is started"


def _span(time: "TimeSpan") -> str:
    low, likely, high = (_minutes(seconds) for seconds in (time.low_s, time.likely_s, time.high_s))
    return f"{likely} min, between {low} and {high}"


def _minutes(seconds: float) -> str:
    return f"{max(1, round(seconds / 60))}"

"""Finds what a person names: by its id, by its name, or the newest."""

from typing import TYPE_CHECKING

from adaptwin_core.cli.exit_codes import CommandFailed, ExitCode

if TYPE_CHECKING:
    from adaptwin_core.client import Client


def dataset_id(service: "Client", text: str | None) -> str:
    """Return the id of a dataset that is named by its id or its name, or the newest.

    Raises:
        CommandFailed: there is none, or several have the name.
    """
    if text is not None and text.startswith("ds_"):
        return text
    found = [one.id for one in service.datasets.all() if text is None or one.name == text]
    if text is None:
        return _newest("dataset", found)
    if not found:
        raise CommandFailed(f"there is no dataset {text}: `adaptwin datasets list` shows all", ExitCode.REFUSED)
    if len(found) > 1:
        raise CommandFailed(f"several datasets have the name {text}: give one of {', '.join(found)}", ExitCode.REFUSED)
    return found[0]


def job_id(service: "Client", text: str | None) -> str:
    """Return the id of a job that is named by its id, or the newest. Raises CommandFailed if there is none."""
    return text or _newest("job", [job.id for job in service.jobs.all()])


def model_id(service: "Client", text: str | None) -> str:
    """Return the id of a model that is named by its id or by its job; else the one to take of the newest job with one.

    Raises:
        CommandFailed: there is none, the job has made none, or none of its models is the one to take.
    """
    if text is not None and not text.startswith("job_"):
        return text
    made_by = text or _newest("model", [model.job_id for model in service.models.all()])
    job = service.jobs.get(made_by)
    if job.model_id is not None:
        return job.model_id
    if job.choice is not None and job.choice.take is None:
        made = ", ".join(model.model_id for model in job.models if model.model_id)
        raise CommandFailed(f"{job.choice.sentence} Name one of {made}", ExitCode.REFUSED)
    raise CommandFailed(f"{job.id} has no model to take: it is {job.state}", ExitCode.REFUSED)


def only_base_model(service: "Client") -> str:
    """Return the only base model that the service offers. Raises CommandFailed if there are several, or none."""
    found = [one.id for one in service.base_models()]
    if len(found) == 1:
        return found[0]
    told = f"give --base-model, one of {', '.join(found)}" if found else "the service has none: `adaptwin base add`"
    raise CommandFailed(f"the job needs a base model: {told}", ExitCode.WRONG_USAGE)


def _newest(what: str, ids: list[str]) -> str:
    if not ids:
        raise CommandFailed(f"there is no {what} yet", ExitCode.REFUSED)
    return ids[0]

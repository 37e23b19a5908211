"""A job as the options of a command describe it."""

from typing import TYPE_CHECKING, Annotated

import typer

from adaptwin_core.cli import naming

if TYPE_CHECKING:
    from adaptwin_core.cli.job_settings import Family
    from adaptwin_core.client import Client
    from adaptwin_core.domain.spec import CompressionSpec
    from adaptwin_core.rest.jobs import NewJob

Dataset = Annotated[str, typer.Option(help="Id or name of the dataset with the speaker's speech.")]
General = Annotated[
    str | None, typer.Option(help="Id or name of a dataset of other people's speech, still to be recognized.")
]
BaseModels = Annotated[
    list[str] | None,
    typer.Option(
        help="Base model, such as whisper-tiny.en. It may be left out if there is only one, or given several times "
        "to have models made from each."
    ),
]


def asked_job(
    service: "Client",
    *,
    dataset: str,
    general: str | None,
    base_model: list[str] | None,
    family: "Family",
    spec: "CompressionSpec",
    accept_little: bool,
    name: str | None = None,
) -> "NewJob":
    """Return the job. Raises CommandFailed: a dataset or the base model is not there, or is not named well enough."""
    from adaptwin_core.client import NewJob

    bases = base_model or [naming.only_base_model(service)]
    asked = {
        "dataset_id": naming.dataset_id(service, dataset),
        "general_dataset_id": naming.dataset_id(service, general) if general else None,
        **({"base_model": bases[0]} if len(bases) == 1 else {"base_models": bases}),
        **family._asdict(),
        "name": name,
        "spec": spec,
        "accept_little": accept_little,
    }
    return NewJob.model_validate({field: value for field, value in asked.items() if value is not None})

"""`adaptwin doctor` tells what this machine can do, what is missing, and how to get it."""

from typing import TYPE_CHECKING, Annotated

import typer

from adaptwin_core.cli.printing import columns, print_result
from adaptwin_core.cli.service_options import AsJson, Key, ServiceFolder, Url

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from adaptwin_core.cli.checkup.finding import Finding


def doctor(
    hub: Annotated[bool, typer.Option("--hub", help="Also ask whether the Hugging Face hub can be reached.")] = False,
    url: Url = None,
    key: Key = None,
    data_dir: ServiceFolder = None,
    as_json: AsJson = False,
) -> None:
    """Tell what this machine can do, what is missing, and how to get it. Nothing is changed."""
    from adaptwin_core.cli.checkup.base_models import check_base_models
    from adaptwin_core.cli.checkup.disk import check_disk
    from adaptwin_core.cli.checkup.gpu import check_gpu
    from adaptwin_core.cli.checkup.network import check_hub, check_service
    from adaptwin_core.cli.checkup.packages import check_packages, check_python
    from adaptwin_core.cli.checkup.processor import check_bfloat16, check_cores, check_memory
    from adaptwin_core.cli.service_address import USUAL_FOLDER

    folder = data_dir or USUAL_FOLDER
    findings = [
        check_cores(),
        check_memory(),
        check_bfloat16(),
        *check_gpu(),
        check_disk(folder),
        check_python(),
        *check_packages(),
        check_base_models(folder / "models"),
        check_service(url, key, data_dir),
        *([check_hub()] if hub else []),
    ]
    can = _abilities(findings)
    told = [*_lines(findings), "", *(f"{'can' if is_able else 'cannot'} {what}" for what, is_able in can.items())]
    print_result({"can": can, "findings": findings}, told, as_json=as_json)


def _abilities(findings: "Sequence[Finding]") -> dict[str, bool]:
    """Return what this machine can do, by what the uses need."""
    is_there = {one.subject: one.state == "ok" for one in findings}
    can_make = is_there["adaptwin[models]"] and is_there["base models"]
    return {
        "use the service": is_there["service"],
        "make models here": can_make,
        "run the service here": can_make and is_there["adaptwin[service]"],
    }


def _lines(findings: "Sequence[Finding]") -> "Iterator[str]":
    for finding, line in zip(findings, columns([(one.state, one.subject, one.found) for one in findings]), strict=True):
        yield line
        if finding.remedy is not None:
            yield f"         how to get it: {finding.remedy}"

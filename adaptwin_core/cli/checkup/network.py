"""Whether the service and, where it is asked for, the Hugging Face hub can be reached."""

from pathlib import Path
from typing import Final

from adaptwin_core.cli.checkup.finding import Finding, State
from adaptwin_core.cli.connected import connected
from adaptwin_core.cli.exit_codes import CommandFailed, ExitCode

HUB: Final = "https://huggingface.co"
HUB_S: Final = 5.0


def check_service(url: str | None, key: str | None, data_dir: Path | None) -> Finding:
    """Tell whether the service answers and takes the key, and which base models it offers."""
    try:
        with connected(url, key, data_dir) as service:
            offered = ", ".join(model.id for model in service.base_models()) or "no base model"
            ready = service.ready()
    except CommandFailed as failed:
        state = State.NOTE if failed.code is ExitCode.WRONG_USAGE and url is None else State.MISSING
        remedy = None if failed.code is ExitCode.REFUSED else "adaptwin up"
        return Finding("service", state, failed.message, remedy)
    told = f"{service.url} answers; {ready.free_disk_bytes / 1e9:.1f} GB free there; it offers {offered}"
    if ready.broker == "down":
        return Finding("service", State.MISSING, f"{told}; its queue is down, so jobs wait", "start Valkey or Redis")
    return Finding("service", State.OK, told)


def check_hub(address: str = HUB) -> Finding:
    """Tell whether the hub answers. Only base models that lie there need it."""
    import httpx

    try:
        httpx.head(address, timeout=HUB_S)
    except httpx.TransportError as fault:
        told = f"{address} does not answer ({fault}): packaged base models and local folders need no hub"
        return Finding("Hugging Face hub", State.NOTE, told)
    return Finding("Hugging Face hub", State.OK, f"{address} answers")

"""NVIDIA GPUs: those that the driver names, and whether torch can use them."""

import shutil
import subprocess
import sys
from typing import Final, NamedTuple

from adaptwin_core.cli.checkup.finding import Finding, State
from adaptwin_core.cli.checkup.packages import version_of

DRIVER_S: Final = 20.0
TORCH_S: Final = 120.0  # it takes seconds to load, on a busy machine many
FIRST_WITH_BFLOAT16: Final = 8.0  # compute capability
QUERY: Final = ("--query-gpu=name,memory.total,compute_cap,driver_version", "--format=csv,noheader,nounits")
ASK_TORCH: Final = "import torch; print(torch.cuda.is_available())"


class Gpu(NamedTuple):
    name: str
    memory_mib: str
    compute_capability: float | None
    driver: str


def check_gpu() -> list[Finding]:
    """Tell which GPUs there are. Torch is only asked, in a process of its own, where there is one."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return [Finding("GPU", State.NOTE, "no NVIDIA GPU: jobs run on the processor")]
    done = _run([program, *QUERY], DRIVER_S)
    gpus = gpus_of(done.stdout) if done is not None and done.returncode == 0 else []
    if not gpus:
        said = "it does not answer" if done is None else " ".join((done.stdout + done.stderr).split())[:200]
        return [Finding("GPU", State.NOTE, f"the driver names no GPU ({said}): jobs run on the processor")]
    return [*(Finding("GPU", State.OK, _told(gpu)) for gpu in gpus), _check_torch()]


def gpus_of(text: str) -> list[Gpu]:
    """Read what nvidia-smi prints for QUERY."""
    rows = [[cell.strip() for cell in line.split(",")] for line in text.splitlines()]
    return [Gpu(row[0], row[1], _number(row[2]), row[3]) for row in rows if len(row) == len(Gpu._fields)]


def _told(gpu: Gpu) -> str:
    told = f"{gpu.name}, {gpu.memory_mib} MiB, driver {gpu.driver}"
    if gpu.compute_capability is None:  # an old driver does not tell
        return told
    return f"{told}, {'bfloat16' if gpu.compute_capability >= FIRST_WITH_BFLOAT16 else 'no bfloat16'}"


def _check_torch() -> Finding:
    version = version_of("torch")
    if version is None:
        return Finding("torch on the GPU", State.NOTE, "torch is not installed", 'pip install "adaptwin[models]"')
    done = _run([sys.executable, "-c", ASK_TORCH], TORCH_S)
    if done is not None and done.stdout.strip() == "True":
        return Finding("torch on the GPU", State.OK, f"torch {version} uses it")
    return Finding(
        "torch on the GPU",
        State.MISSING,
        f"torch {version} does not see it",
        "install a build of torch with CUDA that fits the driver: https://pytorch.org/get-started/locally/",
    )


def _run(command: list[str], timeout_s: float) -> "subprocess.CompletedProcess[str] | None":
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)  # noqa: S603  # ours
    except (OSError, subprocess.TimeoutExpired):
        return None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None

"""Cores, memory and bfloat16 of this machine, as the operating system tells them."""

import os
import platform
from pathlib import Path
from typing import Final

from adaptwin_core.cli.checkup.finding import Finding, State

PROC: Final = Path("/proc")
CGROUP: Final = Path("/sys/fs/cgroup")
GIB: Final = 1 << 30
_BFLOAT16: Final = {"avx512_bf16", "amx_bf16", "amx_tile", "bf16"}  # of x86, and of ARM
_FLAGS: Final = {"flags", "Features"}


def check_cores(cgroup: Path = CGROUP) -> Finding:
    """Tell how many cores this process may use. A container may be given a share of them."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _cores_of_quota(cgroup)
    told = f"{usable} of {os.cpu_count()}, {platform.machine()}"
    limited = f"; this container may use the time of {quota:g}" if quota is not None and quota < usable else ""
    return Finding("cores", State.OK, told + limited)


def check_memory(proc: Path = PROC, cgroup: Path = CGROUP) -> Finding:
    """Tell how much memory there is, and how much of it is free."""
    total = _total_bytes(proc)
    if total is None:
        return Finding("memory", State.NOTE, "the operating system does not tell how much there is")
    limit = _number(_text(cgroup / "memory.max"))
    if limit is not None and limit < total:
        return Finding("memory", State.OK, f"{limit / GIB:.1f} GiB for this container, of {total / GIB:.1f} GiB")
    available = _kilobytes(proc, "MemAvailable")
    free = "" if available is None else f", {available / GIB:.1f} GiB free"
    return Finding("memory", State.OK, f"{total / GIB:.1f} GiB{free}")


def check_bfloat16(proc: Path = PROC) -> Finding:
    """Tell whether the processor multiplies in bfloat16, in which training is then done."""
    flags = {flag for name, value in _cpu_lines(proc) if name in _FLAGS for flag in value.split()}
    if found := sorted(flags & _BFLOAT16):
        return Finding("bfloat16", State.OK, f"the processor has it ({', '.join(found)}): training is faster")
    return Finding("bfloat16", State.NOTE, "the processor does not have it, or does not tell: training is in float32")


def _cores_of_quota(cgroup: Path) -> float | None:
    quota, _, period = (_text(cgroup / "cpu.max") or "").partition(" ")
    allowed, of = _number(quota), _number(period)
    return allowed / of if allowed is not None and of else None


def _total_bytes(proc: Path) -> int | None:
    found = _kilobytes(proc, "MemTotal")
    if found is None and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return found


def _kilobytes(proc: Path, name: str) -> int | None:
    """Return a figure of /proc/meminfo, in bytes."""
    for line in (_text(proc / "meminfo") or "").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return None


def _cpu_lines(proc: Path) -> list[tuple[str, str]]:
    lines = (_text(proc / "cpuinfo") or "").splitlines()
    return [(name.strip(), value) for name, _, value in (line.partition(":") for line in lines)]


def _text(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None

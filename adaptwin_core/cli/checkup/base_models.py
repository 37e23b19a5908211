"""The base models that are at hand without a network."""

from importlib.util import find_spec
from pathlib import Path

from adaptwin_core.cli.checkup.finding import Finding, State
from adaptwin_core.ml.base.sources import PACKAGES, WeightUpload


def check_base_models(cache: Path) -> Finding:
    """Tell which base models are installed as packages, and which the cache holds."""
    packaged = [name for name, uploads in PACKAGES.items() if any(map(_is_installed, uploads))]
    hub = cache / "hub"
    fetched = [_repository(path) for path in sorted(hub.glob("models--*"))] if hub.is_dir() else []
    if packaged or fetched:
        return Finding("base models", State.OK, ", ".join([*packaged, *fetched]))
    modules = ", ".join(f"{name}: {' '.join(_distributions(uploads[0]))}" for name, uploads in PACKAGES.items())
    return Finding(
        "base models",
        State.MISSING,
        "none is at hand",
        f"install one ({modules}), name a local folder, or one of the hub such as openai/whisper-base",
    )


def _is_installed(upload: WeightUpload) -> bool:
    return all(find_spec(module) is not None for module in _modules(upload))


def _modules(upload: WeightUpload) -> list[str]:
    return list(dict.fromkeys(module for module, _ in upload.parts))


def _distributions(upload: WeightUpload) -> list[str]:
    return [module.replace("_", "-") for module in _modules(upload)]


def _repository(path: Path) -> str:
    return path.name.removeprefix("models--").replace("--", "/", 1)

"""This project as a wheel, and virtual environments that hold the wheel and what it asks for, and nothing else."""

import re
import shutil
import subprocess
import sys
import tomllib
import venv
from collections.abc import Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path

import loopback_only

from tests.running_service import without_settings

ROOT = Path(__file__).parents[1]
# They are linked from this environment: a gigabyte, and which build is right depends on the machine.
OF_TORCH = re.compile(r"torch|triton|nvidia-.*|cuda-.*")


def build_wheel(work: Path) -> Path:
    """Build the wheel from a copy of the sources, so that nothing is left beside them."""
    source = work / "source"
    source.mkdir(parents=True)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copyfile(ROOT / name, source / name)
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for pattern in settings["tool"]["setuptools"]["packages"]["find"]["include"]:
        for folder in filter(Path.is_dir, ROOT.glob(pattern)):
            shutil.copytree(folder, source / folder.name, ignore=shutil.ignore_patterns("__pycache__"))
    _pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(work), str(source))
    [wheel] = work.glob("*.whl")
    return wheel


class CleanEnvironment:
    """A virtual environment with the wheel and some of its extras, in the versions that are locked.

    Packages come from the index that pip is set up for. torch is linked where an extra asks for it.
    """

    def __init__(self, folder: Path, wheel: Path, *extras: str) -> None:
        """Make it. `folder` must not exist yet."""
        venv.create(folder / "venv", symlinks=True)
        self.python = folder / "venv" / "bin" / "python"
        self.program = folder / "venv" / "bin" / "adaptwin"
        self.cwd = folder / "elsewhere"
        self.cwd.mkdir()
        [self._packages] = (folder / "venv").glob("lib/*/site-packages")
        if "models" in extras:
            _link_torch(self._packages)
        constraints = folder / "constraints.txt"
        constraints.write_text(_pins(ROOT / "requirements.lock") + _pins(ROOT / "requirements-torch.txt"))
        asked = f"{wheel}[{','.join(extras)}]" if extras else str(wheel)
        # --no-compile: Python compiles a module when it is first imported, as after `uv tool install`
        _pip("--python", str(self.python), "install", "--no-compile", "--constraint", str(constraints), asked)
        self.installed_mb = self.megabytes()

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment of what runs here. Of this repository, it finds only the guard against other machines."""
        kept = {name: value for name, value in without_settings().items() if not name.startswith("PYTHON")}
        return kept | {"PYTHONPATH": str(Path(loopback_only.__file__).parent)}

    def run(self, *command: str | Path, code: int = 0, **settings: str) -> str:
        """Run a command away from the repository, and return what it wrote. It must end with this exit code."""
        words = [str(word) for word in command]
        environment = {**self.variables, **settings}
        done = subprocess.run(words, cwd=self.cwd, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def names(self) -> set[str]:
        """Return the names of the packages that are installed."""
        return {_name(found) for found in distributions(path=[str(self._packages)])}

    def megabytes(self) -> float:
        """Return what was installed and compiled since, without what is linked, in 10^6 bytes."""
        files = (path for path in self._packages.rglob("*") if path.is_file() and not path.is_symlink())
        return (
            sum(path.stat().st_size for path in files if path.resolve().is_relative_to(self._packages.resolve())) / 1e6
        )


def _pip(*arguments: str) -> None:
    """Run pip without the guard that keeps tests inside this machine."""
    environment = without_settings()
    environment.pop("PYTHONPATH", None)
    command = [sys.executable, "-m", "pip", "--quiet", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _pins(lock: Path) -> str:
    """Return a lock file without its hashes, which pip would then ask of the wheel too."""
    return "".join(
        re.sub(r"\s*\\$", "", line) + "\n" for line in lock.read_text().splitlines() if re.match(r"\w", line)
    )


def _link_torch(packages: Path) -> None:
    """Have an environment find this one's torch and the parts that came with it."""
    for found in distributions():
        if not OF_TORCH.fullmatch(_name(found)):
            continue
        for top in {Path(file).parts[0] for file in found.files or ()} - {".."}:
            link = packages / top
            if not link.exists():
                link.symlink_to(Path(str(found.locate_file(top))))


def _name(found: Distribution) -> str:
    return re.sub(r"[-_.]+", "-", found.metadata["Name"]).lower()

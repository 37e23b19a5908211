"""What travels with the code to a machine without a network: packages as wheels, a real model, a speaker's speech.

Only the standard library is imported here: on such a machine the packages are not there yet.
"""

import importlib.util
import os
import sys
import zipfile
from pathlib import Path

FOLDER = Path("var/gpu-kit")
WHEELS, MODEL, SPEECH = "wheels", "model.zip", "speech"
# Beyond torch, transformers and peft; each with the packages that it needs, as far as a bare machine lacks them.
PACKAGES = (
    *("pydantic", "pydantic_core", "annotated_types", "typing_inspection"),
    *("soundfile", "cffi", "pycparser"),
    *("jiwer", "rapidfuzz"),
)
NEEDED = ("torch", "transformers", "peft", "rich", "matplotlib", "click", "pydantic", "soundfile", "jiwer")


def unpack_wheels(kit: Path, into: Path) -> None:
    """Where packages are missing, make the kit's importable in this process and in those that it starts.

    Raises:
        SystemExit: a package is neither installed nor in the kit.
    """
    if _missing():
        for wheel in (kit / WHEELS).glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(into)
        sys.path.insert(0, str(into))
        os.environ["PYTHONPATH"] = os.pathsep.join([str(into), *filter(None, [os.environ.get("PYTHONPATH")])])
        importlib.invalidate_caches()
    if missing := _missing():
        raise SystemExit(
            f"this machine lacks {', '.join(missing)}: run `python -m bench.gpu.pack` where pip reaches a registry, "
            f"and carry its folder {kit} here"
        )


def _missing() -> list[str]:
    return [name for name in NEEDED if importlib.util.find_spec(name) is None]

"""Packs what `python -m bench.gpu` takes along to a bare machine: `python -m bench.gpu.pack --speaker FOLDER`.

The wheels are for the Python and system of that machine. The model travels in 8 bits, zipped: at float16 tiny.en alone
is larger than some machines let in.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import zipfile
from importlib.metadata import version
from pathlib import Path

from safetensors.torch import load_file, save_file

from adaptwin_core.ml.base.models import resolve
from adaptwin_core.ml.base.whisper_files import SIDECARS
from adaptwin_core.ml.model.checkpoint import WEIGHTS_FILE
from adaptwin_core.ml.model.loading import load_whisper
from adaptwin_core.ml.model.modeling_adaptwin import widened
from adaptwin_core.ml.model.quantization import stored_state
from bench.gpu import kit

PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")


def main() -> None:
    options = _options()
    shutil.rmtree(options.kit, ignore_errors=True)
    pack_wheels(options.kit / kit.WHEELS, options.python)
    pack_model(resolve(options.model, options.cache), options.kit / kit.MODEL)
    if options.speaker:
        shutil.copytree(options.speaker, options.kit / kit.SPEECH)
    num_bytes = sum(path.stat().st_size for path in options.kit.rglob("*") if path.is_file())
    print(f"{options.kit}: {num_bytes / 1e6:.1f} MB")


def pack_wheels(folder: Path, python: str) -> None:
    """Fetch the packages, in the versions that are installed here, for that version of Python on 64-bit Linux."""
    wanted = [f"{name}=={version(name)}" for name in kit.PACKAGES]
    form = ["--no-deps", "--only-binary=:all:", "--implementation", "cp", "--python-version", python]
    platforms = [word for platform in PLATFORMS for word in ("--platform", platform)]
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "-q", "-d", folder, *form, *platforms, *wanted], check=True
    )


def pack_model(base: Path, target: Path) -> None:
    """Write a base model's weights in 8 bits, and the texts beside them."""
    with tempfile.TemporaryDirectory() as scratch, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        weights = Path(scratch) / WEIGHTS_FILE
        save_file(stored_state(load_whisper(base), "int8"), weights)
        for path in (weights, base / "config.json", *(base / name for name in SIDECARS)):
            if path.exists():
                archive.write(path, path.name)


def unpack_model(source: Path, folder: Path) -> Path:
    """Return a folder with the model that was packed, as a base model: its weights are float16 again."""
    with zipfile.ZipFile(source) as archive:
        archive.extractall(folder)
    state = widened(load_file(folder / WEIGHTS_FILE))
    save_file({name: tensor.half() for name, tensor in state.items()}, folder / WEIGHTS_FILE, metadata={"format": "pt"})
    return folder


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kit", type=Path, default=kit.FOLDER, help="the folder to write")
    parser.add_argument("--speaker", type=Path, help="folder of one speaker's transcribed speech")
    parser.add_argument("--model", default="package:whisper-tiny.en", help="the real model")
    parser.add_argument("--cache", type=Path, default=Path("var/models"), help="where base models are kept")
    parser.add_argument("--python", default="3.12", help="version of Python on the machine")
    return parser.parse_args()


if __name__ == "__main__":
    main()

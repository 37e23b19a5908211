"""The speech that a bench works on: one speaker's and other people's, as a person would upload it."""

import argparse
from pathlib import Path

from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml.stages.walk import Speech
from adaptwin_core.speech.corpus import Corpus
from adaptwin_core.speech.files.sources import read_folder
from adaptwin_core.speech.ingest import build_corpus
from adaptwin_core.speech.limits import Limits
from bench.runner import Row, command_line, machine


def speech_command_line(description: str | None, name: str) -> argparse.ArgumentParser:
    """Return the command line of a bench that makes models of real speech."""
    parser = command_line(description, name)
    parser.add_argument("--speaker", type=Path, required=True, help="folder of one speaker's transcribed speech")
    parser.add_argument("--general", type=Path, required=True, help="folder of other speakers, with test clips")
    parser.add_argument("--model", default="package:whisper-base")
    parser.add_argument("--settings", default="{}", help="settings of every job, as JSON")
    parser.add_argument("--clips", type=int, default=48, help="held-out clips of each kind of speech to judge on")
    return parser


def read_speech(options: argparse.Namespace, work: Path) -> Speech:
    """Read the speech of `options.speaker` and `options.general` into `work`."""
    speaker, general = (
        build_corpus(read_folder(folder), work / name, Limits())
        for name, folder in (("speaker", options.speaker), ("general", options.general))
    )
    return Speech(speaker, general)


def corpora(speech: Speech) -> dict[str, Corpus]:
    """Return both kinds of speech by the names that rows have for them."""
    assert speech.general is not None
    return {"speaker": speech.speaker, "others": speech.general}


def how_made(options: argparse.Namespace, spec: CompressionSpec, speech: Speech) -> Row:
    """Return model, speech, settings and machine as JSON values."""
    return {
        "model": options.model,
        "speaker": options.speaker.name,
        "general": options.general.name,
        "corpora": {
            name: {"digest": corpus.digest, "clips": len(corpus.clips)} for name, corpus in corpora(speech).items()
        },
        "settings": spec.model_dump(mode="json"),
        "clips_judged_of_each_kind": options.clips,
        **machine(),
    }

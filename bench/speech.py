"""What the benches that make models of real speech share: one speaker's and other people's, as a person uploads it."""

import argparse
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml.model.quiet import quiet_transformers
from adaptwin_core.ml.stages.walk import Speech
from adaptwin_core.speech.corpus import Corpus
from adaptwin_core.speech.files.sources import read_folder
from adaptwin_core.speech.ingest import build_corpus
from adaptwin_core.speech.limits import Limits
from bench.frontier.judge import Judge
from bench.models import Models, base_model
from bench.runner import Row, Run, command_line, machine


def speech_command_line(description: str | None, name: str) -> argparse.ArgumentParser:
    """Return the command line of a bench that makes models of real speech."""
    parser = command_line(description, name)
    parser.add_argument("--speaker", type=Path, required=True, help="folder of one speaker's transcribed speech")
    parser.add_argument("--general", type=Path, required=True, help="folder of other speakers, with test clips")
    parser.add_argument("--model", default="package:whisper-base")
    parser.add_argument("--settings", default="{}", help="settings of every job, as JSON")
    parser.add_argument("--clips", type=int, default=48, help="held-out clips of each kind of speech to judge on")
    return parser


@contextmanager
def speech_run(options: argparse.Namespace, **how: object) -> Iterator[tuple[Run, Judge, Models]]:
    """Read the speech, and yield the rows of this run, what judges a model, and what makes the product's models.

    Args:
        how: what the run depends on besides the options that every bench of speech has, as JSON values.
    """
    quiet_transformers()
    spec = CompressionSpec.model_validate(json.loads(options.settings))
    with tempfile.TemporaryDirectory() as scratch:
        speech = _read_speech(options, Path(scratch))
        run = Run(options.out, _how_made(options, spec, speech) | how)
        judge = Judge(_corpora(speech), options.clips, spec.language)
        yield run, judge, Models(base_model(options.model, options.cache), spec, speech, Path(scratch) / "models")


def _read_speech(options: argparse.Namespace, work: Path) -> Speech:
    """Read the speech of `options.speaker` and `options.general` into `work`."""
    speaker, general = (
        build_corpus(read_folder(folder), work / name, Limits())
        for name, folder in (("speaker", options.speaker), ("general", options.general))
    )
    return Speech(speaker, general)


def _corpora(speech: Speech) -> dict[str, Corpus]:
    """Return both kinds of speech by the names that rows have for them."""
    assert speech.general is not None
    return {"speaker": speech.speaker, "others": speech.general}


def _how_made(options: argparse.Namespace, spec: CompressionSpec, speech: Speech) -> Row:
    """Return model, speech, settings and machine as JSON values."""
    return {
        "model": options.model,
        "speaker": options.speaker.name,
        "general": options.general.name,
        "corpora": {
            name: {"digest": corpus.digest, "clips": len(corpus.clips)} for name, corpus in _corpora(speech).items()
        },
        "settings": spec.model_dump(mode="json"),
        "clips_judged_of_each_kind": options.clips,
        **machine(),
    }

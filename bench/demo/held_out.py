"""Held-out clips as files, cut on the client from the very upload, and what a model hears in them.

The service tells which clips there are, but does not give their sound.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import soundfile

from adaptwin_core.domain.audio import SAMPLE_RATE_HZ
from adaptwin_core.rest.datasets import ClipOut, DatasetOut
from adaptwin_core.speech.ingest import Limits, SourceFile, build_corpus
from bench.demo.failure import DemoFailed

MAX_CLIPS = 200  # as many as the service's own report judges


@dataclass(frozen=True)
class HeldOut:
    folder: Path
    texts: dict[str, str]  # by clip; empty where the clips have no transcripts
    seconds: float


def cut_held_out(upload: Path, dataset: DatasetOut, clips: Sequence[ClipOut], folder: Path) -> HeldOut:
    """Write the clips that the service holds out as `folder`/ID.wav.

    Reading is repeatable, so the same upload gives the same clips here as there; the digest proves it.

    Raises:
        DemoFailed: it does not, or nothing is held out.
    """
    corpus = build_corpus([SourceFile(upload.name, upload)], folder / "corpus", Limits())
    if corpus.digest != dataset.digest:
        raise DemoFailed("reading the upload here gave other clips than on the server: are both of one version?")
    wanted = [clip for clip in clips if clip.split == "test"]
    if not wanted:
        raise DemoFailed("nothing is held out for testing: give more recordings, or a split column in metadata.csv")
    if any(clip.text for clip in wanted):
        wanted = [clip for clip in wanted if clip.text]
    step = max(1.0, len(wanted) / MAX_CLIPS)
    chosen = {wanted[int(i * step)].id: wanted[int(i * step)].text for i in range(min(len(wanted), MAX_CLIPS))}
    seconds = 0.0
    for clip in corpus.clips:
        if clip.id in chosen:
            soundfile.write(folder / f"{clip.id}.wav", corpus.audio(clip), SAMPLE_RATE_HZ, subtype="PCM_16")
            seconds += clip.seconds
    return HeldOut(folder, {name: text for name, text in chosen.items() if text}, seconds)


def transcribed(name: str, model: Path, clips: Path, out: Path, language: str, hub: Path) -> dict[str, Any]:
    """Transcribe a folder of clips in a process that knows only transformers, and return what it wrote to `out`.

    Args:
        name: of the model, for a person to read.
        hub: a folder for what transformers keeps, so that it finds nothing of the user's.

    Raises:
        DemoFailed: it failed, or the model loaded code of this project.
    """
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(hub.resolve()),
        "PYTHONPATH": "",
        "OMP_WAIT_POLICY": "PASSIVE",  # as the service's own workers
    }
    script = Path(__file__).with_name("transcribe.py")
    paths = [str(path.resolve()) for path in (model, clips, out)]
    done = subprocess.run(
        [sys.executable, str(script), *paths, language],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    if done.returncode:
        raise DemoFailed(f"transcribing with the {name} model failed:\n{done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(out.read_text())
    if result["uses_this_project"]:
        raise DemoFailed("the model loaded code of this project, so it would not load without it")
    return result

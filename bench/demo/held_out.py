"""Held-out clips as files, cut on the client from the very upload: the service shows clips, but not their sound."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import soundfile

from adaptwin_core.domain.audio import SAMPLE_RATE_HZ
from adaptwin_core.speech.ingest import Limits, SourceFile, build_corpus
from bench.demo.client import ServiceError

MAX_CLIPS = 200  # as many as the service's own report judges


@dataclass(frozen=True)
class HeldOut:
    folder: Path
    texts: dict[str, str]  # by clip; empty where the clips have no transcripts
    seconds: float


def cut_held_out(upload: Path, dataset: dict[str, Any], clips: list[dict[str, Any]], folder: Path) -> HeldOut:
    """Write the clips that the service holds out as `folder`/ID.wav.

    Reading is repeatable, so the same upload gives the same clips here as there; the digest proves it.

    Raises:
        ServiceError: it does not, or nothing is held out.
    """
    corpus = build_corpus([SourceFile(upload.name, upload)], folder / "corpus", Limits())
    if corpus.digest != dataset["digest"]:
        raise ServiceError("reading the upload here gave other clips than on the server: are both of one version?")
    wanted = [clip for clip in clips if clip["split"] == "test"]
    if not wanted:
        raise ServiceError("nothing is held out for testing: give more recordings, or a split column in metadata.csv")
    if any(clip["text"] for clip in wanted):
        wanted = [clip for clip in wanted if clip["text"]]
    step = max(1.0, len(wanted) / MAX_CLIPS)
    chosen = {wanted[int(i * step)]["id"]: wanted[int(i * step)]["text"] for i in range(min(len(wanted), MAX_CLIPS))}
    seconds = 0.0
    for clip in corpus.clips:
        if clip.id in chosen:
            soundfile.write(folder / f"{clip.id}.wav", corpus.audio(clip), SAMPLE_RATE_HZ, subtype="PCM_16")
            seconds += clip.seconds
    return HeldOut(folder, {name: text for name, text in chosen.items() if text}, seconds)

"""A checked set of speech on disk: FLAC shards of 16 kHz mono, and `corpus.json`, which says what is where."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self, TypedDict, get_args

import numpy as np
import numpy.typing as npt
import soundfile

from adaptwin_core.domain.audio import SAMPLE_RATE_HZ, seconds_of
from adaptwin_core.domain.dataset_report import DatasetReport, SplitFigures, SplitName
from adaptwin_core.domain.digest import canonical_json, digest_file, digest_json
from adaptwin_core.domain.errors import CorruptBlob
from adaptwin_core.domain.manifests import CORPUS_MANIFEST
from adaptwin_core.speech.claims import Split
from adaptwin_core.speech.notices import Note, Reject, Warning_

VERSION = 1

_MAX_SHARD = 600 * SAMPLE_RATE_HZ  # samples: ten minutes


@dataclass(frozen=True)
class Clip:
    """A stretch of speech of at most 30 s."""

    id: str
    recording: str  # the file it came from, as the person named it
    text: str | None  # None where it is not known, empty where it is known that nobody speaks
    split: Split
    shard: str
    start: int  # sample in the shard
    num_samples: int

    @property
    def seconds(self) -> float:
        return seconds_of(self.num_samples)


class Shard(TypedDict):
    name: str
    sha256: str
    bytes: int
    num_samples: int


@dataclass(frozen=True)
class Corpus:
    """Clips in the order of their recordings' names, and what was left out."""

    folder: Path
    clips: tuple[Clip, ...]
    shards: tuple[Shard, ...]
    rejects: tuple[Reject, ...] = ()
    warnings: tuple[Warning_, ...] = ()
    notes: tuple[Note, ...] = ()
    digest: str = field(init=False)  # of clips and shards: the same speech has the same digest, whatever was rejected

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", digest_json({"clips": self._clip_rows(), "shards": list(self.shards)}))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a folder's manifest. Shards are not opened.

        Raises:
            CorruptBlob: the manifest is missing, malformed, or not the one that was written.
        """
        try:
            manifest = json.loads((folder / CORPUS_MANIFEST).read_bytes())
            corpus = cls(
                folder=folder,
                clips=tuple(Clip(**row) for row in manifest["clips"]),
                shards=tuple(manifest["shards"]),
                rejects=tuple(manifest["rejects"]),
                warnings=tuple(manifest["warnings"]),
                notes=tuple(manifest.get("notes", ())),  # absent from manifests of before there were notes
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CorruptBlob("the speech manifest is missing or cannot be read; send the speech again") from error
        if manifest.get("version") != VERSION or manifest.get("digest") != corpus.digest:
            raise CorruptBlob("the speech manifest does not match its digest or version; send the speech again")
        return corpus

    def save(self) -> None:
        """Write the manifest as canonical JSON, whole or not at all."""
        manifest = {
            "version": VERSION,
            "digest": self.digest,
            "sample_rate_hz": SAMPLE_RATE_HZ,
            "clips": self._clip_rows(),
            "shards": list(self.shards),
            "rejects": list(self.rejects),
            "warnings": list(self.warnings),
            "notes": list(self.notes),
        }
        part = self.folder / f"{CORPUS_MANIFEST}.part"
        part.write_bytes(canonical_json(manifest))
        part.replace(self.folder / CORPUS_MANIFEST)

    @property
    def seconds(self) -> float:
        return seconds_of(sum(clip.num_samples for clip in self.clips))

    def split(self, name: str) -> list[Clip]:
        """Return the clips of one split, in order."""
        return [clip for clip in self.clips if clip.split == name]

    @property
    def is_transcribed(self) -> bool:
        """Whether any clip to train on has a transcript with words."""
        return any(clip.text for clip in self.split("train"))

    def audio(self, clip: Clip) -> npt.NDArray[np.float32]:
        """Return a clip's samples, shape (num_samples,), 16 kHz mono in [-1, 1).

        Raises:
            CorruptBlob: the shard is missing, unreadable or too short.
        """
        try:
            with soundfile.SoundFile(self.folder / clip.shard) as file:
                file.seek(clip.start)
                samples: npt.NDArray[np.float32] = file.read(clip.num_samples, dtype="float32")
        except (OSError, soundfile.LibsndfileError) as error:
            raise CorruptBlob(f"{clip.shard} of the speech is missing or damaged; send the speech again") from error
        if samples.shape != (clip.num_samples,):
            raise CorruptBlob(f"{clip.shard} of the speech is shorter than its manifest says; send the speech again")
        return samples

    def files(self) -> dict[str, Path]:
        """Return every file that makes up the corpus, by name."""
        return {name: self.folder / name for name in (CORPUS_MANIFEST, *(shard["name"] for shard in self.shards))}

    def report(self) -> DatasetReport:
        """Return what a person is told of the set, by the service and by `adaptwin compress` alike."""
        splits = {name: self.split(name) for name in get_args(SplitName)}
        parts = {name: _figures(clips) for name, clips in splits.items()}
        return DatasetReport.model_validate(
            {
                "seconds": round(self.seconds, 3),
                "clips": len(self.clips),
                "recordings": len({clip.recording for clip in self.clips}),
                "labelled": sum(part.labelled for part in parts.values()),
                "labelled_train": parts["train"].labelled,
                "splits": {name: _seconds(clips) for name, clips in splits.items()},
                "parts": parts,
                "rejects": self.rejects,
                "warnings": self.warnings,
                "notes": self.notes,
            }
        )

    def _clip_rows(self) -> list[dict[str, Any]]:
        return [asdict(clip) for clip in self.clips]


def _figures(clips: Sequence[Clip]) -> SplitFigures:
    labelled = [clip for clip in clips if clip.text is not None]
    texts = [(clip.text or "").split() for clip in labelled]
    return SplitFigures(
        clips=len(clips),
        labelled=len(labelled),
        silent=sum(not clip.text for clip in labelled),
        labelled_seconds=_seconds([clip for clip in labelled if clip.text]),
        unlabelled_seconds=_seconds([clip for clip in clips if clip.text is None]),
        words=sum(len(words) for words in texts),
        characters=sum(len("".join(words)) for words in texts),
    )


def _seconds(clips: Sequence[Clip]) -> float:
    return round(sum(clip.seconds for clip in clips), 3)


@dataclass(frozen=True)
class Place:
    """Where samples were put."""

    shard: str
    start: int
    num_samples: int


class CorpusWriter:
    """Appends samples to FLAC shards. A clip lies whole in one shard; no shard is longer than ten minutes."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._file: soundfile.SoundFile | None = None
        self._name = ""
        self._num_samples = 0
        self._shards: list[Shard] = []

    def append(self, samples: npt.NDArray[np.int16]) -> Place:
        """Write the samples of one clip, shape (num_samples,)."""
        file = self._file
        if file is None or self._num_samples + len(samples) > _MAX_SHARD:
            file = self._next_shard()
        file.write(samples)
        place = Place(self._name, self._num_samples, len(samples))
        self._num_samples += len(samples)
        return place

    def finish(self) -> tuple[Shard, ...]:
        """Close the last shard and return all."""
        self.close()
        return tuple(self._shards)

    def close(self) -> None:
        """Close the shard being written, if any."""
        if self._file is None:
            return
        self._file.close()
        self._file = None
        path = self._out / self._name
        self._shards.append(
            Shard(
                name=self._name,
                sha256=digest_file(path),
                bytes=path.stat().st_size,
                num_samples=self._num_samples,
            )
        )

    def _next_shard(self) -> soundfile.SoundFile:
        self.close()
        self._name = f"shard-{len(self._shards):04d}.flac"
        self._num_samples = 0
        path = self._out / self._name
        self._file = soundfile.SoundFile(path, "w", SAMPLE_RATE_HZ, 1, subtype="PCM_16", format="FLAC")
        return self._file

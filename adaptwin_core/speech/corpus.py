"""A checked set of speech on disk: FLAC shards of 16 kHz mono, and `corpus.json`, which says where each clip lies."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import soundfile

from adaptwin_core.domain.audio import SAMPLE_RATE_HZ, seconds_of
from adaptwin_core.domain.dataset_report import (
    DatasetNote,
    DatasetReport,
    DatasetWarning,
    RejectedFile,
    figures_of,
    seconds_in,
)
from adaptwin_core.domain.digest import canonical_json, digest_json
from adaptwin_core.domain.errors import CorruptBlob
from adaptwin_core.domain.manifests import CORPUS_MANIFEST
from adaptwin_core.domain.splits import SPLITS, Split
from adaptwin_core.speech.shards import Shard

VERSION = 1


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


@dataclass(frozen=True)
class Corpus:
    """Clips in the order of their recordings' names, and what was left out."""

    folder: Path
    clips: tuple[Clip, ...]
    shards: tuple[Shard, ...]
    rejects: tuple[RejectedFile, ...] = ()
    warnings: tuple[DatasetWarning, ...] = ()
    notes: tuple[DatasetNote, ...] = ()
    digest: str = field(init=False)  # of clips and shards alone: rejects and warnings do not change it

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
                rejects=tuple(RejectedFile(**row) for row in manifest["rejects"]),
                warnings=tuple(DatasetWarning(**row) for row in manifest["warnings"]),
                notes=tuple(DatasetNote(**row) for row in manifest.get("notes", ())),  # the oldest manifests have none
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
            "rejects": [reject.model_dump() for reject in self.rejects],
            "warnings": [warning.model_dump() for warning in self.warnings],
            "notes": [note.model_dump() for note in self.notes],
        }
        part = self.folder / f"{CORPUS_MANIFEST}.part"
        part.write_bytes(canonical_json(manifest))
        part.replace(self.folder / CORPUS_MANIFEST)

    @property
    def seconds(self) -> float:
        return seconds_of(sum(clip.num_samples for clip in self.clips))

    def split(self, name: Split) -> list[Clip]:
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
        """Return the report that the service and `adaptwin compress` give of the set."""
        parts = {name: figures_of(self.split(name)) for name in SPLITS}
        return DatasetReport(
            seconds=round(self.seconds, 3),
            clips=len(self.clips),
            recordings=len({clip.recording for clip in self.clips}),
            labelled=sum(part.labelled for part in parts.values()),
            labelled_train=parts["train"].labelled,
            splits={name: seconds_in(self.split(name)) for name in SPLITS},
            parts=parts,
            rejects=list(self.rejects),
            warnings=list(self.warnings),
            notes=list(self.notes),
        )

    def _clip_rows(self) -> list[dict[str, Any]]:
        return [asdict(clip) for clip in self.clips]

"""Reads transcript files as a set's would be, without any audio."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adaptwin_core.speech.annotations import Annotation
from adaptwin_core.speech.matching import matching
from adaptwin_core.speech.notices import Notices
from adaptwin_core.speech.texts.capitals import settle_capitals
from adaptwin_core.speech.texts.transcripts import Transcripts


@dataclass(frozen=True)
class Read:
    """What a set's transcripts say, and what the person is told."""

    annotations: dict[str, Annotation]
    warnings: dict[str, list[str]]  # code -> examples
    rejects: dict[str, str]  # name -> code
    notes: dict[str, str]  # code -> message

    def text(self, name: str) -> str | None:
        return self.annotations[name].text if name in self.annotations else None


def read(files: Mapping[str, str | bytes], audio: Sequence[str]) -> Read:
    notices = Notices()
    transcripts = Transcripts(notices)
    for name, content in files.items():
        transcripts.add_file(name, content.encode() if isinstance(content, str) else content)
    claims = transcripts.claims(audio)
    annotations = settle_capitals(matching.match(claims, audio, [], notices), notices)
    return Read(
        annotations,
        {w.code: w.examples for w in notices.warnings},
        {r.name: r.code for r in notices.rejects},
        {n.code: n.message for n in notices.notes},
    )

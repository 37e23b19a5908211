"""Turns the files a person sent into a corpus.

It walks over the sources twice. The first walk counts and sniffs the files and reads transcripts, since these may come
after the audio they belong to. The second one decodes. Memory stays flat, and the temporary disk holds at most one file
and its samples.
"""

import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from adaptwin_core.domain.dataset_report import RejectedFile
from adaptwin_core.domain.digest import digest_file
from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.domain.progress import Progress, no_progress
from adaptwin_core.speech.annotations import Annotation
from adaptwin_core.speech.audio_files import audio_files
from adaptwin_core.speech.clips import clips_of
from adaptwin_core.speech.corpus import Corpus
from adaptwin_core.speech.files.sources import SourceFile, label
from adaptwin_core.speech.limits import Limits
from adaptwin_core.speech.matching.matching import match
from adaptwin_core.speech.matching.same_recording import Versions
from adaptwin_core.speech.notices import Notices
from adaptwin_core.speech.reader import Reader
from adaptwin_core.speech.reading_progress import ProgressReports
from adaptwin_core.speech.shards import ShardWriter
from adaptwin_core.speech.sound.sandbox import Decoder
from adaptwin_core.speech.sound.sniff import READ_FORMS
from adaptwin_core.speech.survey import survey
from adaptwin_core.speech.texts.capitals import settle_capitals

__all__ = ["Limits", "SourceFile", "build_corpus"]

_UNUSABLE = frozenset(
    {"decode_failed", "not_finite", "archive_damaged"}
)  # then another encoding of the same recording is tried


def build_corpus(sources: Sequence[SourceFile], out: Path, limits: Limits, progress: Progress = no_progress) -> Corpus:
    """Read files and archives of speech into `out`, an empty or new folder.

    The same files in any order give the same digest. A file that cannot be used is listed in `rejects`; the others
    are used. `progress` is told of audio files, and of the `seconds` decoded, about once a second.

    Raises:
        InvalidAudio: the set as a whole cannot be used: no_audio, too_long, too_slow, too_many_files or too_large.
    """
    out.mkdir(parents=True, exist_ok=True)
    notices = Notices()
    ordered = _in_order(sources)
    found = survey(ordered, limits, notices)
    claims = found.transcripts.claims([*found.audio_names, *found.refused_names])
    annotations = settle_capitals(match(claims, found.audio_names, found.refused_names, notices), notices)
    versions = Versions(found.audio_names, annotations)
    with tempfile.TemporaryDirectory(prefix="spool-", dir=out) as spool, Decoder(limits) as decoder:
        writer = ShardWriter(out)
        reports = ProgressReports(progress)
        reader = Reader(Path(spool), decoder, writer, limits, notices, reports)
        try:
            wanted = versions.first
            while wanted:
                reports.expect(len(wanted))
                for audio in audio_files(ordered, Path(spool), found, wanted, notices):
                    reader.read(audio, annotations.get(audio.name, Annotation()))
                wanted = versions.instead_of({reject.name for reject in notices.rejects if reject.code in _UNUSABLE})
        finally:
            writer.close()
    for name, read in versions.unread():
        reason = f"by its name it holds the same recording as {read}, which is used; rename it if it is another"
        notices.reject(name, "same_recording", reason)
    if not reader.used:
        raise InvalidAudio(_nothing_usable(notices.rejects), code="no_audio")
    reports.report(final=True)
    clips = clips_of(reader.used)
    if all(clip.split != "test" for clip in clips):
        notices.warn("no_test", reader.used[0].name)
    corpus = Corpus(out, clips, writer.finish(), tuple(notices.rejects), tuple(notices.warnings), tuple(notices.notes))
    corpus.save()
    return corpus


def _in_order(sources: Sequence[SourceFile]) -> list[SourceFile]:
    """Return the files by label, and by content where two have the same label."""
    named = [SourceFile(label(source.name), source.path) for source in sources]
    count = Counter(source.name for source in named)
    return sorted(named, key=lambda s: (s.name, digest_file(s.path) if count[s.name] > 1 and s.path.is_file() else ""))


def _nothing_usable(rejects: Sequence[RejectedFile]) -> str:
    if not rejects:
        return f"the set holds no audio; send {READ_FORMS} files"
    shown = "; ".join(f"{reject.name}: {reject.reason}" for reject in rejects[:3])
    return f"none of the {len(rejects)} files sent can be used as speech. {shown}"

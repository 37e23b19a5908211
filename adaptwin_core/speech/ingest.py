"""Turns the files a person sent into a corpus.

Two walks over the sources: the first counts, sniffs and reads transcripts, which may come after the audio they belong
to; the second decodes. Memory is flat, and of the temporary disk never more than one file and its samples is used.
"""

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from adaptwin_core.domain.digest import digest_file
from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.speech import split
from adaptwin_core.speech.capitals import settle_capitals
from adaptwin_core.speech.claims import Line
from adaptwin_core.speech.corpus import Clip, Corpus, CorpusWriter, Place
from adaptwin_core.speech.decoder_protocol import SAMPLE_RATE_HZ
from adaptwin_core.speech.limits import Limits
from adaptwin_core.speech.matching import match
from adaptwin_core.speech.notices import Notices, Reject
from adaptwin_core.speech.recording import SILENCE_PEAK, Recording, peak
from adaptwin_core.speech.same_recording import Versions
from adaptwin_core.speech.sandbox import Decoded, Decoder
from adaptwin_core.speech.segment import MAX_CLIP, pieces
from adaptwin_core.speech.sniff import READ_FORMS
from adaptwin_core.speech.sources import SourceFile, label
from adaptwin_core.speech.survey import AudioFile, audio_files, survey

__all__ = ["Limits", "Progress", "SourceFile", "build_corpus"]

_MAX_CLIPPED_SHARE = 0.01
_MAX_CHARS_PER_S, _MIN_CHARS_PER_S = 35.0, 1.0
_MIN_TEXT_CHECK_S = 5.0  # a short clip may hold one word
_REPORT_EVERY_S = 1.0
_UNCODED = frozenset({"wav", "w64", "aiff", "flac"})  # forms that no codec pads
_UNUSABLE = frozenset({"decode_failed", "not_finite", "archive_damaged"})  # another encoding of it may be whole


@dataclass(frozen=True)
class Progress:
    """How far reading has come."""

    num_files: int  # audio files done
    total_files: int
    seconds: float  # of audio decoded


OnProgress = Callable[[Progress], None]


def build_corpus(
    sources: Sequence[SourceFile], out: Path, limits: Limits, on_progress: OnProgress | None = None
) -> Corpus:
    """Read files and archives of speech into `out`, an empty or new folder.

    The same files in any order give the same digest. A file that cannot be used is listed in `rejects` and costs
    nothing else. `on_progress` is called about once a second while audio is read; what it raises ends the work.

    Raises:
        InvalidAudio: the set as a whole cannot be used: no_audio, too_long, too_slow, too_many_files or too_large.
    """
    out.mkdir(parents=True, exist_ok=True)
    notices = Notices()
    ordered = _in_order(sources)
    found = survey(ordered, limits, notices)
    claims = found.transcripts.claims([*found.audio_names, *found.refused_names])
    lines = settle_capitals(match(claims, found.audio_names, found.refused_names, notices), notices)
    versions = Versions(found.audio_names, lines)
    with tempfile.TemporaryDirectory(prefix="spool-", dir=out) as spool, Decoder(limits) as decoder:
        builder = _Builder(
            out=out,
            spool=Path(spool),
            decoder=decoder,
            limits=limits,
            notices=notices,
            on_progress=on_progress,
        )
        try:
            wanted = versions.first
            while wanted:
                builder.expect(len(wanted))
                for audio in audio_files(ordered, Path(spool), found, wanted, notices):
                    builder.add(audio, lines.get(audio.name, Line()))
                wanted = versions.instead_of({r["name"] for r in notices.rejects if r["code"] in _UNUSABLE})
        finally:
            builder.writer.close()
    for name, read in versions.unread():
        reason = f"by its name it holds the same recording as {read}, which is used; rename it if it is another"
        notices.reject(name, "same_recording", reason)
    return builder.finish()


def _in_order(sources: Sequence[SourceFile]) -> list[SourceFile]:
    """Sort by label, and by content where two share one."""
    named = [SourceFile(label(source.name), source.path) for source in sources]
    count = Counter(source.name for source in named)
    return sorted(named, key=lambda s: (s.name, digest_file(s.path) if count[s.name] > 1 and s.path.is_file() else ""))


@dataclass(frozen=True)
class _Taken:
    """A file that was used: its pieces, in time order."""

    name: str
    line: Line
    places: tuple[Place, ...]


class _Builder:
    """What has been gathered so far."""

    def __init__(
        self,
        *,
        out: Path,
        spool: Path,
        decoder: Decoder,
        limits: Limits,
        notices: Notices,
        on_progress: OnProgress | None,
    ) -> None:
        self.writer = CorpusWriter(out)
        self._out, self._spool, self._decoder, self._limits, self._notices = out, spool, decoder, limits, notices
        self._total_files = 0
        self._on_progress = on_progress
        self._taken: list[_Taken] = []
        self._by_sound: dict[str, str] = {}  # SHA-256 of the samples -> name of the file that had them first
        self._num_files = 0
        self._num_samples = 0  # decoded, used or not
        self._deadline = time.monotonic() + limits.max_wall_s
        self._next_report = 0.0

    def expect(self, num_files: int) -> None:
        """Announce that more files follow."""
        self._total_files += num_files

    def add(self, audio: AudioFile, line: Line) -> None:
        """Decode one file and keep it, or say why not."""
        if time.monotonic() > self._deadline:
            hours = self._limits.max_wall_s / 3600
            raise InvalidAudio(f"reading the set took over {hours:g} h; send it in several sets", code="too_slow")
        with Recording(self._spool) as recording:
            try:
                self._read(audio, line, recording)
            except _TooLongError:
                hours = self._limits.max_decoded_s / 3600
                raise InvalidAudio(
                    f"the set holds more than {hours:g} h of audio, reached in {audio.name}; send less", code="too_long"
                ) from None
            except InvalidAudio as error:
                self._notices.reject(audio.name, error.code, error.message)
        self._num_files += 1
        self._report()

    def finish(self) -> Corpus:
        """Split, and write the manifest."""
        rejects = self._notices.rejects
        if not self._taken:
            raise InvalidAudio(_nothing_usable(rejects), code="no_audio")
        self._report(final=True)
        splits = split.assign(
            [
                split.Recording(
                    t.name, tuple(p.num_samples for p in t.places), t.line.split, is_wordless=_is_wordless(t.line)
                )
                for t in self._taken
            ]
        )
        clips: list[Clip] = []
        for taken, piece_splits in zip(self._taken, splits, strict=True):
            for place, piece_split in zip(taken.places, piece_splits, strict=True):
                clips.append(
                    Clip(
                        id=f"clip-{len(clips):05d}",
                        recording=taken.name,
                        text=taken.line.text,
                        split=piece_split,
                        shard=place.shard,
                        start=place.start,
                        num_samples=place.num_samples,
                    )
                )
        if all(clip.split != "test" for clip in clips):
            self._notices.add("no_test", self._taken[0].name)
        corpus = Corpus(
            self._out,
            tuple(clips),
            self.writer.finish(),
            tuple(rejects),
            tuple(self._notices.warnings),
            tuple(self._notices.notes),
        )
        corpus.save()
        return corpus

    def _read(self, audio: AudioFile, line: Line, recording: Recording) -> None:
        before = self._num_samples

        def count() -> None:
            self._num_samples = before + recording.num_samples
            self._report()

        room = int(self._limits.max_decoded_s * SAMPLE_RATE_HZ) - before
        decoded = self._decoder.decode(audio.path, audio.container, _Watched(recording, count), max_samples=room)
        if decoded.over_limit:
            raise _TooLongError
        recording.check(is_wordless=_is_wordless(line))
        first = self._by_sound.setdefault(recording.sha256, audio.name)
        if first != audio.name:
            raise InvalidAudio(f"it sounds exactly like {first}; send each recording once", code="duplicate")
        self._tell(audio.name, decoded)
        if decoded.damaged:
            line = _untold(line)
        self._keep(audio, line, recording)

    def _tell(self, name: str, decoded: Decoded) -> None:
        told = {
            "clipped": decoded.clipped_share > _MAX_CLIPPED_SHARE,
            "damaged": decoded.damaged,
            "one_channel": decoded.one_channel,
            "rescaled": decoded.rescaled,
        }
        for code, is_so in told.items():
            if is_so:
                self._notices.add(code, name)
        if decoded.num_tracks > 1:
            which = f"it holds {decoded.num_tracks} sound tracks; number {decoded.track} is used"
            self._notices.note(name, "sound_track", which)

    def _keep(self, audio: AudioFile, line: Line, recording: Recording) -> None:
        name = audio.name
        if recording.leave_out_quiet_ends(is_coded=audio.container not in _UNCODED):
            self._notices.add("ends_trimmed", name)
        if recording.num_samples > MAX_CLIP:
            if line.text:
                self._notices.add("long_clip_unlabelled", name)
            line = _untold(line)
        elif line.text:
            chars_per_s = len(line.text) / recording.seconds
            slow = chars_per_s < _MIN_CHARS_PER_S and recording.seconds >= _MIN_TEXT_CHECK_S
            if chars_per_s > _MAX_CHARS_PER_S or slow:
                self._notices.add("text_mismatch", name)
        places = []
        for piece in pieces(recording.blocks()):
            if peak(piece) < SILENCE_PEAK and not _is_wordless(line):
                self._notices.add("silent_parts", name)
            else:
                places.append(self.writer.append(piece))
        self._taken.append(_Taken(name, line, tuple(places)))

    def _report(self, *, final: bool = False) -> None:
        now = time.monotonic()
        if self._on_progress is None or (now < self._next_report and not final):
            return
        self._next_report = now + _REPORT_EVERY_S
        self._on_progress(Progress(self._num_files, self._total_files, self._num_samples / SAMPLE_RATE_HZ))


@dataclass(frozen=True)
class _Watched:
    """A recording that tells when it has grown."""

    recording: Recording
    on_data: Callable[[], None]

    def append(self, data: bytes) -> None:
        self.recording.append(data)
        self.on_data()

    def restart(self) -> None:
        self.recording.restart()


def _is_wordless(line: Line) -> bool:
    return line.text == ""


def _untold(line: Line) -> Line:
    """Return what still holds of pieces of a recording, or of what could be read: its words do not, silence does."""
    return line if _is_wordless(line) else Line(text=None, split=line.split)


class _TooLongError(Exception):
    """The set's cap on decoded audio was reached."""


def _nothing_usable(rejects: Sequence[Reject]) -> str:
    if not rejects:
        return f"the set holds no audio; send {READ_FORMS} files"
    shown = "; ".join(f"{r['name']}: {r['reason']}" for r in rejects[:3])
    return f"none of the {len(rejects)} files sent can be used as speech. {shown}"

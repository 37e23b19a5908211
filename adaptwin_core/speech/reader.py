"""Reads the recordings of a set one by one: each is decoded, checked, cut into pieces and written to shards."""

import time
from pathlib import Path

from adaptwin_core.domain.audio import WINDOW_SAMPLES, samples_of
from adaptwin_core.domain.errors import InvalidAudio
from adaptwin_core.speech.annotations import Annotation
from adaptwin_core.speech.audio_files import AudioFile
from adaptwin_core.speech.clips import UsedFile
from adaptwin_core.speech.limits import Limits
from adaptwin_core.speech.notices import Notices, WarningCode
from adaptwin_core.speech.reading_progress import CountedRecording, ProgressReports
from adaptwin_core.speech.shards import ShardWriter
from adaptwin_core.speech.sound.recording import SILENCE_PEAK, Recording, peak
from adaptwin_core.speech.sound.sandbox import Decoded, Decoder
from adaptwin_core.speech.sound.segment import pieces

_MAX_CLIPPED_SHARE = 0.01
_MAX_CHARS_PER_S, _MIN_CHARS_PER_S = 35.0, 1.0
_MIN_TEXT_CHECK_S = 5.0  # a short clip may hold one word
_UNCODED = frozenset({"wav", "w64", "aiff", "flac"})  # containers whose sound no codec pads


class Reader:
    """Reads files in turn. Those that are used are in `used`; `notices` says what is not used and why."""

    def __init__(
        self,
        spool: Path,
        decoder: Decoder,
        writer: ShardWriter,
        limits: Limits,
        notices: Notices,
        progress: ProgressReports,
    ) -> None:
        self.used: list[UsedFile] = []
        self._spool, self._decoder, self._writer, self._limits, self._notices = spool, decoder, writer, limits, notices
        self._progress = progress
        self._by_sound: dict[str, str] = {}  # SHA-256 of the samples -> name of the file that had them first
        self._deadline = time.monotonic() + limits.max_wall_s

    def read(self, audio: AudioFile, annotation: Annotation) -> None:
        """Decode one file and keep it, or say why not."""
        if time.monotonic() > self._deadline:
            hours = self._limits.max_wall_s / 3600
            raise InvalidAudio(f"reading the set took over {hours:g} h; send it in several sets", code="too_slow")
        with Recording(self._spool) as recording:
            try:
                self._take(audio, annotation, recording)
            except _TooLongError:
                hours = self._limits.max_decoded_s / 3600
                raise InvalidAudio(
                    f"the set holds more than {hours:g} h of audio, reached in {audio.name}; send less", code="too_long"
                ) from None
            except InvalidAudio as error:
                self._notices.reject(audio.name, error.code, error.message)
        self._progress.count_file()

    def _take(self, audio: AudioFile, annotation: Annotation, recording: Recording) -> None:
        room = samples_of(self._limits.max_decoded_s) - self._progress.num_samples
        sink = CountedRecording(recording, self._progress)
        decoded = self._decoder.decode(audio.path, audio.container, sink, max_samples=room)
        if decoded.over_limit:
            raise _TooLongError
        recording.check(is_nonspeech=annotation.is_nonspeech)
        first = self._by_sound.setdefault(recording.sha256, audio.name)
        if first != audio.name:
            raise InvalidAudio(f"it sounds exactly like {first}; send each recording once", code="duplicate")
        self._warn(audio.name, decoded)
        if decoded.damaged:
            annotation = _of_a_part(annotation)
        self._keep(audio, annotation, recording)

    def _warn(self, name: str, decoded: Decoded) -> None:
        told: dict[WarningCode, bool] = {
            "clipped": decoded.clipped_share > _MAX_CLIPPED_SHARE,
            "damaged": decoded.damaged,
            "one_channel": decoded.one_channel,
            "rescaled": decoded.rescaled,
        }
        for code, is_so in told.items():
            if is_so:
                self._notices.warn(code, name)
        if decoded.num_tracks > 1:
            which = f"it holds {decoded.num_tracks} sound tracks; number {decoded.track} is used"
            self._notices.note(name, "sound_track", which)

    def _keep(self, audio: AudioFile, annotation: Annotation, recording: Recording) -> None:
        name = audio.name
        if recording.leave_out_quiet_ends(is_coded=audio.container not in _UNCODED):
            self._notices.warn("ends_trimmed", name)
        if recording.num_samples > WINDOW_SAMPLES:
            if annotation.text:
                self._notices.warn("long_clip_unlabelled", name)
            annotation = _of_a_part(annotation)
        elif annotation.text:
            chars_per_s = len(annotation.text) / recording.seconds
            slow = chars_per_s < _MIN_CHARS_PER_S and recording.seconds >= _MIN_TEXT_CHECK_S
            if chars_per_s > _MAX_CHARS_PER_S or slow:
                self._notices.warn("text_mismatch", name)
        spans = []
        for piece in pieces(recording.blocks()):
            if peak(piece) < SILENCE_PEAK and not annotation.is_nonspeech:
                self._notices.warn("silent_parts", name)
            else:
                spans.append(self._writer.append(piece))
        self.used.append(UsedFile(name, annotation, tuple(spans)))


def _of_a_part(annotation: Annotation) -> Annotation:
    """Return what holds for a part of a recording. Its words cannot be placed, but a part of silence is silence."""
    return annotation if annotation.is_nonspeech else Annotation(text=None, split=annotation.split)


class _TooLongError(Exception):
    """The set's cap on decoded audio was reached."""

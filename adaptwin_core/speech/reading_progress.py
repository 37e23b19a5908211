"""How far the reading of a set has come, and who is told."""

import time

from adaptwin_core.domain.audio import seconds_of
from adaptwin_core.domain.progress import Progress
from adaptwin_core.speech.sound.recording import Recording

_REPORT_EVERY_S = 1.0


class ProgressReports:
    """Counts files and samples, used or not, and tells `progress` of audio files, with the `seconds` decoded, about
    once a second.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._num_files = self._total_files = 0
        self.num_samples = 0
        self._next_report = 0.0

    def expect(self, num_files: int) -> None:
        """Announce that more files follow."""
        self._total_files += num_files

    def count_file(self) -> None:
        """Count one file that is done."""
        self._num_files += 1
        self.report()

    def report(self, *, final: bool = False) -> None:
        """Say how far reading has come, if the last time was long ago or this is the end."""
        now = time.monotonic()
        if now < self._next_report and not final:
            return
        self._next_report = now + _REPORT_EVERY_S
        self._progress(self._num_files, self._total_files, seconds=seconds_of(self.num_samples))


class CountedRecording:
    """Takes the samples of a recording, and counts them as they come."""

    def __init__(self, recording: Recording, progress: ProgressReports) -> None:
        self._recording, self._progress = recording, progress
        self._num_before = progress.num_samples

    def append(self, data: bytes) -> None:
        """Take 16-bit samples."""
        self._recording.append(data)
        self._progress.num_samples = self._num_before + self._recording.num_samples
        self._progress.report()

    def restart(self) -> None:
        """Forget the samples so far: they come once more, whole."""
        self._recording.restart()

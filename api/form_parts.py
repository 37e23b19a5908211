"""A form that holds files alone, all in one field: which files, and the bytes of each."""

from dataclasses import dataclass

from fastapi.exceptions import RequestValidationError

from adaptwin_core.domain.refusals import UNKNOWN, unknown_name
from api.multipart import MEDIA_TYPE, Multipart, PartBegins, PartEnds

__all__ = ["FIELD", "MEDIA_TYPE", "FileBegins", "FileEnds", "FormReader"]

FIELD = "file"
MAX_FILES = 1000  # each costs the service several transactions
_CURL = "with curl: -F file=@day1.wav"


@dataclass(frozen=True)
class FileBegins:
    """The bytes that follow are of a file of this name."""

    name: str


class FileEnds:
    """The file that began last is complete."""


Event = FileBegins | bytes | FileEnds


class FormReader:
    """Turns chunks of a body into the files that they hold."""

    def __init__(self, content_type: str) -> None:
        """Read where the parts of the body are parted. Raises InvalidInput, as `Multipart`."""
        self._parts = Multipart(content_type, _CURL)
        self._num_files = 0

    def feed(self, chunk: bytes) -> list[Event]:
        """Return what a chunk holds.

        Raises:
            InvalidInput: it is not as the boundary says.
            RequestValidationError: it holds something else than files.
        """
        return [self._of_file(event) for event in self._parts.feed(chunk)]

    def close(self) -> None:
        """Check that the body came whole.

        Raises:
            InvalidInput: its last boundary is missing.
            RequestValidationError: it holds no file.
        """
        self._parts.close()
        if not self._num_files:
            raise _refused("no_file", f"must be given: send at least one file, {_CURL}")

    def _of_file(self, event: PartBegins | bytes | PartEnds) -> Event:
        if isinstance(event, bytes):
            return event
        if isinstance(event, PartEnds):
            return FileEnds()
        if event.field != FIELD:
            raise _refused(UNKNOWN, unknown_name("field", event.field, [FIELD]), event.field)
        if event.file_name is None:
            raise _refused("no_file", f"is no file: write @ before its name, {_CURL}")
        self._num_files += 1
        if self._num_files > MAX_FILES:
            what = f"holds more than {MAX_FILES} files: send the rest in further requests, or all as one tar or zip"
            raise _refused("too_many", what)
        return FileBegins(event.file_name.replace("%22", '"'))  # as browsers and curl write a quote


def _refused(code: str, message: str, field: str = FIELD) -> RequestValidationError:
    return RequestValidationError([{"type": code, "loc": ("body", field), "msg": message, "input": None}])

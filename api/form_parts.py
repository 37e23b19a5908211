"""Reads a `multipart/form-data` body as it comes: which files it holds, and the bytes of each.

FastAPI's own `UploadFile` would copy every file to a temporary one before the handler runs: twice the writing, and into
a folder that containers often keep in memory. So this drives the parser that FastAPI uses, python-multipart, chunk by
chunk.
"""

from dataclasses import dataclass

from fastapi.exceptions import RequestValidationError
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.domain.refusals import UNKNOWN, unknown_name

MEDIA_TYPE = "multipart/form-data"
FIELD = "file"
_CURL = "with curl: -F file=@day1.wav"


@dataclass(frozen=True)
class FileBegins:
    """The bytes that follow are of a file of this name."""

    name: str


class FileEnds:
    """The file that began last is complete."""


Event = FileBegins | bytes | FileEnds


class FormReader:
    """Turns chunks of a body into what they hold."""

    def __init__(self, content_type: str) -> None:
        """Read where the parts of the body are parted.

        Raises:
            InvalidInput: the body is no form, or its header names no boundary.
        """
        media_type, options = parse_options_header(content_type)
        if media_type.decode("latin-1") != MEDIA_TYPE:
            raise InvalidInput(f"send the files as {MEDIA_TYPE}, {_CURL}", code="unsupported_media_type")
        if not (boundary := options.get(b"boundary")):
            raise InvalidInput(
                f"Content-Type: {MEDIA_TYPE} names no boundary: leave the header to your HTTP library, or {_CURL}"
            )
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._part_begins,
                    "on_header_field": self._header_name,
                    "on_header_value": self._header_value,
                    "on_header_end": self._header_ends,
                    "on_headers_finished": self._headers_end,
                    "on_part_data": self._data,
                    "on_part_end": self._part_ends,
                    "on_end": self._form_ends,
                },
            )
        except FormParserError as error:
            raise _unreadable(error) from error
        self._has_ended = False
        self._num_files = 0
        self._events: list[Event] = []
        self._headers: dict[str, str] = {}
        self._name, self._value = bytearray(), bytearray()

    def feed(self, chunk: bytes) -> list[Event]:
        """Return what a chunk holds.

        Raises:
            InvalidInput: it is not as the boundary says.
            RequestValidationError: it holds something else than files.
        """
        self._events = []
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise _unreadable(error) from error
        return self._events

    def close(self) -> None:
        """Check that the body came whole.

        Raises:
            InvalidInput: its last boundary is missing.
            RequestValidationError: it holds no file.
        """
        if not self._has_ended:
            raise InvalidInput(
                f"the form ends before its last boundary: send it again, and leave its parting to your library, {_CURL}"
            )
        if not self._num_files:
            raise _refused("no_file", f"must be given: send at least one file, {_CURL}")

    def _part_begins(self) -> None:
        self._headers = {}

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_ends(self) -> None:
        self._headers[self._name.decode("latin-1").lower()] = self._value.decode("latin-1")
        self._name, self._value = bytearray(), bytearray()

    def _headers_end(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition", ""))
        field = options.get(b"name", b"").decode("utf-8", "replace")
        if field != FIELD:
            raise _refused(UNKNOWN, unknown_name("field", field, [FIELD]), field)
        if b"filename" not in options:
            raise _refused("no_file", f"is no file: write @ before its name, {_CURL}")
        try:
            name = options[b"filename"].decode("utf-8")
        except UnicodeDecodeError as error:
            raise InvalidInput("a file's name must be UTF-8") from error
        self._num_files += 1
        self._events.append(FileBegins(name.replace("%22", '"')))  # as browsers and curl write a quote

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._events.append(data[start:end])

    def _part_ends(self) -> None:
        self._events.append(FileEnds())

    def _form_ends(self) -> None:
        self._has_ended = True


def _refused(code: str, message: str, field: str = FIELD) -> RequestValidationError:
    return RequestValidationError([{"type": code, "loc": ("body", field), "msg": message, "input": None}])


def _unreadable(error: FormParserError) -> InvalidInput:
    return InvalidInput(
        f"the form cannot be read ({error}): its parts must be parted by the boundary that Content-Type names. Leave "
        f"both to your HTTP library, or {_CURL}"
    )

"""Reads a `multipart/form-data` body as it comes: its parts, and the bytes of each.

FastAPI's own `UploadFile` would copy every file to a temporary one before the handler runs: twice the writing, and into
a folder that containers often keep in memory. So this drives the parser that FastAPI uses, python-multipart, chunk by
chunk.
"""

from dataclasses import dataclass

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from adaptwin_core.domain.errors import InvalidInput

MEDIA_TYPE = "multipart/form-data"


@dataclass(frozen=True)
class PartBegins:
    """The bytes that follow are of this field. A part that is a file has the name that it was sent with."""

    field: str
    file_name: str | None


class PartEnds:
    """The part that began last is complete."""


Event = PartBegins | bytes | PartEnds


class Multipart:
    """Turns chunks of a body into what they hold."""

    def __init__(self, content_type: str, advice: str) -> None:
        """Read where the parts of the body are parted.

        Args:
            advice: how curl sends such a form.

        Raises:
            InvalidInput: the body is no form, or its header names no boundary.
        """
        self._advice = advice
        media_type, options = parse_options_header(content_type)
        if media_type.decode("latin-1") != MEDIA_TYPE:
            raise InvalidInput(f"send the files as {MEDIA_TYPE}, {advice}", code="unsupported_media_type")
        if not (boundary := options.get(b"boundary")):
            raise InvalidInput(
                f"Content-Type: {MEDIA_TYPE} names no boundary: leave the header to your HTTP library, or {advice}"
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
            raise self._unreadable(error) from error
        self._has_ended = False
        self._events: list[Event] = []
        self._headers: dict[str, str] = {}
        self._name, self._value = bytearray(), bytearray()

    def feed(self, chunk: bytes) -> list[Event]:
        """Return what a chunk holds. Raises InvalidInput where it is not as the boundary says."""
        self._events = []
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise self._unreadable(error) from error
        return self._events

    def close(self) -> None:
        """Check that the body came whole. Raises InvalidInput if its last boundary is missing."""
        if not self._has_ended:
            raise InvalidInput(
                "the form ends before its last boundary: send it again, and leave its parting to your library, "
                f"{self._advice}"
            )

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
        name = options.get(b"filename")
        try:
            file_name = None if name is None else name.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InvalidInput("a file's name must be UTF-8") from error
        self._events.append(PartBegins(field, file_name))

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._events.append(data[start:end])

    def _part_ends(self) -> None:
        self._events.append(PartEnds())

    def _form_ends(self) -> None:
        self._has_ended = True

    def _unreadable(self, error: FormParserError) -> InvalidInput:
        return InvalidInput(
            f"the form cannot be read ({error}): its parts must be parted by the boundary that Content-Type names. "
            f"Leave both to your HTTP library, or {self._advice}"
        )

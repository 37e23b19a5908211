"""Reads the form of a request to transcribe: its fields, and the one file."""

from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.requests import ClientDisconnect, Request

from adaptwin_core.domain.errors import InvalidInput, LimitExceeded
from adaptwin_core.rest.transcriptions import NewTranscription
from api.body_stream import chunks_of
from api.multipart import MEDIA_TYPE, Multipart, PartBegins, PartEnds

FILE = "file"
FILE_BYTES = 25 << 20  # as at OpenAI
FIELDS_BYTES = 64 << 10  # of all fields but the file, with what parts them
SHORTER = "Send a shorter recording, or one in a compressed form such as mp3, m4a or opus"
_LISTS = {"timestamp_granularities"}
_CURL = "with curl: -F file=@day1.wav -F model=mdl_…"

_SCHEMA = NewTranscription.model_json_schema()
OPENAPI_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        MEDIA_TYPE: {
            "schema": {
                "type": "object",
                "properties": {
                    FILE: {"type": "string", "format": "binary", "description": "The recording: any audio file."},
                    **{name + "[]" * (name in _LISTS): field for name, field in _SCHEMA["properties"].items()},
                },
                "required": [FILE, *_SCHEMA["required"]],
                "additionalProperties": False,
            }
        }
    },
}


async def read_form(request: Request) -> tuple[NewTranscription, bytes]:
    """Return the fields and the bytes of the file.

    Raises:
        InvalidInput: the body is no such form; with code "request_timeout", it broke off.
        LimitExceeded: the file is too large.
        RequestValidationError: a field cannot be used, or the file is missing.
    """
    form = _Form(request.headers.get("content-type", ""))
    try:
        async for chunk in chunks_of(request):
            form.feed(chunk)
    except (ClientDisconnect, TimeoutError) as error:
        raise InvalidInput("the body broke off: send it again", code="request_timeout") from error
    return form.close()


class _Form:
    def __init__(self, content_type: str) -> None:
        self._parts = Multipart(content_type, _CURL)
        self._fields: dict[str, list[str]] = {}
        self._file: bytearray | None = None
        self._begun: PartBegins | None = None
        self._value = bytearray()
        self._fields_bytes = 0

    def feed(self, chunk: bytes) -> None:
        for event in self._parts.feed(chunk):
            if isinstance(event, PartBegins):
                self._begin(event)
            elif isinstance(event, PartEnds):
                self._end()
            elif self._is_file:
                self._add_to_file(event)
            else:
                self._add_to_field(event)

    def close(self) -> tuple[NewTranscription, bytes]:
        self._parts.close()
        if self._file is None:
            raise _refused(FILE, "no_file", f"must be given, {_CURL}")
        given: dict[str, Any] = {}
        for name, values in self._fields.items():
            if name not in _LISTS and len(values) > 1:
                raise _refused(name, "given_twice", "is given more than once")
            given[name] = values if name in _LISTS else values[0]
        try:
            return NewTranscription.model_validate(given), bytes(self._file)
        except ValidationError as fault:
            found = fault.errors(include_url=False)
            raise RequestValidationError([{**error, "loc": ("body", *error["loc"])} for error in found]) from fault

    @property
    def _is_file(self) -> bool:
        return self._begun is not None and self._begun.field == FILE

    def _begin(self, part: PartBegins) -> None:
        self._begun, self._value = part, bytearray()
        if part.field == FILE:
            if part.file_name is None:
                raise _refused(FILE, "no_file", f"is no file: write @ before its name, {_CURL}")
            if self._file is not None:
                raise _refused(FILE, "given_twice", "is given more than once: send one recording")
            self._file = bytearray()

    def _end(self) -> None:
        assert self._begun is not None
        if self._is_file:
            return
        name = self._begun.field.removesuffix("[]")
        try:
            self._fields.setdefault(name, []).append(self._value.decode())
        except UnicodeDecodeError as fault:
            raise _refused(name, "no_text", "must be UTF-8") from fault

    def _add_to_file(self, data: bytes) -> None:
        assert self._file is not None
        self._file += data
        if len(self._file) > FILE_BYTES:
            raise LimitExceeded(f"the file has over {FILE_BYTES >> 20} MiB. {SHORTER}", code="body_too_large")

    def _add_to_field(self, data: bytes) -> None:
        self._value += data
        self._fields_bytes += len(data)
        if self._fields_bytes > FIELDS_BYTES:
            raise LimitExceeded(f"the fields have over {FIELDS_BYTES >> 10} KiB: shorten them", code="body_too_large")


def _refused(field: str, code: str, message: str) -> RequestValidationError:
    return RequestValidationError([{"type": code, "loc": ("body", field), "msg": message, "input": None}])

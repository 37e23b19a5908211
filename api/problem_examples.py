"""One example of a problem for each status, shown at every answer of that status in the OpenAPI document."""

from typing import Any

from adaptwin_core.rest.problem import InvalidField, Problem
from api.error_status import CHECKSUM_MISMATCH, title_of
from api.problems import MEDIA_TYPE

_INVALID = InvalidField(
    location="body.spec.encoder_cut", code="less_than_equal", message="must be less than or equal to 0.8, not 35"
)
# status: the code and the detail
_TOLD = {
    400: ("invalid_input", "Upload-Length must be a whole number of bytes, from 0 to 2^63-1"),
    401: ("unauthorized", "send a valid API key as 'Authorization: Bearer adtw_…'"),
    403: ("final_upload", "a final upload takes no bytes: they came with its parts"),
    404: ("not_found", "there is nothing here: check the id"),
    408: ("request_timeout", "the body broke off: ask for the offset with HEAD, and go on from there"),
    409: ("offset_mismatch", "the upload stands at 4194304, not at 0"),
    410: ("gone", "dataset ds_01kbd4q8z0f3v6m2x9w7t5r1ca was deleted: upload the speech to a new one"),
    412: ("unsupported_tus_version", "send 'Tus-Resumable: 1.0.0'"),
    413: ("quota_exceeded", "your quota has 1048576 bytes left, this upload needs 4194304: delete a dataset first"),
    415: ("unsupported_media_type", "send the bytes as Content-Type application/offset+octet-stream"),
    416: ("range_not_satisfiable", "the file has only 70061960 bytes: ask for a range within it"),
    422: ("validation_failed", f"{_INVALID.location}: {_INVALID.message}"),
    429: ("limit_exceeded", "8 of your jobs are unfinished, 8 may be; wait for one, or cancel one"),
    431: ("headers_too_large", "the request headers are too long: send at most 16384 bytes of them"),
    CHECKSUM_MISMATCH: ("checksum_mismatch", "the body does not match its checksum: send it again"),
    500: ("internal", "something went wrong in the service: its log says what"),
    503: ("unavailable", "the database does not answer: try again in a moment"),
    507: ("disk_full", "the server has no room for this file now: try again later"),
}
PROBLEMS = {
    status: Problem(
        type=f"urn:adaptwin:problem:{code}",
        title=title_of(status),
        status=status,
        detail=detail,
        code=code,
        errors=[_INVALID] if code == "validation_failed" else None,
    ).model_dump(mode="json", exclude_none=True)
    for status, (code, detail) in _TOLD.items()
}


def add_problems(document: dict[str, Any]) -> None:
    """Put the examples into an OpenAPI document. Each is written there once, and its answers refer to it."""
    shown = document["components"].setdefault("examples", {})
    for methods in document["paths"].values():
        for operation in methods.values():
            for status, answer in operation["responses"].items():
                content = answer.get("content", {}).get(MEDIA_TYPE)
                if content is not None:
                    name = f"Problem{status}"
                    shown[name] = {"summary": "Such as", "value": PROBLEMS[int(status)]}
                    content["examples"] = {"problem": {"$ref": f"#/components/examples/{name}"}}

"""Which error is which HTTP status. This is the only place that knows."""

import http

from adaptwin_core.domain import errors

CHECKSUM_MISMATCH = 460  # tus 1.0

STATUS_OF_CODE = {
    "body_too_large": 413,
    "body_too_long": 413,
    "checksum_mismatch": CHECKSUM_MISMATCH,
    "final_upload": 403,
    "gone": 410,
    "invalid_webhook_url": 422,
    "link_expired": 403,
    "link_invalid": 403,
    "no_worker": 503,
    "quota_exceeded": 413,
    "range_not_satisfiable": 416,
    "unsupported_media_type": 415,
    "unsupported_tus_version": 412,
    "upload_too_large": 413,
    "headers_too_large": 431,
    "request_timeout": 408,
}
STATUS_OF_CLASS: dict[type[errors.AdaptwinError], int] = {
    errors.InvalidAudio: 422,
    errors.InvalidSpec: 422,
    errors.InvalidInput: 400,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Unauthorized: 401,
    errors.LimitExceeded: 429,
    errors.ResourceExhausted: 507,
    errors.Unavailable: 503,
    errors.AdaptwinError: 500,
}
CODE_OF_STATUS = {
    400: "invalid_input",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    422: "validation_failed",
    500: "internal",
    503: "unavailable",
}
DETAIL_OF_STATUS = {  # where no route answers
    404: "there is nothing at this address: /docs lists those that there are",
    405: "this address does not take that method: /docs lists those that it takes",
}


def status_of(error: errors.AdaptwinError) -> int:
    """Return the status for an error: that of its code, or else of the nearest class that has one."""
    by_class = (STATUS_OF_CLASS[kind] for kind in type(error).__mro__ if kind in STATUS_OF_CLASS)
    return STATUS_OF_CODE.get(error.code) or next(by_class)


def title_of(status: int) -> str:
    """Return the standard phrase of a status, and of tus's own."""
    return "Checksum Mismatch" if status == CHECKSUM_MISMATCH else http.HTTPStatus(status).phrase

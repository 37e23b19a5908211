"""Lets pages of other sites use the API from a browser, where the operator names those sites (CORS).

A page shows its key in `Authorization`, which its script sets. So no cookies are needed, and none are allowed.
"""

from collections.abc import Sequence

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

METHODS = ("GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS")
REQUEST_HEADERS = (
    *("Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID"),
    *("If-None-Match", "If-Range", "Range"),
    *("Tus-Resumable", "Upload-Checksum", "Upload-Concat", "Upload-Length", "Upload-Metadata", "Upload-Offset"),
    *("X-HTTP-Method-Override", "X-Request-ID"),  # tus-js-client sends these when it is asked to
)
ANSWER_HEADERS = (
    *("Accept-Ranges", "Content-Disposition", "Content-Range", "ETag"),
    *("Idempotency-Replayed", "Location", "Retry-After"),
    *("Tus-Checksum-Algorithm", "Tus-Extension", "Tus-Max-Size", "Tus-Resumable", "Tus-Version"),
    *("Upload-Concat", "Upload-Expires", "Upload-Length", "Upload-Metadata", "Upload-Offset"),
)


def install(app: FastAPI, origins: Sequence[str]) -> None:
    """Answer pages of these origins. Without any, no answer has a header of CORS."""
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=METHODS,
            allow_headers=REQUEST_HEADERS,
            expose_headers=ANSWER_HEADERS,
            allow_credentials=False,
        )

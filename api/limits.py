"""The largest body and headers of a request, and the security headers of every response."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem

JSON_BODY_BYTES = 1 << 20
HEADER_BYTES = 16 << 10

SECURITY_HEADERS = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
}


def limited(request: Request, max_bytes: int, advice: str = "") -> Request:
    """Return the request with a body that ends in HTTPException 413 once it is longer than `max_bytes`.

    Args:
        advice: a sentence that says what to do with a longer one.
    """
    told = f"send at most {max_bytes} bytes" + (f". {advice}" if advice else "")
    num_bytes = 0

    async def receive() -> Message:
        nonlocal num_bytes
        message = await request.receive()
        num_bytes += len(message.get("body", b""))
        if num_bytes > max_bytes:
            raise HTTPException(413, f"the body is too long: {told}")
        return message

    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > max_bytes:
        raise HTTPException(413, f"the body has {declared} bytes: {told}")
    return Request(request.scope, receive)


class HeaderGuard:
    """Refuses oversized request headers and adds the security headers that a response does not set itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message["headers"]}
                added = [(k.encode(), v.encode()) for k, v in SECURITY_HEADERS.items() if k.encode() not in present]
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        app = self._app
        if sum(len(name) + len(value) for name, value in scope["headers"]) > HEADER_BYTES:
            app = problem(
                431, "headers_too_large", f"the request headers are too long: send at most {HEADER_BYTES} bytes of them"
            )
        await app(scope, receive, send_guarded)

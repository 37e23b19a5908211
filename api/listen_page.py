"""The page at /listen, which runs a person's model in their browser. See docs/on-device.md."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.responses import Response
from starlette.types import Scope

_FOLDER = Path(__file__).with_name("listen")
_COURIER = "courier.js"  # downloads models, and is never given audio
_POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; img-src data:; "
    "connect-src {connect}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PACKED = {"Content-Type": "application/wasm", "Content-Encoding": "gzip"}  # every browser unpacks it
# Threads of WebAssembly share memory. A browser allows that only to a page that is isolated from other sites.
_ISOLATION = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}


class _ListenFiles(StaticFiles):
    """Serves each file with its security policy: only the courier may open connections.

    WebAssembly lies on the disk packed, and is sent so.
    """

    async def get_response(self, path: str, scope: Scope) -> Response:
        is_packed = path.endswith(".wasm")
        response = await super().get_response(f"{path}.gz" if is_packed else path, scope)
        connect = "'self'" if path == _COURIER else "'none'"
        response.headers.update({**_ISOLATION, "Content-Security-Policy": _POLICY.format(connect=connect)})
        response.headers["Cache-Control"] = "no-cache"
        if is_packed:
            response.headers.update(_PACKED)
        return response


def install(app: FastAPI) -> None:
    """Serve the page."""
    app.mount("/listen", _ListenFiles(directory=_FOLDER, html=True), name="listen")

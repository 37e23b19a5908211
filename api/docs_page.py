"""The OpenAPI page at /docs. Its files come with a package, so it needs no other site and no inline script."""

from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, Response
from fastapi.staticfiles import StaticFiles

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>AdaPTwin API</title>
<link rel="stylesheet" href="docs/assets/swagger-ui.css"><link rel="icon" href="data:,"></head>
<body><main id="page"><noscript>Without JavaScript, read <a href="openapi.json">openapi.json</a>.</noscript></main>
<script src="docs/assets/swagger-ui-bundle.js"></script><script src="docs/start.js"></script></body>
</html>
"""
_START = 'SwaggerUIBundle({url: "openapi.json", dom_id: "#page", deepLinking: true, validatorUrl: null});\n'
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def install(app: FastAPI) -> None:
    """Serve the page."""
    assets = Path(str(files("fastapi_offline"))) / "static"
    app.mount("/docs/assets", StaticFiles(directory=assets), name="docs assets")

    @app.get("/docs", include_in_schema=False)
    async def page() -> HTMLResponse:
        return HTMLResponse(_PAGE, headers={"Content-Security-Policy": _POLICY})

    @app.get("/docs/start.js", include_in_schema=False)
    async def start() -> Response:
        return Response(_START, media_type="text/javascript")

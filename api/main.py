"""The API as one ASGI application: `uvicorn --factory api.main:create_app`."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from adaptwin_core.rest.problem import Problem
from adaptwin_core.service.bootstrap import Service, bootstrap
from adaptwin_core.store.settings import Settings
from api import cors, docs_page, listen_page, problems
from api.examples import add_examples
from api.limits import HeaderGuard
from api.problem_examples import add_problems
from api.routes import (
    base_models,
    datasets,
    downloads,
    estimates,
    exports,
    files,
    health,
    jobs,
    models,
    transcriptions,
    uploads,
    webhooks,
)
from api.tus_final import Joins
from api.tus_route import MethodOverride

VERSION = "1"
DESCRIPTION = """Upload the speech of one speaker, choose a size, and download a Whisper that recognizes that speaker.

Errors are problem documents (RFC 9457). Their `code` is stable, and `detail` says what to do."""


def create_app() -> FastAPI:
    """Return the application that the environment describes."""
    return make_app(bootstrap(Settings()))


def make_app(service: Service) -> FastAPI:
    """Return the application. It opens nothing before its first request."""
    app = FastAPI(title="AdaPTwin", version=VERSION, description=DESCRIPTION, docs_url=None, redoc_url=None)
    app.state.service = service
    app.state.joins = Joins(service)
    problems.install(app)
    pages = (uploads, datasets, files, base_models, estimates, jobs, models, exports, downloads, webhooks)
    for router in (*(page.router for page in pages), downloads.links):
        app.include_router(router, responses=problems.documented(401, 422, 431, 500, 503))
    app.include_router(transcriptions.router)
    app.include_router(health.router)
    docs_page.install(app)
    listen_page.install(app)
    app.add_middleware(problems.LastResort)
    app.add_middleware(MethodOverride)
    cors.install(app, service.settings.cors_origins)
    app.add_middleware(HeaderGuard)
    app.openapi = lambda: _schema(app)  # type: ignore[method-assign]
    return app


def _schema(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document, with the schema that all problem responses refer to."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas = document["components"]["schemas"]
        schemas.update(schema.pop("$defs"), Problem=schema)
        add_examples(document)
        add_problems(document)
        app.openapi_schema = document
    return app.openapi_schema

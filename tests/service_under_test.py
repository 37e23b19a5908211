"""The service of the test that runs now, in this process. Its settings are given, not read from the environment."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy.orm import Session

from adaptwin_core.service import outbox
from adaptwin_core.service.bootstrap import Service, bootstrap
from adaptwin_core.store.blobs import BlobStore
from adaptwin_core.store.settings import Settings

SECRET_KEY = "0123456789abcdef0123456789abcdef"

_running: list[Service] = []


@contextmanager
def running(settings: Settings) -> Iterator[Service]:
    """Let `service()` be this one until the context ends."""
    _running.append(bootstrap(settings))
    try:
        yield _running[-1]
    finally:
        _running.pop().database.engine.dispose()


def changed(**settings: object) -> AbstractContextManager[Service]:
    """Let `service()` have other settings until the context ends."""
    return running(service().settings.model_copy(update=settings))


def idle_service(**settings: object) -> Service:
    """Return a service that no server stands behind, for tests that ask it nothing."""
    return bootstrap(Settings.model_validate({"secret_key": SECRET_KEY, **settings}))


def service() -> Service:
    """Return the service under test: the `database` fixture makes it."""
    assert _running, "a test that asks for the service must use the `database` fixture"
    return _running[-1]


def unit_of_work() -> AbstractContextManager[Session]:
    """Begin a transaction of the service under test."""
    return service().database.transaction()


def get_blobs() -> BlobStore:
    """Return the blobs of the service under test."""
    return service().blobs


def get_settings() -> Settings:
    """Return the settings of the service under test."""
    return service().settings


def flush() -> int:
    """Send what is due in the outbox of the service under test; return how many messages went."""
    return outbox.flush(service().database, service().broker)

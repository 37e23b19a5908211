"""The worker's application: `celery -A worker.app worker -Q model`."""

from adaptwin_core.store.settings import Settings
from worker.celery_app import make_app

app = make_app(Settings())

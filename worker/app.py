"""The worker's application: `celery -A worker.app worker -Q model`."""

from adaptwin_core.store.settings import get_settings
from worker.celery_app import make_app

app = make_app(get_settings())

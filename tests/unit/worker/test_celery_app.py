"""The worker's settings, and what its parent process must not load."""

import os
import subprocess
import sys

import pytest

from adaptwin_core.service import broker
from adaptwin_core.store.settings import Settings
from worker.celery_app import make_app


@pytest.fixture
def app():
    return make_app(Settings(secret_key="0" * 32))  # type: ignore[arg-type]


def test_every_message_has_a_handler_and_nothing_else_of_ours(app):
    ours = {name for name in app.tasks if name.startswith("adaptwin")}
    assert ours == {broker.TASK_RUN, broker.TASK_SWEEP, broker.TASK_RELAY, broker.TASK_DELIVER}


def test_the_broker_cannot_make_us_run_pickles(app):
    assert app.conf.accept_content == ["json"]
    assert app.conf.task_serializer == "json"


def test_redelivery_is_left_to_the_leases(app):
    assert (app.conf.task_acks_late, app.conf.task_reject_on_worker_lost, app.conf.worker_disable_prefetch) == (
        False,
        False,
        True,
    )


def test_beat_rings_only_the_platform_queue(app):
    assert {entry["options"]["queue"] for entry in app.conf.beat_schedule.values()} == {broker.QUEUE_PLATFORM}
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} == {broker.TASK_RELAY, broker.TASK_SWEEP}


def test_the_parent_process_never_imports_torch():
    program = "import sys, worker.app; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    env = {**os.environ, "ADAPTWIN_SECRET_KEY": "0" * 32}
    assert subprocess.run([sys.executable, "-c", program], env=env, check=False).returncode == 0

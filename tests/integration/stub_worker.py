"""A real worker whose stages cost nothing, each STUB_SECONDS long: `celery -A tests.integration.stub_worker`."""

import os
import signal
import time

from adaptwin_core.ml.stages.task_result import TaskResult
from adaptwin_core.store.settings import Settings
from tests.integration.world import stub_stage
from worker.celery_app import make_app
from worker.context import StageContext
from worker.runner import StageBody


def slow_stage(ctx: StageContext) -> TaskResult:
    deadline = time.monotonic() + float(os.environ.get("STUB_SECONDS", "0.1"))
    while time.monotonic() < deadline:
        ctx.progress(0, 1)
        time.sleep(0.02)
    if str(ctx.key) == os.environ.get("STUB_POISON"):
        os.kill(os.getpid(), signal.SIGKILL)
    return stub_stage(ctx)


def load() -> StageBody:
    return slow_stage


app = make_app(Settings(), load)

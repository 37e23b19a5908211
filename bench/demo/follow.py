"""Shows a job while it runs: bars on a terminal, lines elsewhere."""

import queue
import threading
from contextlib import suppress
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from bench.demo.client import Service, ServiceError

POLL_S = 1.0
JSON = dict[str, Any]


def bars(console: Console) -> Progress:
    """Return a progress display of this demo's look."""
    columns = (TextColumn("  {task.description:<44}"), BarColumn(24), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)


def follow(service: Service, job_id: str, console: Console) -> JSON:
    """Show a job's blocks and stages until it ends; return it.

    Raises:
        ServiceError: the job did not succeed.
    """
    events: queue.Queue[JSON | None] = queue.Queue()
    threading.Thread(target=_listen, args=(service, job_id, events), daemon=True).start()
    with bars(console) as progress:
        shown: dict[str, TaskID] = {}
        is_over = False
        while not is_over:
            with suppress(queue.Empty):
                event = events.get(timeout=POLL_S)
                is_over = event is None
                if event is not None and (event["kind"] == "warning" or not console.is_terminal):
                    console.print(f"  {event['created_at'][11:19]} {event['message']}", highlight=False)
            if console.is_terminal:
                _show(service.call("GET", f"/v1/jobs/{job_id}"), progress, shown)
    job = service.call("GET", f"/v1/jobs/{job_id}")
    if job["state"] != "succeeded":
        error = job["error"] or {}
        raise ServiceError(f"the job {job['state']}: {error.get('code')}: {error.get('message')}")
    return job


def _listen(service: Service, job_id: str, events: "queue.Queue[JSON | None]") -> None:
    try:
        for event in service.events(job_id):
            events.put(event)
    finally:
        events.put(None)


def _show(job: JSON, progress: Progress, shown: dict[str, TaskID]) -> None:
    """Give each stage that has begun a bar, with what its running tasks are at."""
    for stage in job["stages"]:
        if not stage["num_tasks"]:
            continue
        running = [_at(task) for task in stage["tasks"] if task["state"] == "running"]
        name = stage["stage"]
        if name not in shown:
            shown[name] = progress.add_task(name, total=stage["num_tasks"])
        label = f"{name} {', '.join(running)}"[:44]
        progress.update(shown[name], description=label, completed=stage["num_done"], total=stage["num_tasks"])
        if stage["num_done"] == stage["num_tasks"]:
            progress.stop_task(shown[name])


def _at(task: JSON) -> str:
    at = task["progress"] or {}
    return f"{task['key']} {at['step']}/{at['total']}" if "step" in at and "total" in at else str(task["key"])

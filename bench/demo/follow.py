"""Shows a job while it runs: bars on a terminal, lines elsewhere."""

import queue
import threading
from contextlib import suppress

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from adaptwin_core.client import Client, ClientError
from adaptwin_core.domain.states import TaskState
from adaptwin_core.rest.jobs import EventOut, JobOut, TaskOut

POLL_S = 1.0


def bars(console: Console) -> Progress:
    """Return a progress display of this demo's look."""
    columns = (TextColumn("  {task.description:<44}"), BarColumn(24), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)


def follow(client: Client, job_id: str, console: Console) -> JobOut:
    """Show a job's blocks and stages until it ends; return it.

    Raises:
        ClientError: the job did not succeed, or the service could not be reached.
    """
    events: queue.Queue[EventOut | None] = queue.Queue()
    threading.Thread(target=_listen, args=(client, job_id, events), daemon=True).start()
    with bars(console) as progress:
        shown: dict[str, TaskID] = {}
        is_over = False
        while not is_over:
            with suppress(queue.Empty):
                event = events.get(timeout=POLL_S)
                is_over = event is None
                if event is not None and (event.kind == "warning" or not console.is_terminal):
                    console.print(f"  {event.created_at:%H:%M:%S} {event.message}", highlight=False)
            if console.is_terminal:
                _show(client.jobs.get(job_id), progress, shown)
    return client.jobs.wait(job_id)


def _listen(client: Client, job_id: str, events: "queue.Queue[EventOut | None]") -> None:
    try:
        with suppress(ClientError):  # whoever waits for the job is told
            for event in client.jobs.follow(job_id):
                events.put(event)
    finally:
        events.put(None)


def _show(job: JobOut, progress: Progress, shown: dict[str, TaskID]) -> None:
    """Give each stage that has begun a bar, with what its running tasks are at."""
    for stage in job.stages:
        if not stage.num_tasks:
            continue
        running = [_at(task) for task in stage.tasks if task.state is TaskState.RUNNING]
        name = stage.stage
        if name not in shown:
            shown[name] = progress.add_task(name, total=stage.num_tasks)
        label = f"{name} {', '.join(running)}"[:44]
        progress.update(shown[name], description=label, completed=stage.num_done, total=stage.num_tasks)
        if stage.num_done == stage.num_tasks:
            progress.stop_task(shown[name])


def _at(task: TaskOut) -> str:
    at = task.progress or {}
    return f"{task.key} {at['step']}/{at['total']}" if "step" in at and "total" in at else task.key

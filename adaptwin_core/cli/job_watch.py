"""Shows a job of the service until it ends: its events as lines, and one bar for the whole."""

import threading
from typing import TYPE_CHECKING, Final

from adaptwin_core.cli.job_progress import progress_of
from adaptwin_core.cli.safe_text import printable
from adaptwin_core.cli.whole_bar import WholeBar, whole_bar

if TYPE_CHECKING:
    from adaptwin_core.client import Client
    from adaptwin_core.rest.jobs import JobOut

POLL_S: Final = 2.0
SHOWN_BY_THE_BAR: Final = {"task", "progress"}  # kinds of events: a task is done, or has come so far


def watch(service: "Client", job_id: str) -> "JobOut":
    """Follow a job to its end, and return it, however it ended."""
    is_over = threading.Event()
    with whole_bar(job_id) as bar:
        watcher = threading.Thread(target=_show, args=(service, job_id, bar, is_over), daemon=True)
        watcher.start()
        try:
            for event in service.jobs.follow(job_id):
                if event.kind not in SHOWN_BY_THE_BAR:
                    bar.say(printable(f"{event.created_at.astimezone():%H:%M:%S} {event.message}"))
        finally:
            is_over.set()
            watcher.join()
    return service.jobs.get(job_id)


def _show(service: "Client", job_id: str, bar: WholeBar, is_over: threading.Event) -> None:
    from adaptwin_core.client import ClientError

    while not is_over.wait(POLL_S):
        try:
            found = progress_of(service.jobs.get(job_id))
        except ClientError:  # whoever follows the events is told
            continue
        bar.at(found.share, found.note, left_s=found.left_s)

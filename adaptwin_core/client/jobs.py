"""Jobs: submitted, followed, cancelled, paused and tried again."""

import uuid
from collections.abc import AsyncGenerator, Callable, Collection

from adaptwin_core.client import events
from adaptwin_core.client.connection import Connection
from adaptwin_core.client.errors import Failed, ServiceError
from adaptwin_core.domain.states import JobState
from adaptwin_core.rest.base import Page
from adaptwin_core.rest.jobs import EventOut, JobOut, JobSummary, NewJob

JOBS = "/v1/jobs"


class AsyncJobs:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def submit(self, job: NewJob) -> JobOut:
        """Submit a job. It is submitted once, also where an answer is lost and the request sent again."""
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        return await self._connection.post(JOBS, JobOut, job, headers=headers, may_repeat=True)

    async def get(self, job_id: str) -> JobOut:
        """Return a job with the progress of each of its tasks."""
        return await self._connection.get(f"{JOBS}/{job_id}", JobOut)

    async def all(self) -> list[JobSummary]:
        """Return every job, newest first."""
        return await self._connection.all(JOBS, Page[JobSummary])

    def follow(self, job_id: str, *, after: int = 0) -> AsyncGenerator[EventOut, None]:
        """Yield a job's events as they happen until it ends, over as many connections as it takes.

        Args:
            after: the number of the last event that you have seen.
        """
        return events.follow(self._connection, job_id, after)

    async def wait(self, job_id: str, on_event: Callable[[EventOut], None] | None = None) -> JobOut:
        """Follow a job to its end, and return it with the id of its model.

        Raises:
            Failed: it did not succeed.
        """
        async for event in self.follow(job_id):
            if on_event is not None:
                on_event(event)
        job = await self.get(job_id)
        if job.state is not JobState.SUCCEEDED:
            code, message = (job.error.code, job.error.message) if job.error else (job.state, "submit it again")
            raise Failed(f"job {job_id}", code, message)
        return job

    async def cancel(self, job_id: str) -> JobOut:
        """Cancel a job. Its workers stop within seconds."""
        return await self._changed(job_id, "cancel", {JobState.CANCELLED})

    async def pause(self, job_id: str) -> JobOut:
        """Pause a job. The tasks that run stop within seconds and begin anew when it is resumed."""
        return await self._changed(job_id, "pause", {JobState.PAUSED})

    async def resume(self, job_id: str) -> JobOut:
        """Let a paused job go on from its last finished task."""
        return await self._changed(job_id, "resume", {JobState.QUEUED, JobState.RUNNING})

    async def retry(self, job_id: str) -> JobOut:
        """Try a job that failed or was cancelled again, from its last finished task."""
        return await self._changed(job_id, "retry", {JobState.QUEUED, JobState.RUNNING})

    async def _changed(self, job_id: str, change: str, into: Collection[JobState]) -> JobOut:
        try:
            return await self._connection.post(f"{JOBS}/{job_id}/{change}", JobOut, may_repeat=True)
        except ServiceError as refusal:
            if refusal.after_break and refusal.code == "illegal_state":
                job = await self.get(job_id)
                if job.state in into:  # by the try whose answer was lost
                    return job
            raise

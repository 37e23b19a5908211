"""The tasks of a job: the first starts it, the last of a stage begins the next stage, and a failed one ends the job."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func
from sqlalchemy.orm import Session

from adaptwin_core.domain import submission
from adaptwin_core.domain.errors import InvalidSpec
from adaptwin_core.domain.members import of_several
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.states import TERMINAL_JOB_STATES, JobState, next_state
from adaptwin_core.service import events, pipeline, results, work_times
from adaptwin_core.service.task_owner import ErrorDict
from adaptwin_core.store.killpoints import killpoint
from adaptwin_core.store.queries import tasks
from adaptwin_core.store.tables import BaseModel, Job


@dataclass(frozen=True)
class StageOutcome:
    """What a task of a stage made.

    Attributes:
        result_key: its name, by everything that went in.
        worked_s: how long its worker worked; None where a kept result was taken.
    """

    result_key: str
    made: results.Made
    worked_s: float | None = None


@dataclass(frozen=True)
class JobTask:
    """One task of a job.

    Attributes:
        places: of the models that it is for, among those of the job.
        num_shards: the number of calibration tasks, in case calibration is the next stage.
    """

    session: Session
    job: Job
    stage: Stage
    key: str
    places: tuple[int, ...]
    num_shards: int

    @property
    def tenant_id(self) -> str:
        return self.job.tenant_id

    def may_start(self) -> bool:
        return JobState(self.job.state) not in {*TERMINAL_JOB_STATES, JobState.PAUSED}

    def started(self) -> None:
        if self.job.state == JobState.QUEUED:
            told = "the job has started" if self.job.started_at is None else "the job goes on"
            self.job.started_at = self.job.started_at or func.now()
            self.job.state = next_state(JobState.QUEUED, "start")
            events.add(self.session, self.job, "state", told, state=self.job.state)

    def expected_s(self) -> float:
        return work_times.expected_s(
            self.session, self.job, self.stage, self.key, self.places[0], num_shards=self.num_shards
        )

    def progressed(self, progress: Mapping[str, Any]) -> None:
        message = f"{self.stage} {self.key}: {progress['step']} of {progress['total']}"
        events.add(self.session, self.job, "progress", message, stage=self.stage, task=self.key, **progress)

    def warn(self, message: str, **data: Any) -> None:
        events.add(self.session, self.job, "warning", f"{self.stage} {self.key}{message}", task=self.key, **data)

    def done(self, outcome: StageOutcome) -> None:
        results.add(self.session, TenantScope(self.tenant_id), outcome.result_key, outcome.made)
        job = self.job
        job.remaining -= 1
        told = {"stage": self.stage, "task": self.key, "remaining": job.remaining}
        events.add(self.session, job, "task", f"{self.stage} {self.key} done", **told)
        killpoint("task_finished")
        if self.stage is Stage.CHOOSE:
            job.choice = outcome.made.info
        if self.stage is Stage.VOCABULARY and (refusal := self._out_of_reach(outcome)) is not None:
            self.failed(refusal)
        elif job.remaining == 0:
            self.session.flush()
            pipeline.advance(self.session, job, num_shards=self.num_shards)

    def _out_of_reach(self, outcome: StageOutcome) -> ErrorDict | None:
        """Return why a model cannot have the wanted size with the tokens that were chosen, before it is trained."""
        members = self.job.members
        for member in (members[place] for place in self.places):
            shape = self.session.get_one(BaseModel, member.base_model_id).shape
            try:
                with of_several(member.base_model_id, member.place, len(members)):
                    submission.require_reachable(member.spec, shape, num_kept=outcome.made.info["kept"])
            except InvalidSpec as refusal:
                return {"code": refusal.code, "message": refusal.message}
        return None

    def failed(self, error: ErrorDict) -> None:
        """Fail the job and cancel its other tasks, unless it has ended already."""
        job = self.job
        if JobState(job.state) in TERMINAL_JOB_STATES:
            return
        job.state, job.finished_at = next_state(JobState(job.state), "fail"), func.now()
        job.error = {**error, "task": f"{self.stage} {self.key}"}
        tasks.cancel_open(self.session, TenantScope(job.tenant_id), job.id)
        message = f"the job failed: {error['message']}"
        events.add(self.session, job, "state", message, state=job.state, code=error["code"])

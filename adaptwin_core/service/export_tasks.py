"""The task that makes an export. It runs after its job has ended, and changes the model, not the job."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from adaptwin_core.domain.errors import LeaseLost
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.webhooks import EventType
from adaptwin_core.service import events, results
from adaptwin_core.service.job_tasks import StageOutcome
from adaptwin_core.service.task_owner import ErrorDict
from adaptwin_core.service.webhook_events import announce
from adaptwin_core.store.blobs import as_json
from adaptwin_core.store.queries import models
from adaptwin_core.store.tables import Job


@dataclass(frozen=True)
class ExportTask:
    """The making of one of a job's models in one form."""

    session: Session
    job: Job
    place: int
    form: str

    @property
    def tenant_id(self) -> str:
        return self.job.tenant_id

    def may_start(self) -> bool:
        return True

    def started(self) -> None:
        pass

    def expected_s(self) -> None:
        pass

    def progressed(self, progress: Mapping[str, Any]) -> None:
        message = f"{Stage.EXPORT} {self.form}: {progress['step']} of {progress['total']}"
        events.add(self.session, self.job, "progress", message, stage=Stage.EXPORT, task=self.form, **progress)

    def warn(self, message: str, **data: Any) -> None:
        events.add(self.session, self.job, "warning", f"{Stage.EXPORT} {self.form}{message}", task=self.form, **data)

    def done(self, outcome: StageOutcome) -> None:
        """Keep the form with the model. Raises LeaseLost: the model was deleted meanwhile."""
        scope = TenantScope(self.tenant_id)
        results.add(self.session, scope, outcome.result_key, outcome.made)
        model = models.locked_of_job(self.session, scope, self.job.id, self.place)
        if model.deleted_at is not None:
            raise LeaseLost(f"the model was deleted while its export {self.form} was made")
        export = {"files": as_json(outcome.made.files), "verdict": outcome.made.info}
        exports = {**model.manifest.get("exports", {}), self.form: export}
        model.manifest = {**model.manifest, "exports": exports}
        told = {"stage": Stage.EXPORT, "task": self.form}
        events.add(self.session, self.job, "task", f"export {self.form} done", **told)
        event_type = EventType.EXPORT_READY if outcome.made.info["is_offered"] else EventType.EXPORT_REFUSED
        announce(self.session, scope, event_type, model_id=model.id, format=self.form)

    def failed(self, error: ErrorDict) -> None:
        self.warn(f" failed: {error['message']}")
        scope = TenantScope(self.tenant_id)
        model = models.of_job(self.session, scope, self.job.id).get(self.place)
        if model is not None:
            announce(self.session, scope, EventType.EXPORT_FAILED, model_id=model.id, format=self.form)

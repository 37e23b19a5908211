"""A finished model in the forms of other runtimes. A form is handed out if it transcribes as well as the model."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from adaptwin_core.domain.errors import Conflict, NotFound
from adaptwin_core.domain.exports import FORMATS, ExportName
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.states import ExportState
from adaptwin_core.domain.task_keys import ExportKey
from adaptwin_core.service import models, pipeline
from adaptwin_core.store.blobs import Files, from_json
from adaptwin_core.store.queries import owned, tasks
from adaptwin_core.store.tables import Job, Task


@dataclass(frozen=True)
class Export:
    """One form of a model. `verdict` compares it with the model; `files` are there once it is ready."""

    form: str
    state: ExportState
    progress: dict[str, Any] | None
    verdict: dict[str, Any] | None
    files: Files
    error: dict[str, Any] | None


def request(session: Session, scope: TenantScope, model_id: str, form: ExportName) -> tuple[Export, bool]:
    """Have a model made in a form, unless it is already.

    Returns:
        the export, and whether it was asked for just now.

    Raises:
        NotFound: no such model, or it was deleted.
    """
    model = models.get(session, scope, model_id)
    # Of two who ask at once, the second finds the first one's task; nobody asks while the model is being deleted.
    owned.get(session, scope, Job, model.job_id, lock=True)
    session.expire_all()
    known = {export.form: export for export in of_model(session, scope, model_id)}
    is_new = form not in known or known[form].state is ExportState.FAILED
    if is_new:
        # A new task, not a new attempt: a worker that still holds the failed one must not finish this one.
        job_id, place = model.job_id, model.place
        tasks.forget_export(session, scope, job_id, place, form)
        pipeline.add_task(session, Stage.EXPORT, ExportKey(form), job_id=job_id, models=[place])
        session.flush()
    return get(session, scope, model_id, form), is_new


def of_model(session: Session, scope: TenantScope, model_id: str) -> list[Export]:
    """Return every form that was asked for, in the order of `FORMATS`. Raises NotFound."""
    model = models.get(session, scope, model_id)
    found = {task.key: _under_way(task) for task in tasks.unfinished_exports(session, scope, model.job_id, model.place)}
    found |= {form: _made(form, kept) for form, kept in model.manifest.get("exports", {}).items()}
    return [found[form] for form in FORMATS if form in found]


def get(session: Session, scope: TenantScope, model_id: str, form: str) -> Export:
    """Return one form of a model. Raises NotFound."""
    found = [export for export in of_model(session, scope, model_id) if export.form == form]
    if not found:
        raise NotFound(f"model {model_id} has no export {form}: ask for it first")
    return found[0]


def files(session: Session, scope: TenantScope, model_id: str, form: str) -> Files:
    """Return where each file of an export is.

    Raises:
        NotFound: no such export.
        Conflict: it is not ready, or was refused.
    """
    export = get(session, scope, model_id, form)
    if export.state is not ExportState.READY:
        raise Conflict(_why_not_ready(export))
    return export.files


def _why_not_ready(export: Export) -> str:
    match export.state:
        case ExportState.REFUSED:
            return f"the export {export.form} is refused: {(export.verdict or {}).get('why')}"
        case ExportState.FAILED:
            why = (export.error or {}).get("message", "its files could not be made")
            return f"the export {export.form} failed: {why}. Ask for it again"
    return f"the export {export.form} is {export.state}: wait until it is ready"


def _under_way(task: Task) -> Export:
    return Export(task.key, ExportState(task.state), task.progress, None, {}, task.error)


def _made(form: str, kept: dict[str, Any]) -> Export:
    state = ExportState.READY if kept["verdict"]["is_offered"] else ExportState.REFUSED
    return Export(form, state, None, kept["verdict"], from_json(kept["files"]), None)

"""/v1/estimates"""

from dataclasses import replace

from fastapi import APIRouter

from adaptwin_core.rest.base import Failure
from adaptwin_core.rest.estimates import EstimateOut, PlannedModelOut, WorkOut
from adaptwin_core.rest.jobs import NewJob
from adaptwin_core.service import estimates, time_budget
from adaptwin_core.service.estimates import Asked
from api.deps import Running, Scope, TenantRoute
from api.problems import documented

router = APIRouter(prefix="/v1/estimates", tags=["jobs"], route_class=TenantRoute)


@router.post("", responses=documented(413))
def estimate_job(body: NewJob, scope: Scope, service: Running) -> EstimateOut:
    """Tell of a job before it is submitted: its size, its time, and everything that is wrong with it."""
    asked = Asked(body.dataset_id, body.general_dataset_id, body.members, body.limits, body.accept_little)
    with service.database.transaction() as session:
        if body.max_minutes is not None:
            num_shards = service.settings.calibration_shards
            members = time_budget.within(session, scope, asked, body.max_minutes, num_shards=num_shards)
            asked = replace(asked, members=members)
        found = estimates.make(
            session,
            scope,
            asked,
            max_unfinished=service.settings.max_running_jobs,
            num_shards=service.settings.calibration_shards,
        )
    return EstimateOut(
        problems=[Failure(code=problem.code, message=problem.message) for problem in found.problems],
        remarks=[Failure(code=remark.code, message=remark.message) for remark in found.remarks],
        models=[
            PlannedModelOut(
                base_model=name,
                **model.size._asdict(),
                tokens=model.tokens,
                is_exact=not model.why_not_exact,
                why_not_exact=list(model.why_not_exact),
            )
            for name, model in found.models
        ],
        work=None if found.work is None else WorkOut.model_validate(found.work),
        workers=found.num_workers,
        rates="measured" if found.is_measured else "default",
    )

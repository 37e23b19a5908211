"""Which results of a job that is not submitted yet are there already, from earlier jobs on equal inputs."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from adaptwin_core.domain.model_limits import NO_LIMITS
from adaptwin_core.domain.result_name import Ingredients, SpeechFacts, result_name
from adaptwin_core.domain.scope import TenantScope
from adaptwin_core.domain.stage_table import JOB_STAGES, row_of
from adaptwin_core.domain.stages import Outline, Stage
from adaptwin_core.domain.task_keys import TaskKey
from adaptwin_core.service import results
from adaptwin_core.service.results import Made

Kept = Mapping[Stage, Mapping[TaskKey, Made]]


def of_outline(
    session: Session,
    scope: TenantScope,
    outline: Outline,
    *,
    base_digest: str,
    speaker: SpeechFacts,
    general: SpeechFacts | None,
) -> Kept:
    """Return the results that are there for one model of a job.

    A name holds what the task reads, so it is known where that is all there. Tasks for all models are left out: they
    take little time.
    """
    found: dict[Stage, dict[TaskKey, Made]] = {}
    whole: set[Stage] = set()  # stages of which every result is there
    for stage in JOB_STAGES:
        row = row_of(stage)
        keys = row.keys(outline)
        found[stage] = {}
        for key in keys if not row.of_family else ():
            if not whole.issuperset(row.reads(key)):
                continue
            name = result_name(
                stage,
                key,
                [
                    Ingredients(
                        base_digest,
                        row.sees(outline.spec, key),
                        {read: _identified(found[read]) for read in row.reads(key)},
                    )
                ],
                limits=NO_LIMITS,
                speaker=speaker,
                general=general,
                tenant=scope.tenant_id,
            )
            if (made := results.find(session, scope, name)) is not None:
                found[stage][key] = made
        if len(found[stage]) == len(keys):
            whole.add(stage)
    return found


def _identified(made: Mapping[TaskKey, Made]) -> dict[TaskKey, dict[str, str]]:
    return {key: {name: file.sha256 for name, file in one.files.items()} for key, one in made.items()}

"""The name of what a task makes: SHA-256 over everything that goes in. Equal inputs are worked on once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from adaptwin_core.domain.digest import digest_json
from adaptwin_core.domain.model_limits import ModelLimits
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.stage_table import row_of
from adaptwin_core.domain.stages import SpeechUse, Stage
from adaptwin_core.domain.task_keys import TaskKey

CODE_VERSION: Final = 22  # raise it when a stage makes something else of the same inputs


@dataclass(frozen=True)
class SpeechFacts:
    """A corpus as a name needs it: `digest` covers clips and audio; `report` (JSON) tells of refused files, too."""

    digest: str
    report: Mapping[str, Any]


@dataclass(frozen=True)
class Ingredients:
    """What one model of a job brings to the name of a task's result.

    Attributes:
        base: digest of the base model.
        spec: as the task sees it.
        earlier: what identifies each result that the task may read, as JSON.
    """

    base: str
    spec: CompressionSpec
    earlier: Mapping[Stage, Mapping[TaskKey, Any]]

    def as_json(self) -> dict[str, Any]:
        upstream = {done: {str(of): made for of, made in results.items()} for done, results in self.earlier.items()}
        return {"base": self.base, "spec": self.spec.digest(), "upstream": upstream}


def result_name(
    stage: Stage,
    key: TaskKey,
    models: Sequence[Ingredients],
    *,
    limits: ModelLimits,
    speaker: SpeechFacts,
    general: SpeechFacts | None,
    tenant: str | None = None,
) -> str:
    """Return the name of a task's result, in hex.

    Args:
        models: the one that the task is for, or all of its job.
        limits: what the model to take must fit. They matter only where there are several.
        tenant: whose it is: a person's voice is in the bytes. None in a process of one person.
    """
    row = row_of(stage)
    named: dict[str, Any] = {
        "version": CODE_VERSION,
        "tenant": tenant,
        "stage": stage,
        "key": str(key),
        "models": [model.as_json() for model in models],
        "limits": limits.model_dump(mode="json") if row.of_family else None,
        "speaker": speaker.digest,
        "general": None if general is None else general.digest,
    }
    if row.speech is SpeechUse.REPORT:
        named["told"] = [None if speech is None else speech.report for speech in (speaker, general)]
    return digest_json(named)

"""The name of what a task makes: SHA-256 over everything that goes in. Equal inputs are worked on once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from adaptwin_core.domain.digest import digest_json
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.stage_table import row_of
from adaptwin_core.domain.stages import SpeechUse, Stage
from adaptwin_core.domain.task_keys import TaskKey

CODE_VERSION: Final = 21  # raise it when a stage makes something else of the same inputs


@dataclass(frozen=True)
class SpeechFacts:
    """A corpus as a name needs it: `digest` covers clips and audio; `report` (JSON) tells of refused files, too."""

    digest: str
    report: Mapping[str, Any]


def result_name(
    stage: Stage,
    key: TaskKey,
    spec: CompressionSpec,
    *,
    base: str,
    speaker: SpeechFacts,
    general: SpeechFacts | None,
    earlier: Mapping[Stage, Mapping[TaskKey, Any]],
    tenant: str | None = None,
) -> str:
    """Return the name of a task's result, in hex.

    Args:
        spec: as this task sees it.
        base: digest of the base model.
        earlier: what identifies each result that the task may read, as JSON.
        tenant: whose it is: a person's voice is in the bytes. None in a process of one person.
    """
    named: dict[str, Any] = {
        "version": CODE_VERSION,
        "tenant": tenant,
        "stage": stage,
        "key": str(key),
        "base": base,
        "spec": spec.digest(),
        "speaker": speaker.digest,
        "general": None if general is None else general.digest,
        "upstream": {done: {str(of): made for of, made in results.items()} for done, results in earlier.items()},
    }
    if row_of(stage).speech is SpeechUse.REPORT:
        named["told"] = [None if speech is None else speech.report for speech in (speaker, general)]
    return digest_json(named)

"""The table of stages, walked in this process. What several models have in common is made once."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from adaptwin_core.domain.result_name import SpeechFacts, result_name
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.stage_table import JOB_STAGES, row_of
from adaptwin_core.domain.stages import Outline, Row, Stage
from adaptwin_core.domain.submission import require_reachable
from adaptwin_core.domain.task_keys import TaskKey
from adaptwin_core.ml.stages.bodies import work
from adaptwin_core.ml.stages.recipe import BaseModel, Recipe
from adaptwin_core.ml.stages.task_result import TaskResult
from adaptwin_core.ml.stages.watcher import Watcher
from adaptwin_core.speech.corpus import Corpus


class Done(NamedTuple):
    """A result, its name, and the seconds that it took when it was made."""

    result: TaskResult
    name: str
    seconds: float


@dataclass(frozen=True)
class Speech:
    """What a walk's models are made of and judged on."""

    speaker: Corpus
    general: Corpus | None


class Walk:
    """Makes models from one person's speech.

    Results are kept by their names, which tell all that went in: a second size, or the same with other steps, reuses
    what does not depend on that.
    """

    def __init__(self, speech: Speech, workdir: Path, watcher: Watcher | None = None, *, num_shards: int = 1) -> None:
        self._speech, self._workdir, self._watcher, self._num_shards = speech, workdir, watcher or Watcher(), num_shards
        self._facts = tuple(
            None if corpus is None else SpeechFacts(corpus.digest, corpus.report().model_dump(mode="json"))
            for corpus in (speech.speaker, speech.general)
        )
        self._done: dict[str, Done] = {}

    def run(
        self, base: BaseModel, spec: CompressionSpec, *, until: Stage = Stage.PUBLISH
    ) -> Mapping[Stage, Mapping[TaskKey, Done]]:
        """Do every task of every stage for one model, in order, and return what each left.

        Args:
            spec: as `domain.submission.submit` gave it.
            until: the last stage to do.

        Raises:
            InvalidSpec: the tokens that were chosen leave too little of the wanted size.
        """
        outline = Outline(spec, base.shape, self._speech.general is not None, self._num_shards)
        done: dict[Stage, dict[TaskKey, Done]] = {}
        for stage in JOB_STAGES[: JOB_STAGES.index(until) + 1]:
            row = row_of(stage)
            keys = row.keys(outline)
            done[stage] = {}
            for key in keys:
                earlier = {read: done[read] for read in row.reads(key)}
                step = str(stage) if len(keys) == 1 else f"{stage} {key}"
                done[stage][key] = self._do(row, key, base, spec, earlier, step)
                if stage is Stage.VOCABULARY:
                    kept = done[stage][key].result.figures["kept"]
                    require_reachable(spec, base.shape, num_kept=kept)  # now, and not after hours of training
        return done

    def _do(
        self,
        row: Row,
        key: TaskKey,
        base: BaseModel,
        spec: CompressionSpec,
        earlier: Mapping[Stage, Mapping[TaskKey, Done]],
        step: str,
    ) -> Done:
        """Do one task, unless equal inputs have made its result already. `step`: what the watcher is told."""
        seen = row.sees(spec, key)
        speaker, general = self._facts
        assert speaker is not None
        names = {stage: {of: done.name for of, done in results.items()} for stage, results in earlier.items()}
        name = result_name(row.stage, key, seen, base=base.digest, speaker=speaker, general=general, earlier=names)
        if name not in self._done:
            results = {stage: {of: done.result for of, done in found.items()} for stage, found in earlier.items()}
            recipe = Recipe(base, seen, self._speech.speaker, self._speech.general, results)
            out = self._workdir / f"{row.stage}-{name[:16]}"
            out.mkdir()
            began = time.perf_counter()
            result = work(row.stage, recipe, key, out, self._watcher.progress_of(step))
            seconds = time.perf_counter() - began
            self._watcher.ended(step, seconds)
            self._done[name] = Done(result, name, seconds)
        return self._done[name]

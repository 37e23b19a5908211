"""The table of stages, walked in this process. What several models have in common is made once."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from adaptwin_core.domain.model_limits import NO_LIMITS, ModelLimits
from adaptwin_core.domain.result_name import Ingredients, SpeechFacts, result_name
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.stage_table import JOB_STAGES, row_of
from adaptwin_core.domain.stages import Outline, Row, Stage
from adaptwin_core.domain.submission import require_reachable
from adaptwin_core.domain.task_keys import ModelKey, TaskKey
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


class Member(NamedTuple):
    """One model of a job, and its settings."""

    base: BaseModel
    spec: CompressionSpec


class Piece(NamedTuple):
    """What one model brings to a task: itself, and the results of it that the task may read."""

    member: Member
    earlier: Mapping[Stage, Mapping[TaskKey, Done]]


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
        """Make one model, as `run_family` does."""
        (done,) = self.run_family([Member(base, spec)], until=until)
        return done

    def run_family(
        self, members: Sequence[Member], *, limits: ModelLimits = NO_LIMITS, until: Stage = Stage.PUBLISH
    ) -> Sequence[Mapping[Stage, Mapping[TaskKey, Done]]]:
        """Do every task of every stage for the models of a job, in order, and return what each model's tasks left.

        Args:
            members: the models, each with its settings as `domain.submission.submit` gave them.
            limits: what the model to take must fit.
            until: the last stage to do.

        Raises:
            InvalidSpec: the tokens that were chosen leave too little of the wanted size of a model.
        """
        has_general = self._speech.general is not None
        outlines = [
            Outline(member.spec, member.base.shape, has_general, self._num_shards, len(members)) for member in members
        ]
        all_done: list[dict[Stage, dict[TaskKey, Done]]] = [{} for _ in members]
        for stage in JOB_STAGES[: JOB_STAGES.index(until) + 1]:
            row = row_of(stage)
            groups = [list(range(len(members)))] if row.of_family else [[place] for place in range(len(members))]
            for places in groups:
                keys = row.keys(outlines[places[0]])
                made = {}
                for key in keys:
                    step = str(stage) if len(keys) == 1 else f"{stage} {key}"
                    if len(members) > 1 and not row.of_family:
                        step = f"{members[places[0]].base.name}: {step}"
                    pieces = [
                        Piece(members[place], {read: all_done[place][read] for read in row.reads(key)})
                        for place in places
                    ]
                    made[key] = self._do(row, key, pieces, limits, step)
                for place in places:
                    all_done[place][stage] = made
                if stage is Stage.VOCABULARY and made:
                    (member,) = (members[place] for place in places)
                    kept = made[ModelKey()].result.figures["kept"]
                    require_reachable(member.spec, member.base.shape, num_kept=kept)  # and not after hours of training
        return all_done

    def _do(self, row: Row, key: TaskKey, pieces: Sequence[Piece], limits: ModelLimits, step: str) -> Done:
        """Do one task, unless equal inputs have made its result already. `step`: what the watcher is told."""
        speaker, general = self._facts
        assert speaker is not None
        ingredients = [
            Ingredients(
                piece.member.base.digest,
                row.sees(piece.member.spec, key),
                {stage: {of: done.name for of, done in results.items()} for stage, results in piece.earlier.items()},
            )
            for piece in pieces
        ]
        name = result_name(row.stage, key, ingredients, limits=limits, speaker=speaker, general=general)
        if name not in self._done:
            recipes = [self._recipe(row, key, piece) for piece in pieces]
            recipe = replace(recipes[0], family=recipes, limits=limits) if row.of_family else recipes[0]
            out = self._workdir / f"{row.stage}-{name[:16]}"
            out.mkdir()
            began = time.perf_counter()
            result = work(row.stage, recipe, key, out, self._watcher.progress_of(step))
            seconds = time.perf_counter() - began
            self._watcher.ended(step, seconds)
            self._done[name] = Done(result, name, seconds)
        return self._done[name]

    def _recipe(self, row: Row, key: TaskKey, piece: Piece) -> Recipe:
        results = {stage: {of: done.result for of, done in found.items()} for stage, found in piece.earlier.items()}
        seen = row.sees(piece.member.spec, key)
        return Recipe(piece.member.base, seen, self._speech.speaker, self._speech.general, results)

"""A task of a job, done here: the stage's body gets its inputs and its threads. Nothing is decided here."""

import os
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from adaptwin_core.domain.stage_table import row_of
from adaptwin_core.domain.stages import Cores
from adaptwin_core.ml.base.sources import hub_id_of
from adaptwin_core.ml.model.quiet import quiet_transformers
from adaptwin_core.ml.stages.bodies import work
from adaptwin_core.ml.stages.recipe import BaseModel, Recipe
from adaptwin_core.ml.stages.task_result import TaskResult
from adaptwin_core.service.results import Base
from adaptwin_core.speech.corpus import Corpus
from worker.base_folder import base_folder
from worker.context import StageContext


def run_stage(ctx: StageContext) -> TaskResult:
    """Do one task of a job."""
    quiet_transformers()
    takes_all = row_of(ctx.stage).cores is Cores.ALL
    all_cores = ctx.settings.stage_threads or os.cpu_count() or 1
    torch.set_num_threads(all_cores if takes_all else ctx.settings.block_threads)
    speaker, general = Corpus.load(ctx.speaker), Corpus.load(ctx.general) if ctx.general is not None else None
    recipes = [
        Recipe(_base_model(piece.base, ctx.settings.models_dir), piece.spec, speaker, general, results)
        for piece, results in zip(ctx.task.pieces, ctx.results, strict=True)
    ]
    recipe = recipes[0]
    if row_of(ctx.stage).of_family:
        recipe = replace(recipe, family=recipes, limits=ctx.task.limits)
    return work(ctx.stage, recipe, ctx.key, ctx.out, ctx.progress)


def _base_model(base: Base, models_dir: Path) -> BaseModel:
    find = partial(base_folder, base.source, base.digest, models_dir)
    return BaseModel(base.id, base.digest, base.shape, base.licence, hub_id_of(base.source), find, models_dir)

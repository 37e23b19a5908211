"""A task of a job, done here: the stage's body gets its inputs and its threads. Nothing is decided here."""

import os

import torch

from adaptwin_core.domain.stages import Cores, row_of
from adaptwin_core.ml.model.quiet import quiet_transformers
from adaptwin_core.ml.stages.bodies import work
from adaptwin_core.ml.stages.recipe import BaseModel, Recipe
from adaptwin_core.ml.stages.step_result import StepResult
from adaptwin_core.speech.corpus import Corpus
from adaptwin_core.store.settings import get_settings
from worker.base_folder import base_folder
from worker.context import StageContext


def run_stage(ctx: StageContext) -> StepResult:
    """Do one task of a job."""
    quiet_transformers()
    settings = get_settings()
    takes_all = row_of(ctx.stage).cores is Cores.ALL
    torch.set_num_threads((settings.stage_threads or os.cpu_count() or 1) if takes_all else settings.block_threads)
    base = ctx.task.base
    cache = settings.model_cache_dir or settings.data_dir / "models"
    recipe = Recipe(
        BaseModel(base.id, base.digest, base_folder(base.source, base.digest, cache), base.shape, base.licence),
        ctx.task.spec,
        speaker=Corpus.load(ctx.speaker),
        general=Corpus.load(ctx.general) if ctx.general is not None else None,
        results=ctx.results,
    )
    return work(ctx.stage, recipe, ctx.key, ctx.out, ctx.progress)

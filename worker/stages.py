"""The bodies of a job's tasks: each hands the recipe's step its files and threads. Nothing is decided here."""

import json
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

import torch

from adaptwin_core.domain.progress import Progress
from adaptwin_core.domain.shape import BlockId
from adaptwin_core.domain.states import Stage
from adaptwin_core.ml.model.memory import give_back_freed
from adaptwin_core.ml.stages import blocks as recipe
from adaptwin_core.ml.stages import judging
from adaptwin_core.ml.stages.measured import ENCODED_FILE, block_file, measure
from adaptwin_core.ml.stages.personalize import personalize
from adaptwin_core.ml.stages.recipe import Setting, quiet_transformers
from adaptwin_core.ml.stages.search import read_cut, search_cut
from adaptwin_core.speech.corpus import Corpus
from adaptwin_core.store.blobs import link_or_copy
from adaptwin_core.store.settings import get_settings
from worker.base_folder import base_folder
from worker.context import StageContext


def run_stage(ctx: StageContext) -> dict[str, Path]:
    """Do one task of a job and return its files by name; figures go to `ctx.info`."""
    quiet_transformers()
    settings = get_settings()
    # Alone in its stage, or rare: it takes every core.
    alone = ctx.stage in {Stage.PERSONALIZE, Stage.SEARCH, Stage.TUNE, Stage.EXPORT}
    torch.set_num_threads((settings.stage_threads or os.cpu_count() or 1) if alone else settings.block_threads)
    try:
        files, info = _BODIES[ctx.stage](ctx)
    finally:
        give_back_freed()
    ctx.info |= info
    return files


def _setting(ctx: StageContext) -> Setting:
    settings = get_settings()
    cache = settings.model_cache_dir or settings.data_dir / "models"
    personal = ctx.inputs(Stage.PERSONALIZE) if Stage.PERSONALIZE in ctx.task.upstream else {}
    weighed = ctx.inputs(Stage.WEIGH) if Stage.WEIGH in ctx.task.upstream else {}
    searched = ctx.inputs(Stage.SEARCH) if Stage.SEARCH in ctx.task.upstream else {}
    return Setting(
        base_folder=base_folder(ctx.base.source, ctx.base.digest, cache),
        shape=ctx.base.shape,
        spec=ctx.spec,
        speaker=Corpus.load(ctx.speaker),
        general=Corpus.load(ctx.general) if ctx.general is not None else None,
        sensitivities=recipe.read_sensitivities(weighed) if weighed else None,
        found_cut=read_cut(searched["model"]) if searched else None,
        personal_folder=_folder(ctx, "personal", personal["model"]) if personal else None,
    )


def _progress(ctx: StageContext) -> Progress:
    def progress(done: int, total: int, /, **figures: float) -> None:
        ctx.check()
        ctx.report(done, total, **figures)

    return progress


def _personalize(ctx: StageContext) -> tuple[dict[str, Path], dict[str, Any]]:
    return personalize(_setting(ctx), ctx.workdir / "model", _progress(ctx))


def _calibrate(ctx: StageContext) -> tuple[dict[str, Path], dict[str, Any]]:
    shard, num_shards = (int(number) for number in ctx.key.removeprefix("shard-").split("-of-"))
    return measure(_setting(ctx), shard, num_shards, ctx.workdir, _progress(ctx)), {}


def _weigh(ctx: StageContext) -> tuple[dict[str, Path], dict[str, Any]]:
    return recipe.weigh_block(_setting(ctx), ctx.key, _of_block(ctx), ctx.workdir, _progress(ctx))


def _search(ctx: StageContext) -> tuple[dict[str, Path], dict[str, Any]]:
    return search_cut(_setting(ctx), _calibrations(ctx), ctx.inputs(Stage.WEIGH), ctx.workdir, _progress(ctx))


def _factorize(ctx: StageContext) -> tuple[dict[str, Path], dict[str, Any]]:
    weighed = ctx.inputs(Stage.WEIGH).get(ctx.key)
    return recipe.cut_block(_setting(ctx), ctx.key, _of_block(ctx), weighed, ctx.workdir, _progress(ctx))


def _of_block(ctx: StageContext) -> list[dict[str, Path]]:
    """Return the files that this block's task reads: the moments of all blocks of a large model are many gigabytes."""
    names = {block_file(ctx.key)}
    return _calibrations(ctx, names | {ENCODED_FILE} if BlockId.parse(ctx.key).attention == "cross" else names)


def _calibrations(ctx: StageContext, only: Collection[str] | None = None) -> list[dict[str, Path]]:
    shards = ctx.inputs(Stage.CALIBRATE, only)
    return [shards[key] for key in sorted(shards)]


def _tune(ctx: StageContext) -> tuple[dict[str, Path], dict[str, Any]]:
    cut = ctx.inputs(Stage.FACTORIZE)
    blocks = {name: files[recipe.BLOCK_FILE] for name, files in cut.items() if files}
    return recipe.tune_whole(
        _setting(ctx), _calibrations(ctx, {ENCODED_FILE}), blocks, ctx.workdir / "model", _progress(ctx)
    )


def _evaluate(ctx: StageContext) -> tuple[dict[str, Path], dict[str, Any]]:
    model, kind = ctx.key.split(":")
    folder = _compressed(ctx, Stage.TUNE) if model == "compressed" else None
    return judging.hear(_setting(ctx), kind, folder, ctx.workdir, _progress(ctx))


def _publish(ctx: StageContext) -> tuple[dict[str, Path], dict[str, Any]]:
    model_files = ctx.inputs(Stage.TUNE)["model"]
    report_files, report = judging.conclude(
        _setting(ctx),
        ctx.base.id,
        ctx.base.digest,
        texts={key: files["texts.json"] for key, files in ctx.inputs(Stage.EVALUATE).items()},
        infos=ctx.infos(Stage.EVALUATE),
        model_files=model_files,
        blocks={name: info for name, info in ctx.infos(Stage.FACTORIZE).items() if info},
        out=ctx.workdir,
        licence=ctx.base.licence,
        trials=[trial for info in ctx.infos(Stage.SEARCH).values() for trial in info["trials"]],
    )
    # The report beside the files is the manifest's body; the runner adds every file's SHA-256 to it.
    return {**model_files, **report_files, "manifest.json": report_files["report.json"]}, {
        "speech": report["speech"],
        "size": report["size"],
    }


def _export(ctx: StageContext) -> tuple[dict[str, Path], dict[str, Any]]:
    # Runtimes are imported with it: only a worker that exports needs them.
    from adaptwin_core.ml.exports.acceptance import HeldOutSet
    from adaptwin_core.ml.exports.export import export_model

    def progress(done: int, total: int, /, **_figures: float) -> None:
        ctx.check()
        ctx.report(done, total)

    checkpoint, out = _compressed(ctx, Stage.PUBLISH), ctx.workdir / "export"
    own_texts = json.loads(ctx.inputs(Stage.EVALUATE)["compressed:speaker"]["texts.json"].read_text())
    held_out = HeldOutSet.of(Corpus.load(ctx.speaker), own_texts)
    export = export_model(ctx.key, checkpoint, held_out, out, progress=progress)
    return export.files, export.verdict or {}


def _compressed(ctx: StageContext, stage: Stage) -> Path:
    return _folder(ctx, "compressed", ctx.inputs(stage)["model"])


def _folder(ctx: StageContext, name: str, files: dict[str, Path]) -> Path:
    folder = ctx.workdir / name
    folder.mkdir()
    for file_name, path in files.items():
        link_or_copy(path, folder / file_name)
    return folder


_BODIES = {
    Stage.PERSONALIZE: _personalize,
    Stage.CALIBRATE: _calibrate,
    Stage.WEIGH: _weigh,
    Stage.SEARCH: _search,
    Stage.FACTORIZE: _factorize,
    Stage.TUNE: _tune,
    Stage.EVALUATE: _evaluate,
    Stage.PUBLISH: _publish,
    Stage.EXPORT: _export,
}

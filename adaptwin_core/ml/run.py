"""The recipe's steps in a row, in one process: folders of speech in, a model's folder out."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from adaptwin_core.domain.planner import blocks_to_cut, needs_offers
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml import judging, recipe
from adaptwin_core.ml.base_models import canonical_source, describe, resolve, short_name
from adaptwin_core.ml.measured import measure
from adaptwin_core.ml.search import read_cut, search_cut
from adaptwin_core.ml.setting import Progress, Setting, quiet_transformers
from adaptwin_core.speech.corpus import Corpus
from adaptwin_core.speech.ingest import build_corpus
from adaptwin_core.speech.limits import Limits
from adaptwin_core.speech.sources import read_folder

Show = Callable[[str, int, int], None]  # step, done, total


def run_recipe(
    model: str,
    audio: Path,
    general: Path | None,
    spec: CompressionSpec,
    out: Path,
    *,
    cache: Path,
    workdir: Path,
    show: Show = lambda _step, _done, _total: None,
) -> dict[str, Any]:
    """Compress `model` for the speaker in `audio` and write model, report and plots to `out`.

    Args:
        model: a packaged model's name, a local folder or a hub id.
        workdir: an empty folder for what lies between the steps.

    Returns:
        the report.

    Raises:
        AdaptwinError: the speech, the settings or the model cannot be used; its message says why.
    """
    quiet_transformers()
    source = canonical_source(model)
    folder = resolve(source, cache)
    digest, shape = describe(folder)
    names = [str(block) for block in blocks_to_cut(spec, shape)]

    def read(name: str, source: Path) -> Corpus:
        return build_corpus(
            read_folder(source),
            workdir / name,
            Limits(),
            lambda p: show(f"read {name} speech", p.num_files, p.total_files),
        )

    setting = Setting(folder, shape, spec, read("speaker", audio), read("general", general) if general else None)

    def watch(step: str) -> Progress:
        return lambda done, total, **_figures: show(step, done, total)

    def place(name: str) -> Path:
        made = workdir / name
        made.mkdir()
        return made

    measured = measure(setting, 0, 1, place("calibrate"), watch("measure"))
    weighed: dict[str, dict[str, Path]] = {}
    if needs_offers(spec):
        for name in names:
            weighed[name], _ = recipe.weigh_block(
                setting, name, [measured], place(f"weigh-{name}"), watch(f"weigh {name}")
            )
        setting = replace(setting, offers=recipe.read_offers(weighed))
    if spec.max_wer is not None:
        files, _ = search_cut(setting, [measured], weighed, place("search"), watch("search the cut"))
        setting = replace(setting, found=read_cut(files))
    blocks, figures = {}, {}
    for name in setting.plan.blocks:
        files, figures[name] = recipe.cut_block(
            setting, name, [measured], weighed.get(name), place(name), watch(f"cut {name}")
        )
        blocks[name] = files[recipe.BLOCK_FILE]
    model_files, _ = recipe.tune_whole(setting, blocks, out, watch("tune"))
    texts, infos = {}, {}
    for kind in ("speaker", "general") if general else ("speaker",):
        for label, compressed in (("base", None), ("compressed", out)):
            key = f"{label}:{kind}"
            files, infos[key] = judging.hear(
                setting, kind, compressed, place(key.replace(":", "-")), watch(f"judge {key}")
            )
            texts[key] = files["texts.json"]
    report_files, report = judging.conclude(
        setting,
        short_name(source),
        digest,
        texts=texts,
        infos=infos,
        model_files=model_files,
        blocks=figures,
        out=place("report"),
    )
    for name, path in report_files.items():
        shutil.copyfile(path, out / name)
    return report

"""The recipe's steps in a row, in one process: folders of speech in, a model's folder out."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from adaptwin_core.domain import languages
from adaptwin_core.domain.planner import blocks_to_cut, needs_offers
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml import judging, recipe
from adaptwin_core.ml.base_models import describe, resolve
from adaptwin_core.ml.base_sources import canonical_source, licence_of, short_name
from adaptwin_core.ml.measured import measure
from adaptwin_core.ml.memory import give_back_freed
from adaptwin_core.ml.personalize import personalize
from adaptwin_core.ml.search import judged_clips, read_cut, search_cut
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
    ended: Callable[[str, float], None] = lambda _step, _seconds: None,
) -> dict[str, Any]:
    """Compress `model` for the speaker in `audio` and write model, report and plots to `out`.

    Args:
        model: a packaged model's name, a local folder or a hub id.
        workdir: an empty folder for what lies between the steps.
        show: called with a step, what is done of it, and how much that will be.
        ended: called with a step that is done, and its seconds.

    Returns:
        the report.

    Raises:
        AdaptwinError: the speech, the settings or the model cannot be used; its message says why.
    """
    quiet_transformers()
    folder = resolve(source := canonical_source(model), cache)
    digest, shape, spoken = describe(folder)
    languages.require(spec.language, spoken, short_name(source))
    names = [str(block) for block in blocks_to_cut(spec, shape)]

    @contextmanager
    def step(name: str) -> Iterator[Progress]:
        began = time.perf_counter()
        yield lambda done, total, **_figures: show(name, done, total)
        give_back_freed()
        ended(name, time.perf_counter() - began)

    def read(name: str, source: Path) -> Corpus:
        with step(f"read {name} speech") as progress:
            return build_corpus(
                read_folder(source), workdir / name, Limits(), lambda p: progress(p.num_files, p.total_files)
            )

    def place(name: str) -> Path:
        made = workdir / name
        made.mkdir()
        return made

    speaker, others = read("speaker", audio), read("general", general) if general else None
    setting = Setting(folder, shape, spec if speaker.is_transcribed else spec.without_transcripts(), speaker, others)
    if spec.max_wer is not None:
        judged_clips(setting)  # refuses now what could not be searched by later
    if setting.spec.personal_steps > 0:
        with step("personalize") as progress:
            personal = place("personal")
            personalize(setting, personal, progress)
        setting = replace(setting, personal_folder=personal)
    calibrations = []
    if names:
        with step("measure") as progress:
            calibrations = [measure(setting, 0, 1, place("calibrate"), progress)]
    weighed: dict[str, dict[str, Path]] = {}
    if needs_offers(spec):
        for name in names:
            with step(f"weigh {name}") as progress:
                weighed[name], _ = recipe.weigh_block(setting, name, calibrations, place(f"weigh-{name}"), progress)
        setting = replace(setting, offers=recipe.read_offers(weighed))
    trials = []
    if spec.max_wer is not None:
        with step("search the cut") as progress:
            files, searched = search_cut(setting, calibrations, weighed, place("search"), progress)
        setting, trials = replace(setting, found_cut=read_cut(files)), searched["trials"]
    blocks, figures = {}, {}
    for name in setting.plan.blocks:
        with step(f"cut {name}") as progress:
            files, figures[name] = recipe.cut_block(
                setting, name, calibrations, weighed.get(name), place(name), progress
            )
        blocks[name] = files[recipe.BLOCK_FILE]
    with step("tune") as progress:
        model_files, _ = recipe.tune_whole(setting, calibrations, blocks, out, progress)
    heard = {}
    for kind in ("speaker", "general") if general else ("speaker",):
        for label, compressed in (("base", None), ("compressed", out)):
            with step(f"judge {label}:{kind}") as progress:
                heard[f"{label}:{kind}"] = judging.hear(setting, kind, compressed, place(f"{label}-{kind}"), progress)
    with step("report"):
        _, report = judging.conclude(
            setting,
            short_name(source),
            digest,
            texts={name: files["texts.json"] for name, (files, _) in heard.items()},
            infos={name: info for name, (_, info) in heard.items()},
            model_files=model_files,
            blocks=figures,
            out=out,
            licence=licence_of(source),
            trials=trials,
        )
    return report

"""The recipe's steps in a row, in one process: folders of speech in, a model's folder out."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from adaptwin_core.domain.admission import Remark, admit
from adaptwin_core.domain.planner import blocks_to_cut, has_measured_plan
from adaptwin_core.domain.progress import Progress
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml.base.models import Base
from adaptwin_core.ml.base.sources import licence_of, short_name
from adaptwin_core.ml.model.memory import give_back_freed
from adaptwin_core.ml.stages import blocks as recipe
from adaptwin_core.ml.stages import judging
from adaptwin_core.ml.stages.measured import measure
from adaptwin_core.ml.stages.personalize import personalize
from adaptwin_core.ml.stages.recipe import Setting, quiet_transformers
from adaptwin_core.ml.stages.search import judged_clips, read_cut, search_cut
from adaptwin_core.ml.stages.watcher import Watcher
from adaptwin_core.speech.corpus import Corpus
from adaptwin_core.speech.files.sources import read_folder
from adaptwin_core.speech.ingest import build_corpus
from adaptwin_core.speech.limits import Limits


def run_recipe(
    base: Base,
    audio: Path,
    general: Path | None,
    spec: CompressionSpec,
    out: Path,
    *,
    workdir: Path,
    accept_little: bool = False,
    watcher: Watcher | None = None,
) -> dict[str, Any]:
    """Compress `base` for the speaker in `audio` and write model, report and plots to `out`.

    Args:
        base: found for the language of `spec`.
        workdir: an empty folder for what lies between the steps.
        accept_little: go on with speech that is too little, as `admit` tells.
        watcher: told of every step.

    Returns:
        the report.

    Raises:
        AdaptwinError: the speech, the settings or the model cannot be used; its message says why.
    """
    quiet_transformers()
    watcher = watcher or Watcher()
    names = [str(block) for block in blocks_to_cut(spec, base.facts.shape)]

    steps = _Steps(workdir, watcher)
    step, place = steps.step, steps.place
    speaker, others = steps.read("speaker", audio), steps.read("general", general) if general else None
    watcher.admitted(_admit(speaker, others, spec, accept_little=accept_little))
    setting = Setting(base.folder, base.facts.shape, _fitted(spec, speaker, others), speaker, others)
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
    if has_measured_plan(spec):
        for name in names:
            with step(f"weigh {name}") as progress:
                weighed[name], _ = recipe.weigh_block(setting, name, calibrations, place(f"weigh-{name}"), progress)
        setting = replace(setting, sensitivities=recipe.read_sensitivities(weighed))
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
            short_name(base.source),
            base.facts.digest,
            texts={name: files["texts.json"] for name, (files, _) in heard.items()},
            infos={name: info for name, (_, info) in heard.items()},
            model_files=model_files,
            blocks=figures,
            out=out,
            licence=licence_of(base.source),
            trials=trials,
        )
    return report


@dataclass(frozen=True)
class _Steps:
    """Where steps lay their files, and who is told of them."""

    workdir: Path
    watcher: Watcher

    @contextmanager
    def step(self, name: str) -> Iterator[Progress]:
        began = time.perf_counter()
        yield lambda done, total, /, **_: self.watcher.show(name, done, total)
        give_back_freed()
        self.watcher.ended(name, time.perf_counter() - began)

    def place(self, name: str) -> Path:
        made = self.workdir / name
        made.mkdir()
        return made

    def read(self, kind: str, source: Path) -> Corpus:
        with self.step(f"read {kind} speech") as progress:
            corpus = build_corpus(
                read_folder(source), self.workdir / kind, Limits(), lambda p: progress(p.num_files, p.total_files)
            )
        self.watcher.found(kind, corpus.report())
        return corpus


def _admit(speaker: Corpus, others: Corpus | None, spec: CompressionSpec, *, accept_little: bool) -> list[Remark]:
    general = others.report() if others is not None else None
    return admit(speaker.report(), general, spec, accept_little=accept_little)


def _fitted(spec: CompressionSpec, speaker: Corpus, others: Corpus | None) -> CompressionSpec:
    """Return the settings that suit what speech there is, as the service does at submission."""
    spec = spec if others is not None else spec.without_general()
    return spec if speaker.is_transcribed else spec.without_transcripts()

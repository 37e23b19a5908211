"""The product's recipe, as the benches run it: the speech is measured and weighed once for all that is made of it."""

import time
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from adaptwin_core.domain.digest import digest_json
from adaptwin_core.domain.planner import blocks_to_cut, needs_offers
from adaptwin_core.domain.stage_spec import stage_spec
from adaptwin_core.domain.states import Stage
from adaptwin_core.ml import recipe
from adaptwin_core.ml.assemble import load_compressed
from adaptwin_core.ml.measured import measure
from adaptwin_core.ml.setting import Setting


@dataclass(frozen=True)
class Made:
    """A model, how long cutting and tuning took, and the setting it was made in."""

    model: Any
    tuning_s: float
    setting: Setting


@dataclass(frozen=True)
class Blocks:
    """The files of cut blocks, and how long they took."""

    files: dict[str, Path]
    seconds: float


class Kitchen:
    """Makes models from one person's speech; moments, offers and blocks are made once and kept in `work`."""

    def __init__(self, setting: Setting, work: Path) -> None:
        self.setting, self.work = setting, work
        self._blocks: dict[str, Blocks] = {}

    @cached_property
    def measured(self) -> dict[str, Path]:
        return measure(self.setting, 0, 1, self.folder("moments"))

    @cached_property
    def weighed(self) -> dict[str, dict[str, Path]]:
        names = [str(block) for block in blocks_to_cut(self.setting.spec, self.setting.shape)]
        return {
            name: recipe.weigh_block(self.setting, name, [self.measured], self.folder(f"weigh {name}"))[0]
            for name in names
        }

    def changed(self, **changes: Any) -> Setting:
        """Return the setting with other settings of the job, its offers measured."""
        spec = self.setting.spec.model_validate(self.setting.spec.model_dump() | changes)
        return replace(self.setting, spec=spec, offers=recipe.read_offers(self.weighed))

    def blocks(self, setting: Setting) -> Blocks:
        """Cut every block of the plan, and tune each alone."""
        tuning, plan = stage_spec(Stage.FACTORIZE, "", setting.spec).digest(), digest_json(setting.plan.model_dump())
        name = f"blocks {tuning[:12]} {plan[:12]}"
        if name not in self._blocks:
            # As in the service: without a measured plan nothing was weighed.
            weighed = self.weighed if needs_offers(setting.spec) else {}
            began = time.perf_counter()
            files = recipe.cut_blocks(setting, [self.measured], weighed, self.folder(name))
            self._blocks[name] = Blocks(files, time.perf_counter() - began)
        return self._blocks[name]

    def make(self, setting: Setting) -> Made:
        """Return the product's model for a setting that `changed` gave."""
        blocks = self.blocks(setting)
        began = time.perf_counter()
        made_of = digest_json([setting.spec.digest(), setting.plan.model_dump(), setting.speaker.digest])
        folder = self.folder(f"model {made_of[:12]}")
        recipe.tune_whole(setting, [self.measured], blocks.files, folder)
        return Made(load_compressed(folder), blocks.seconds + time.perf_counter() - began, setting)

    def folder(self, name: str) -> Path:
        """Return a folder for what is made, empty when it is new."""
        folder = self.work / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

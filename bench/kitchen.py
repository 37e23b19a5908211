"""The product's recipe, as the benches run it: what several models are made from is made once."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from adaptwin_core.domain.stage_spec import stage_spec
from adaptwin_core.ml.stages.measured import measure
from safetensors.torch import load_file

from adaptwin_core.domain.digest import digest_json
from adaptwin_core.domain.planner import blocks_to_cut, has_measured_plan
from adaptwin_core.domain.stages import Stage
from adaptwin_core.ml.model.checkpoint import WEIGHTS_FILE, load_compressed
from adaptwin_core.ml.stages import blocks as recipe
from adaptwin_core.ml.stages.personalize import personalize
from adaptwin_core.ml.stages.recipe import Setting

T = TypeVar("T")


@dataclass(frozen=True)
class Made:
    """A model, how long learning and cutting took, and the setting it was made in."""

    model: Any
    tuning_s: float
    setting: Setting
    num_bytes: int | None = None  # of the weights as stored, where they were


@dataclass(frozen=True)
class Timed(Generic[T]):
    """Something that was made, and how long it took."""

    made: T
    seconds: float


class Kitchen:
    """Makes models from one person's speech; what comes between is kept in `work`.

    The speech is measured for every block that `setting` cuts, once for each whole model that is cut.
    """

    def __init__(self, setting: Setting, work: Path) -> None:
        self.setting, self.work = setting, work
        self._made: dict[str, Timed[Any]] = {}

    def changed(self, **changes: Any) -> Setting:
        """Return the setting with other settings of the job: its speaker learnt, its sensitivities measured."""
        spec = self.setting.spec.model_validate(self.setting.spec.model_dump() | changes)
        setting = replace(self.setting, spec=spec)
        if spec.personal_steps > 0:
            setting = replace(setting, personal_folder=self._personal(setting).made)
        return (
            replace(setting, offers=recipe.read_offers(self.weighed(setting))) if has_measured_plan(spec) else setting
        )

    def measured(self, setting: Setting) -> dict[str, Path]:
        """Return the files of `measure` for the whole model of a setting."""
        setting = self._widest(setting)
        return self._once("measured", setting, lambda folder: measure(setting, 0, 1, folder)).made

    def weighed(self, setting: Setting) -> dict[str, dict[str, Path]]:
        """Return the files of `weigh_block` by block for the whole model of a setting."""
        setting = self._widest(setting)
        names = [str(block) for block in blocks_to_cut(setting.spec, setting.shape)]

        def weigh(folder: Path) -> dict[str, dict[str, Path]]:
            found = {}
            for name in names:
                (folder / name).mkdir()
                found[name], _ = recipe.weigh_block(setting, name, [self.measured(setting)], folder / name)
            return found

        return self._once("weighed", setting, weigh).made

    def blocks(self, setting: Setting) -> Timed[dict[str, Path]]:
        """Cut every block of the plan, and tune each alone."""
        tuning, plan = stage_spec(Stage.FACTORIZE, "", setting.spec).digest(), digest_json(setting.plan.model_dump())

        def cut(folder: Path) -> dict[str, Path]:
            # As in the service: without a measured plan nothing was weighed.
            weighed = self.weighed(setting) if has_measured_plan(setting.spec) else {}
            return recipe.cut_blocks(setting, [self.measured(setting)], weighed, folder)

        return self._once(f"blocks {tuning} {plan}", setting, cut) if setting.plan.blocks else Timed({}, 0.0)

    def make(self, setting: Setting) -> Made:
        """Return the product's model for a setting that `changed` gave."""
        personal_s = self._personal(setting).seconds if setting.personal_folder else 0.0
        blocks = self.blocks(setting)
        calibrations = [self.measured(setting)] if setting.plan.blocks else []
        began = time.perf_counter()
        made_of = digest_json([setting.spec.digest(), setting.plan.model_dump(), setting.speaker.digest])
        folder = self.folder(f"model {made_of[:12]}")
        recipe.tune_whole(setting, calibrations, blocks.made, folder)
        tuning_s = personal_s + blocks.seconds + time.perf_counter() - began
        num_bytes = sum(tensor.nbytes for tensor in load_file(folder / WEIGHTS_FILE).values())
        return Made(load_compressed(folder), tuning_s, setting, num_bytes)

    def apart(self, name: str, **changes: Any) -> "Kitchen":
        """Return a kitchen of a changed setting, or for changed code, that shares nothing with what was made here."""
        return Kitchen(replace(self.setting, **changes), self.folder(name))

    def folder(self, name: str) -> Path:
        """Return a folder for what is made, empty when it is new."""
        folder = self.work / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _personal(self, setting: Setting) -> Timed[Path]:
        def learn(folder: Path) -> Path:
            personalize(setting, folder)
            return folder

        learnt = stage_spec(Stage.PERSONALIZE, "", setting.spec).digest()
        return self._once(f"personal {learnt}", replace(setting, personal_folder=None), learn)

    def _widest(self, setting: Setting) -> Setting:
        return replace(self.setting, personal_folder=setting.personal_folder)

    def _once(self, what: str, setting: Setting, make: Callable[[Path], T]) -> Timed[T]:
        """Make something of a setting's whole model, or return what was made of it before."""
        name = digest_json([what, str(setting.whole_folder)])
        if name not in self._made:
            folder = self.folder(f"{what.partition(' ')[0]} {name[:12]}")
            began = time.perf_counter()
            made = make(folder)
            self._made[name] = Timed(made, time.perf_counter() - began)
        return self._made[name]

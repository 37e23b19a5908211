"""A finished model, and the original that it was made from."""

from pathlib import Path
from typing import Any

from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.domain.plan import RankPlan
from adaptwin_core.ml.assemble import assemble, save
from adaptwin_core.ml.base_models import describe, resolve


def save_original(manifest: dict[str, Any], cache: Path, out: Path) -> Path:
    """Write the original that a model's manifest names as a checkpoint with nothing cut: every exporter takes that.

    Returns:
        the folder of the original itself.

    Raises:
        InvalidInput: what is found under that name is another model.
    """
    base = manifest["base_model"]
    folder = resolve(base["model"], cache)
    if describe(folder)[0] != base["digest"]:
        raise InvalidInput(f"{base['model']} is not the model that this one was made from")
    save(assemble(folder, RankPlan(blocks={}), {}), folder, out)
    return folder

"""A finished model, and the original that it was made from."""

import argparse
from pathlib import Path
from typing import Any

from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.domain.plan import RankPlan
from adaptwin_core.ml.base.models import describe, resolve
from adaptwin_core.ml.model.checkpoint import assemble, save


def finished_options(description: str | None, *, clips: int, out: str) -> argparse.ArgumentParser:
    """Return the options of a bench on a finished model; `clips` and the name of the results are defaults."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="folder of a finished model")
    parser.add_argument("--base", default="package:whisper-base", help="the original it was made from")
    parser.add_argument("--speech", type=Path, required=True, help="the speaker's transcribed speech; test clips count")
    parser.add_argument("--clips", type=int, default=clips)
    parser.add_argument("--cache", type=Path, default=Path("var/models"))
    parser.add_argument("--out", type=Path, default=Path(f"bench/results/{out}.json"))
    return parser


def save_original(manifest: dict[str, Any], source: str, cache: Path, out: Path) -> Path:
    """Write the original that a model was made from as a checkpoint with nothing cut: every exporter takes that.

    Args:
        source: where the original is found; that it is the one the manifest means is checked.

    Returns:
        the folder of the original itself.

    Raises:
        InvalidInput: what is found there is another model.
    """
    folder, name = resolve(source, cache), manifest["base_model"]["model"]
    if describe(folder)[0] != manifest["base_model"]["digest"]:
        raise InvalidInput(f"{source} is not the {name} that this model was made from: give --base")
    save(assemble(folder, RankPlan(blocks={}), {}), folder, out)
    return folder

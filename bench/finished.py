"""What the benches of finished models share: one such model, and the stock Whisper that it was made from."""

import argparse
from pathlib import Path
from typing import Any

from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.domain.plan import RankPlan
from adaptwin_core.ml.base.models import describe, resolve
from adaptwin_core.ml.model.checkpoint import assemble, save
from bench.runner import command_line

STOCK, OURS = "stock", "ours"


def finished_command_line(description: str | None, name: str) -> argparse.ArgumentParser:
    """Return the command line of a bench that hears with a finished model and with its original."""
    parser = command_line(description, name)
    parser.add_argument("--model", type=Path, required=True, help="folder of a finished model")
    parser.add_argument("--base", default="package:whisper-base", help="the original it was made from")
    parser.add_argument("--speech", type=Path, required=True, help="the speaker's transcribed speech; test clips count")
    return parser


def save_original(manifest: dict[str, Any], source: str, cache: Path, out: Path) -> Path:
    """Write the original of a finished model as a checkpoint with nothing cut, which every exporter takes.

    Args:
        source: where the original is found.

    Returns:
        the folder of the original itself.

    Raises:
        InvalidInput: what is found there is not the model that the manifest names.
    """
    folder, name = resolve(source, cache), manifest["base_model"]["model"]
    if describe(folder)[0] != manifest["base_model"]["digest"]:
        raise InvalidInput(f"{source} is not the {name} that this model was made from: give --base")
    save(assemble(folder, RankPlan(blocks={}), {}), folder, out)
    return folder

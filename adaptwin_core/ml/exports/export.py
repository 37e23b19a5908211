"""An export from start to end: it is written, tested against its checkpoint, and handed over only if it passes."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.domain.exports import CHECKPOINT
from adaptwin_core.domain.manifests import MODEL_CARD
from adaptwin_core.domain.progress import Progress, no_progress
from adaptwin_core.ml.evaluation.manifest import read_manifest, write_manifest
from adaptwin_core.ml.evaluation.report import REPORT
from adaptwin_core.ml.exports import formats
from adaptwin_core.ml.exports.acceptance import HeldOutSet, transcribe_held_out, verdict
from adaptwin_core.ml.exports.export_card import export_card


@dataclass(frozen=True)
class Export:
    """`files` by their names relative to the export's folder: none where the verdict is against it. `verdict` is None
    where it was not tested.
    """

    files: dict[str, Path]
    verdict: dict[str, Any] | None


def export_model(
    form: str, checkpoint: Path, held_out: HeldOutSet | None, out: Path, *, progress: Progress = no_progress
) -> Export:
    """Write a downloaded model in another form, with its card and its manifest.

    Args:
        form: one of `domain.exports.FORMATS`.
        checkpoint: the model's folder, as it was published.
        held_out: clips to test it on; None leaves the test out.
        progress: told of clips transcribed by the export, then by the checkpoint unless its texts are known.

    Raises:
        NotFound: the folder is not that of a published model.
    """
    manifest = read_manifest(checkpoint)
    names = formats.write(form, checkpoint, out)
    found = None
    if held_out is not None:
        found = _tested(form, checkpoint, held_out, out, manifest, progress)
    report = json.loads((checkpoint / REPORT).read_text("utf-8"))
    licence = manifest["base_model"]["licence"]
    (out / MODEL_CARD).write_text(export_card(form, report, found, licence=licence), "utf-8")
    files = {name: out / name for name in [*names, MODEL_CARD]}
    files |= write_manifest(files, out, form=form, report=report, verdict=found, licence=licence)
    return Export({} if found is not None and not found["is_offered"] else files, found)


def _tested(
    form: str, checkpoint: Path, held_out: HeldOutSet, out: Path, manifest: dict[str, Any], progress: Progress
) -> dict[str, Any]:
    """Return the verdict on an export that was written to `out`. Both hear in the windows that the model is for."""
    if not held_out.audios:
        return {"num_clips": 0, "is_offered": True, "why": "no clips were held out to hear it on"}
    language, margin_s = manifest["settings"]["language"], manifest.get("margin_s")
    exported = transcribe_held_out(formats.load(form, out, language, margin_s=margin_s), held_out, progress)
    own_texts = held_out.own_texts
    if own_texts is None:
        own = formats.load(CHECKPOINT, checkpoint, language, margin_s=margin_s)
        own_texts = transcribe_held_out(own, held_out, progress).texts
    try:
        return verdict(exported, own_texts, held_out, language)
    except InvalidInput:
        return {"num_clips": 0, "is_offered": True, "why": "nobody says a word in the held-out clips"}

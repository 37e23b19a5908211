"""An export from start to end: written, heard against its checkpoint, and handed over only if it hears as well."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.domain.exports import CHECKPOINT
from adaptwin_core.ml.evaluation.manifest import read_manifest, write_manifest
from adaptwin_core.ml.evaluation.report import REPORT
from adaptwin_core.ml.exports import formats, judged


def make(
    form: str,
    checkpoint: Path,
    heard_on: judged.HeldOut | None,
    out: Path,
    *,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> tuple[dict[str, Path], dict[str, Any] | None]:
    """Write a downloaded model in another form, with its manifest.

    Args:
        checkpoint: the model's folder, as it was published.
        heard_on: speech to hear it on. None: it is not heard.
        progress: called with clips heard and in all, by the export, then by the checkpoint unless its words are known;
            may raise to stop.

    Returns:
        the files by their names relative to `out`, and the verdict. No files where the verdict is against it.

    Raises:
        NotFound: the folder is not that of a published model.
    """
    manifest = read_manifest(checkpoint)
    language = manifest["settings"]["language"]
    names = formats.write(form, checkpoint, out)
    verdict = None
    if heard_on is not None and heard_on.audios:
        exported = judged.hear(formats.load(form, out, language), heard_on, progress)
        own_texts = heard_on.own_texts
        if own_texts is None:
            own_texts = judged.hear(formats.load(CHECKPOINT, checkpoint, language), heard_on, progress).texts
        try:
            verdict = judged.verdict(exported, own_texts, heard_on, language)
        except InvalidInput:
            verdict = {"num_clips": 0, "is_offered": True, "why": "nobody says a word in the held-out clips"}
    elif heard_on is not None:
        verdict = {"num_clips": 0, "is_offered": True, "why": "no clips were held out to hear it on"}
    files = {name: out / name for name in names}
    files |= write_manifest(
        files,
        out,
        form=form,
        report=json.loads((checkpoint / REPORT).read_text("utf-8")),
        verdict=verdict,
        licence=manifest["base_model"]["licence"],
    )
    return ({} if verdict is not None and not verdict["is_offered"] else files), verdict

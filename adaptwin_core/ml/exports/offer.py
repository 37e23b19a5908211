"""An export from start to end: written, heard against its checkpoint, and handed over only if it hears as well."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from adaptwin_core.ml.exports import formats, judged, manifest
from adaptwin_core.ml.report import held_out
from adaptwin_core.speech.corpus import Corpus

ENGLISH = "en"


def make(
    form: str,
    checkpoint: Path,
    speaker: Corpus | None,
    out: Path,
    *,
    licence: str | None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> tuple[dict[str, Path], dict[str, Any] | None]:
    """Write the model of a checkpoint folder in another form, with its manifest.

    Args:
        speaker: speech to hear it on; its held-out clips are taken. None: it is not heard.
        progress: called with clips heard, by both, and in all; may raise to stop.

    Returns:
        the files by their names relative to `out`, and the verdict. No files where the verdict is against it.
    """
    formats.write(form, checkpoint, out)
    verdict = None
    if speaker is not None:
        clips = held_out(speaker, "speaker")
        heard_on = judged.HeldOut([speaker.audio(clip) for clip in clips], [clip.text for clip in clips])
        language, total = language_of(checkpoint), 2 * len(clips)
        exported = judged.hear(formats.load(form, out, language), heard_on, lambda done, _: progress(done, total))
        own = judged.hear(
            formats.load(None, checkpoint, language), heard_on, lambda done, _: progress(len(clips) + done, total)
        )
        verdict = judged.verdict(exported, own, heard_on, language)
    manifest.write_manifest(out, form, checkpoint, verdict, licence=licence)
    if verdict is not None and not verdict["is_offered"]:
        return {}, verdict
    return {str(path.relative_to(out)): path for path in sorted(out.rglob("*")) if path.is_file()}, verdict


def language_of(checkpoint: Path) -> str:
    """Return the language that a checkpoint was made for, as its report tells."""
    report = checkpoint / manifest.REPORT
    return str(json.loads(report.read_text("utf-8"))["spec"]["language"]) if report.exists() else ENGLISH

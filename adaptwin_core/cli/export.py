"""`adaptwin export` and `adaptwin verify`: a finished model in the form a runtime wants, and proof that it works."""

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import track

from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.domain.exports import FORMATS

if TYPE_CHECKING:
    from adaptwin_core.ml.exports.judged import HeldOut

WHISPER_LICENCE = "MIT"  # OpenAI's
ENGLISH = "en"

ModelArgument = Annotated[Path, typer.Argument(help="folder of a downloaded model", exists=True, file_okay=False)]
AudioOption = Annotated[
    Path | None,
    typer.Option(help="folder of speech to hear it on; its held-out clips are taken", exists=True, file_okay=False),
]


def export(
    model: ModelArgument,
    to: Annotated[str, typer.Option(help=f"one of: {', '.join(FORMATS)}")],
    out: Annotated[Path, typer.Option(help="folder to write to; must not exist or be empty")],
    audio: AudioOption = None,
) -> None:
    """Write a model in the form that another runtime loads; with --audio, hear it there first."""
    if to not in FORMATS:
        raise InvalidInput(f"no such form: {to!r}. There are: {', '.join(FORMATS)}")
    if out.exists() and any(out.iterdir()):
        raise InvalidInput(f"{out} is not empty: name another folder")
    from adaptwin_core.ml.exports import formats, judged, manifest
    from adaptwin_core.ml.setting import quiet_transformers

    quiet_transformers()
    console = Console(stderr=True)
    with console.status(f"writing {to}"):
        formats.write(to, model, out)
    found: dict[str, Any] | None = None
    if audio is not None:
        language = _language(model)
        held_out = _held_out(audio)
        exported, checkpoint = (
            judged.hear(formats.load(form, folder, language), held_out)
            for form, folder in track(
                ((to, out), (None, model)), description=f"hearing {len(held_out.audios)} clips", console=console
            )
        )
        found = judged.verdict(exported, checkpoint, held_out, language)
        console.print(_told(found))
    made = manifest.write_manifest(out, to, model, found, licence=WHISPER_LICENCE)
    size = sum(file["bytes"] for file in made["files"].values())
    console.print(f"{out}: {to} for {FORMATS[to].runtime}, {size / 1e6:.1f} MB")
    if found is not None and not found["is_offered"]:
        raise InvalidInput(f"this export should not be used: {found['why']}")


def verify(model: ModelArgument, audio: AudioOption = None) -> None:
    """Check every file of a model or an export against its SHA-256; with --audio, hear it in its runtime too."""
    from adaptwin_core.ml.exports import formats, judged, manifest
    from adaptwin_core.ml.setting import quiet_transformers

    quiet_transformers()
    console = Console(stderr=True)
    made = manifest.checked(model)
    console.print(f"{len(made['files'])} files are what they were when they were made")
    if audio is None:
        return
    language = (made.get("settings") or made.get("spec") or {}).get("language", ENGLISH)
    held_out = _held_out(audio)
    heard = judged.hear(formats.load(made.get("format"), model, language), held_out)
    found = judged.verdict(heard, heard, held_out, language)
    console.print(f"word error rate {100 * found['wer']:.1f} % on {found['num_clips']} clips")


def _told(found: dict[str, Any]) -> str:
    return (
        f"word error rate {100 * found['wer']:.1f} % (checkpoint {100 * found['checkpoint_wer']:.1f} %) on "
        f"{found['num_clips']} clips, against {found['reference']}; "
        f"{found['compute_s_per_audio_s']:.3f} s of compute for a second of audio"
    )


def _language(checkpoint: Path) -> str:
    report = checkpoint / "report.json"
    return str(json.loads(report.read_text("utf-8"))["spec"]["language"]) if report.exists() else ENGLISH


def _held_out(audio: Path) -> "HeldOut":
    from adaptwin_core.ml.exports.judged import HeldOut
    from adaptwin_core.ml.report import held_out
    from adaptwin_core.speech.ingest import build_corpus
    from adaptwin_core.speech.limits import Limits
    from adaptwin_core.speech.sources import read_folder

    with tempfile.TemporaryDirectory() as work:
        corpus = build_corpus(read_folder(audio), Path(work) / "speech", Limits())
        clips = held_out(corpus, "speaker")
        return HeldOut([corpus.audio(clip) for clip in clips], [clip.text for clip in clips])

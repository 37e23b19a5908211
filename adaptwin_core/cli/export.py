"""`adaptwin export` and `adaptwin verify`: a finished model in the form a runtime wants, and proof that it works."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.domain.exports import FORMATS

if TYPE_CHECKING:
    from adaptwin_core.speech.corpus import Corpus

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
    from adaptwin_core.ml.exports.judged import HeldOut
    from adaptwin_core.ml.exports.offer import make
    from adaptwin_core.ml.setting import quiet_transformers

    quiet_transformers()
    console = Console(stderr=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    with Progress(console=console) as bars, tempfile.TemporaryDirectory(dir=out.parent, prefix=".export-") as scratch:
        bar, work = bars.add_task(f"writing {to}", total=None), Path(scratch)
        _, found = make(
            to,
            model,
            HeldOut.of(_speech(audio, work)) if audio else None,
            work / "made",
            progress=lambda done, total: bars.update(bar, description="hearing", completed=done, total=total),
        )
        if found is None or found["is_offered"]:
            (work / "made").replace(out)  # whole or not at all
    if found is not None and "error_rate" in found:
        console.print(
            f"{found['unit']} error rate {_percent(found['error_rate'])} (the model itself "
            f"{_percent(found['checkpoint_error_rate'])}) on {found['num_clips']} clips, against {found['reference']}"
        )
    elif found is not None:
        console.print(f"not heard: {found['why']}")
    if found is not None and not found["is_offered"]:
        raise InvalidInput(f"this export is not kept: {found['why']}")
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    console.print(f"{out}: {to} for {FORMATS[to].runtime}, {size / 1e6:.1f} MB")


def verify(model: ModelArgument, audio: AudioOption = None) -> None:
    """Check every file of a model or an export against its SHA-256; with --audio, hear it in its runtime too."""
    from adaptwin_core.ml.exports import formats, judged
    from adaptwin_core.ml.manifest import check_files, read_manifest
    from adaptwin_core.ml.setting import quiet_transformers

    quiet_transformers()
    console = Console(stderr=True)
    made = read_manifest(model)
    check_files(model, made)
    console.print(f"{len(made['files'])} files are what they were when they were made")
    if audio is None:
        return
    language = made["settings"]["language"]
    with tempfile.TemporaryDirectory() as work:
        heard_on = judged.HeldOut.of(_speech(audio, Path(work)))
    if not any(heard_on.texts):
        raise InvalidInput(f"{audio} has no held-out clips with a transcript: there is nothing to score against")
    heard = judged.hear(formats.load(made["format"], model, language), heard_on)
    found = judged.verdict(heard, heard.texts, heard_on, language)
    console.print(f"{found['unit']} error rate {_percent(found['error_rate'])} on {found['num_clips']} clips")


def _speech(audio: Path, work: Path) -> "Corpus":
    from adaptwin_core.speech.files.sources import read_folder
    from adaptwin_core.speech.ingest import build_corpus
    from adaptwin_core.speech.limits import Limits

    return build_corpus(read_folder(audio), work / "speech", Limits())


def _percent(rate: float) -> str:
    return f"{100 * rate:.1f} %"

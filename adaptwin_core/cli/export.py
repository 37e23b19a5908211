"""`adaptwin export` converts a finished model for another runtime; `adaptwin verify` checks that one is intact."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adaptwin_core.cli.destination import require_empty, whole_or_nothing
from adaptwin_core.cli.extras import needs
from adaptwin_core.cli.interruption import stoppable
from adaptwin_core.cli.library_logs import quiet_libraries
from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.domain.exports import FORMATS

if TYPE_CHECKING:
    from adaptwin_core.speech.corpus import Corpus

ModelArgument = Annotated[Path, typer.Argument(help="Folder of a downloaded model.", exists=True, file_okay=False)]
AudioOption = Annotated[
    Path | None,
    typer.Option(
        help="Folder of speech. Its held-out clips are transcribed in the runtime and scored.",
        exists=True,
        file_okay=False,
    ),
]


def export(
    model: ModelArgument,
    to: Annotated[str, typer.Option(help=f"Format: one of {', '.join(FORMATS)}.")],
    out: Annotated[Path, typer.Option(help="Folder to write to. It must be new or empty.")],
    audio: AudioOption = None,
) -> None:
    """Convert a model for another runtime. With --audio, it is kept only if it recognizes speech as well there."""
    if to not in FORMATS:
        raise InvalidInput(f"there is no format {to!r}: give one of {', '.join(FORMATS)}")
    require_empty(out)
    quiet_libraries()
    from rich.console import Console

    from adaptwin_core.cli.progress_display import progress_display

    console = Console(stderr=True, soft_wrap=True)
    with stoppable(f"nothing was written to {out}"), whole_or_nothing(out) as made:
        with needs("models"):
            from adaptwin_core.ml.exports.acceptance import HeldOutSet
            from adaptwin_core.ml.exports.export import export_model
            from adaptwin_core.ml.model.quiet import quiet_transformers

        quiet_transformers()
        with progress_display() as watcher, tempfile.TemporaryDirectory() as work:
            export = export_model(
                to,
                model,
                HeldOutSet.of(_speech(audio, Path(work))) if audio else None,
                made,
                progress=lambda done, total, /, **_: watcher.show("hear", done, total),
            )
        found = export.verdict
        if found is not None and "error_rate" in found:
            own = _percent(found["checkpoint_error_rate"])
            console.print(
                f"{found['unit']} error rate {_percent(found['error_rate'])} (the model itself {own}) on "
                f"{found['num_clips']} clips, against {found['reference']}"
            )
        elif found is not None:
            console.print(f"not scored: {found['why']}")
        if found is not None and not found["is_offered"]:
            raise InvalidInput(f"this export is not kept: {found['why']}")
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    console.print(f"{out}: {to} for {FORMATS[to].runtime}, {size / 1e6:.1f} MB")


def verify(model: ModelArgument, audio: AudioOption = None) -> None:
    """Check every file of a model or an export against its SHA-256. With --audio, score it on speech as well."""
    from rich.console import Console

    from adaptwin_core.ml.evaluation.manifest import check_files, read_manifest

    quiet_libraries()
    console = Console(stderr=True, soft_wrap=True)
    made = read_manifest(model)
    check_files(model, made)
    console.print(f"{len(made['files'])} files are intact")
    if audio is None:
        return
    with needs("models"):
        from adaptwin_core.ml.exports import acceptance, formats
        from adaptwin_core.ml.model.quiet import quiet_transformers

    quiet_transformers()
    language = made["settings"]["language"]
    with tempfile.TemporaryDirectory() as work:
        heard_on = acceptance.HeldOutSet.of(_speech(audio, Path(work)))
    if not any(heard_on.texts):
        raise InvalidInput(f"{audio} has no held-out clips with a transcript: there is nothing to score against")
    heard = acceptance.transcribe_held_out(
        formats.load(made["format"], model, language, margin_s=made.get("margin_s")), heard_on
    )
    found = acceptance.verdict(heard, heard.texts, heard_on, language)
    console.print(f"{found['unit']} error rate {_percent(found['error_rate'])} on {found['num_clips']} clips")


def _speech(audio: Path, work: Path) -> "Corpus":
    from adaptwin_core.speech.files.sources import read_folder
    from adaptwin_core.speech.ingest import build_corpus
    from adaptwin_core.speech.limits import Limits

    return build_corpus(read_folder(audio), work / "speech", Limits())


def _percent(rate: float) -> str:
    return f"{100 * rate:.1f} %"

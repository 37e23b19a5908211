"""`adaptwin compress`: the whole recipe in one process, without a service."""

import json
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from adaptwin_core.domain.errors import InvalidSpec
from adaptwin_core.domain.spec import CompressionSpec

FolderOption = Annotated[
    Path | None,
    typer.Option(help="speech of other people, so that they are still heard", exists=True, file_okay=False),
]


def compress(
    model: Annotated[
        str, typer.Option(help="whisper-tiny.en, a local folder, or a hub id such as openai/whisper-base")
    ],
    audio: Annotated[
        Path,
        typer.Option(help="folder of one speaker's speech, with or without transcripts", exists=True, file_okay=False),
    ],
    out: Annotated[Path, typer.Option(help="folder to write the smaller model to")],
    general: FolderOption = None,
    encoder_cut: Annotated[
        float | None, typer.Option(help="share of the encoder's parameters to remove; 0.35 when no size is given")
    ] = None,
    settings: Annotated[str, typer.Option(help="settings of a job, as JSON, e.g. '{\"personal_steps\": 480}'")] = "{}",
    cache: Annotated[Path, typer.Option(help="where converted base models are kept")] = Path("var/models"),
) -> None:
    """Make a Whisper smaller for one speaker, from files to files."""
    spec = _spec(settings, encoder_cut)
    if spec.exports:
        raise InvalidSpec("exports is a setting of the service's jobs: run `adaptwin export` on the finished model")
    console = Console(stderr=True)
    from adaptwin_core.ml.run import run_recipe  # torch is loaded only for the command that needs it

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<28}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as bars, tempfile.TemporaryDirectory() as workdir:
        tasks: dict[str, int] = {}

        def show(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=total)
            bars.update(tasks[step], completed=done, total=total)  # type: ignore[arg-type]

        report = run_recipe(model, audio, general, spec, out, cache=cache, workdir=Path(workdir), show=show)
    for kind, found in report["speech"].items():
        rates = {name: f"{100 * found[name]['wer']:.1f} %" for name in ("original", "compressed") if name in found}
        console.print(
            f"{kind}: word error rate {rates} on {found['num_clips']} held-out clips, against {found['reference']}"
        )
    cuts = report["plan"]
    console.print(
        f"{cuts['encoder_cut']:.1%} of the encoder and {cuts['total_cut']:.1%} of the whole model removed; "
        f"model and report in {out}"
    )


def _spec(settings: str, encoder_cut: float | None) -> CompressionSpec:
    try:
        asked = json.loads(settings)
    except ValueError as fault:
        raise InvalidSpec(f"--settings is not JSON: {fault}") from fault
    if not isinstance(asked, dict):
        raise InvalidSpec('--settings must be a JSON object, such as {"personal_steps": 480}')
    if encoder_cut is not None:
        asked["encoder_cut"] = encoder_cut
    try:
        return CompressionSpec.model_validate(asked)
    except ValueError as fault:
        raise InvalidSpec(f"the settings cannot be used: {fault}") from fault

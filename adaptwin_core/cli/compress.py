"""`adaptwin compress`: the whole recipe in one process, without a service."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from adaptwin_core.cli.destination import require_empty, whole_or_nothing
from adaptwin_core.cli.folder_checks import require_apart, require_files, require_writable
from adaptwin_core.cli.interruption import stoppable
from adaptwin_core.cli.job_settings import parse_settings
from adaptwin_core.cli.library_logs import quiet_libraries
from adaptwin_core.cli.progress_display import progress_display
from adaptwin_core.cli.summary import model_summary
from adaptwin_core.ml.base.sources import canonical_source

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
    out: Annotated[Path, typer.Option(help="folder to write the smaller model to; must not exist or be empty")],
    general: FolderOption = None,
    encoder_cut: Annotated[
        float | None, typer.Option(help="share of the encoder's parameters to remove; 0.35 when no size is given")
    ] = None,
    settings: Annotated[str, typer.Option(help="settings of a job, as JSON, e.g. '{\"personal_steps\": 480}'")] = "{}",
    accept_little: Annotated[
        bool, typer.Option("--accept-little", help="go on with speech that is too little to learn from or to judge by")
    ] = False,
    cache: Annotated[Path, typer.Option(help="where converted base models are kept")] = Path("var/models"),
) -> None:
    """Make a Whisper smaller for one speaker, from files to files.

    What was found in the speech is printed, and kept in report.json. --out is whole in the end, or as it was before.
    The exit status is 1 after a refusal, 2 after wrong usage, and 130 when stopped by Ctrl-C.
    """
    # What costs nothing is asked first; torch is loaded only when all of it is right.
    spec = parse_settings(settings, encoder_cut)
    require_empty(out)
    speech = {"--audio": audio} | ({} if general is None else {"--general": general})
    require_apart(speech, {"--out": out})
    source = canonical_source(model)
    for option, folder in speech.items():
        require_files(option, folder)
    if not source.startswith("folder:"):
        require_apart(speech, {"--cache": cache})
        require_writable("--cache", cache)
    quiet_libraries()
    with stoppable(f"nothing was written to {out}"), whole_or_nothing(out) as made:
        from adaptwin_core.ml.base.models import Base

        base = Base.found(source, spec.language, cache)
        from adaptwin_core.ml.stages.run import run_recipe

        with progress_display() as watcher, tempfile.TemporaryDirectory() as workdir:
            report = run_recipe(
                base,
                audio,
                general,
                spec,
                made,
                workdir=Path(workdir),
                accept_little=accept_little,
                watcher=watcher,
            )
    with progress_display() as watcher:
        for line in model_summary(report, out):
            watcher.say(line)

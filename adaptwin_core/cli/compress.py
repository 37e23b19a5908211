"""`adaptwin compress` does a whole job in one process, without the service."""

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
    typer.Option(
        help="Folder of other people's speech, so that the model still recognizes them.", exists=True, file_okay=False
    ),
]


def compress(
    model: Annotated[
        str, typer.Option(help="Base model: whisper-tiny.en, a local folder, or a hub id such as openai/whisper-base.")
    ],
    audio: Annotated[
        Path,
        typer.Option(help="Folder of one speaker's speech, with or without transcripts.", exists=True, file_okay=False),
    ],
    out: Annotated[Path, typer.Option(help="Folder to write the model to. It must be new or empty.")],
    general: FolderOption = None,
    encoder_cut: Annotated[
        float | None,
        typer.Option(help="Share of the encoder's parameters to remove. It is 0.35 if no other size is given."),
    ] = None,
    settings: Annotated[
        str, typer.Option(help="Settings of the job, as JSON: '{\"personal_steps\": 480}'. See docs/settings.md.")
    ] = "{}",
    accept_little: Annotated[
        bool, typer.Option("--accept-little", help="Accept speech that is too little to train on or to test on.")
    ] = False,
    cache: Annotated[Path, typer.Option(help="Folder that converted base models are kept in.")] = Path("var/models"),
) -> None:
    """Make a Whisper smaller for one speaker.

    What is found in the speech is printed, and kept in report.json. If the command fails, --out is left as it was.
    The exit status is 1 if the job is refused, 2 if the command is used wrongly, and 130 if Ctrl-C stops it.
    """
    # Cheap checks come first: torch takes seconds to load.
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
        from adaptwin_core.ml.stages.run import Ordered, run_job

        workdir = made.parent / "work"  # on the disk that is to hold the model; removed with what is left of `made`
        workdir.mkdir()
        with progress_display() as watcher:
            report = run_job(
                [Ordered(base, spec)],
                audio,
                general,
                made,
                workdir=workdir,
                accept_little=accept_little,
                watcher=watcher,
            )
    with progress_display() as watcher:
        for line in model_summary(report, out):
            watcher.say(line)

"""`adaptwin compress` does a whole job in one process, without the service."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from adaptwin_core.cli import job_settings
from adaptwin_core.cli.destination import require_empty, whole_or_nothing
from adaptwin_core.cli.extras import needs
from adaptwin_core.cli.folder_checks import require_apart, require_files, require_writable
from adaptwin_core.cli.interruption import stoppable
from adaptwin_core.cli.library_logs import quiet_libraries
from adaptwin_core.cli.safe_text import printable

FolderOption = Annotated[
    Path | None,
    typer.Option(
        help="Folder of other people's speech, so that the model still recognizes them.", exists=True, file_okay=False
    ),
]


def compress(
    model: Annotated[
        list[str],
        typer.Option(
            help="Base model: whisper-tiny.en, a local folder, or a hub id such as openai/whisper-base. If it is "
            "given several times, models are made from each."
        ),
    ],
    audio: Annotated[
        Path,
        typer.Option(help="Folder of one speaker's speech, with or without transcripts.", exists=True, file_okay=False),
    ],
    out: Annotated[Path, typer.Option(help="Folder to write the model to. It must be new or empty.")],
    general: FolderOption = None,
    encoder_cut: job_settings.EncoderCut = None,
    language: job_settings.Language = None,
    make: job_settings.Make = None,
    limits: job_settings.Limits = None,
    settings: job_settings.Settings = "{}",
    accept_little: job_settings.AcceptsLittle = False,
    cache: Annotated[Path, typer.Option(help="Folder that converted base models are kept in.")] = Path("var/models"),
) -> None:
    """Make a Whisper smaller for one speaker.

    With several base models or sizes, each model gets a folder in --out, and the one to take is named.
    What is found in the speech is printed, and kept in report.json. If the command fails, --out is left as it was.
    The exit status is 1 if the job is refused, 2 if the command is used wrongly, and 130 if Ctrl-C stops it.
    """
    from adaptwin_core.cli.progress_display import progress_display
    from adaptwin_core.domain.errors import InvalidSpec
    from adaptwin_core.domain.members import members_of
    from adaptwin_core.domain.model_limits import NO_LIMITS
    from adaptwin_core.ml.base.sources import canonical_source

    # Cheap checks come first: torch takes seconds to load.
    spec = job_settings.parse_settings(settings, encoder_cut, language)
    if spec.exports:
        raise InvalidSpec("exports is a setting of the service's jobs: run `adaptwin export` on the finished model")
    family = job_settings.parse_family(make, limits)
    model_limits = family.limits or NO_LIMITS
    require_empty(out)
    speech = {"--audio": audio} | ({} if general is None else {"--general": general})
    require_apart(speech, {"--out": out})
    members = members_of([canonical_source(each) for each in model], spec, family.make)
    sources = dict.fromkeys(member.base_model for member in members)
    for option, folder in speech.items():
        require_files(option, folder)
    if not all(source.startswith("folder:") for source in sources):
        require_apart(speech, {"--cache": cache})
        require_writable("--cache", cache)
    quiet_libraries()
    with stoppable(f"nothing was written to {out}"), whole_or_nothing(out) as made:
        with needs("models"):
            from adaptwin_core.ml.base.models import Base

            bases = {source: Base.found(source, spec.language, cache) for source in sources}
            from adaptwin_core.ml.stages.run import Ordered, run_job

        workdir = made.parent / "work"  # on the disk that is to hold the model; removed with what is left of `made`
        workdir.mkdir()
        with progress_display() as watcher:
            report = run_job(
                [
                    Ordered(base, member.spec_for(base.facts.shape, model_limits))
                    for member in members
                    for base in (bases[member.base_model],)
                ],
                audio,
                general,
                made,
                workdir=workdir,
                limits=model_limits,
                accept_little=accept_little,
                watcher=watcher,
            )
    with progress_display() as watcher:
        for line in map(printable, _told(report, out)):
            watcher.say(line)


def _told(report: Mapping[str, Any], out: Path) -> list[str]:
    """Return what is printed of the result: of several models, which one to take and why, before what it is worth."""
    from adaptwin_core.cli.summary import model_summary
    from adaptwin_core.domain.members import folder_of

    family = report.get("family")
    if family is None:
        return [*model_summary(report), f"The model and its report are in {out}."]
    if family["take"] is None:
        return [family["sentence"], f"What was made, with its reports, is in {out}."]
    folder = out if len(family["models"]) == 1 else out / folder_of(family["take"])
    return [family["sentence"], *model_summary(report), f"This model and its report are in {folder}."]

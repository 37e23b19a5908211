"""`make demo`: a person's speech in, a smaller Whisper that hears them out, through REST only, and the proof of it."""

import argparse
import json
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from adaptwin_core.client import ClientError
from adaptwin_core.domain.errors import AdaptwinError
from adaptwin_core.domain.splits import Split
from adaptwin_core.ml.base.models import resolve
from adaptwin_core.ml.base.sources import canonical_source, short_name
from adaptwin_core.rest.datasets import ClipOut, DatasetOut
from adaptwin_core.rest.jobs import JobOut, StageOut
from bench.demo import report as reports
from bench.demo.failure import DemoFailed
from bench.demo.held_out import HeldOut, cut_held_out, transcribed
from bench.demo.over_rest import OverRest
from bench.demo.server import running_service
from bench.demo.settings import DEFAULT_MODEL, JSON, SEED, DemoSettings
from bench.demo.speech import make_speech, packed

LANGUAGE = "en"


class Demo:
    """One run, phase by phase; keeps how long each took."""

    def __init__(self, settings: DemoSettings, console: Console) -> None:
        self.settings, self.console, self.out = settings, console, settings.out
        self.seconds: dict[str, float] = {}

    def say(self, text: str) -> None:
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    @contextmanager
    def phase(self, name: str, title: str) -> Iterator[None]:
        self.say(f"== {title}")
        began = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - began, 1)

    def run(self) -> None:
        """Do all of it.

        Raises:
            ClientError, DemoFailed, AdaptwinError: something failed; the text says what to do.
        """
        with self.phase("speech", "Speech"):
            speech, general = self._speech()
            uploads = {
                "speaker": packed(speech, self.out / "uploads"),
                "others": packed(general, self.out / "uploads"),
            }
        base_models = self.out / "base-models"
        with ExitStack() as running:
            job, datasets, clips, manifest = self._served(running, uploads, base_models)
        with self.phase("held_out", "Cutting the held-out clips"):
            held_out = {kind: self._cut(kind, uploads[kind], datasets[kind], clips[kind]) for kind in uploads}
        folders = {
            "original": resolve(canonical_source(self.settings.model), base_models),
            "compressed": self.out / "model",
        }
        with self.phase("transcribe", "Transcribing them, in processes that know only transformers"):
            heard = {
                model: {kind: self._hear(model, folder, kind) for kind in held_out} for model, folder in folders.items()
            }
        self._conclude(job, datasets, manifest, held_out, heard)

    def _served(
        self, running: ExitStack, uploads: dict[str, Path], base_models: Path
    ) -> tuple[JobOut, dict[str, DatasetOut], dict[str, list[ClipOut]], JSON]:
        """Do what needs the service, from its start to its stop; leaving `running` stops it in any case."""
        with self.phase("server_start", "Starting the service: adaptwin up"):
            folder = self.out / "server"
            client = running.enter_context(running_service(folder, self.settings.model, base_models, self.say))
        rest = OverRest(client, self.console, self.say)
        with self.phase("upload", "Uploading by tus"):
            ids = {kind: rest.upload(kind, path) for kind, path in uploads.items()}
        with self.phase("ingest", "The service reads the speech"):
            datasets = {kind: rest.ready(kind, dataset_id) for kind, dataset_id in ids.items()}
        clips = {kind: client.datasets.clips(dataset_id) for kind, dataset_id in ids.items()}
        with self.phase("job", "Compressing"):
            job = rest.compress(ids["speaker"], ids["others"], self.settings.spec())
        with self.phase("download", "Downloading the model"):
            assert job.model_id is not None, "it succeeded"
            manifest = rest.download(job.model_id, self.out / "model").manifest
        with self.phase("server_stop", "Stopping the service"):
            running.close()
        return job, datasets, clips, manifest

    def _speech(self) -> tuple[Path, Path]:
        given, general = self.settings.speech, self.settings.general
        for path in filter(None, (given, general)):
            if not path.exists():
                raise DemoFailed(f"{path} is not there: give a folder of speech, or leave it out for the synthetic one")
        if given is None or general is None:
            speaker, others = make_speech(self.out / "speech", self.say)
            given, general = given or speaker, general or others
        self.say(f"speaker: {given}\nothers:  {general}")
        return given, general

    def _cut(self, kind: str, upload: Path, dataset: DatasetOut, clips: list[ClipOut]) -> HeldOut:
        folder = self.out / "held-out" / kind
        shutil.rmtree(folder, ignore_errors=True)
        return cut_held_out(upload, dataset, clips, folder)

    def _hear(self, model: str, folder: Path, kind: str) -> JSON:
        held_out = self.out / "held-out"
        out = held_out / f"{model}-{kind}.json"
        result = transcribed(model, folder, held_out / kind, out, LANGUAGE, self.out / "hf")
        self.say(f"  {model}, {kind}: {result['compute_s']:.0f} s for {result['audio_s']:.0f} s of audio")
        return result

    def _conclude(
        self,
        job: JobOut,
        datasets: dict[str, DatasetOut],
        manifest: JSON,
        held_out: dict[str, HeldOut],
        heard: dict[str, Any],
    ) -> None:
        given = self.settings.speech
        report = {
            "model": short_name(canonical_source(self.settings.model)),
            "cut": self.settings.cut,
            "speech_source": "synthetic speech (eSpeak NG, hibari-tts)" if given is None else given.name,
            "general_source": "synthetic" if self.settings.general is None else self.settings.general.name,
            **reports.judge(held_out, heard, LANGUAGE, SEED),
            "spec": job.spec.model_dump(mode="json"),
            "stages": {stage.stage: _stage_seconds(stage) for stage in job.stages},
            "datasets": {kind: _splits(dataset) for kind, dataset in datasets.items()},
            "phases_s": self.seconds,
            "whole_run_s": round(sum(self.seconds.values()), 1),
            "how": "greedy decoding, one clip at a time, float32, 95 % bootstrap interval over clips (1000 resamples)",
            "seed": SEED,
            "machine": reports.machine(),
            "service_report": {name: value for name, value in manifest.items() if name != "files"},
        }
        reports.write_json(report, self.out)
        reports.write_plot(report, self.out)
        self.console.print(reports.table(report))
        self.say(
            f"{report['speech_source']}; 95 % intervals in brackets; {report['whole_run_s'] / 60:.1f} min in all.\n"
            f"model: {self.out / 'model'}   report: {self.out / 'report.json'}   plot: {self.out / 'plot.png'}"
        )


def _stage_seconds(stage: StageOut) -> JSON:
    return {"num_tasks": stage.num_tasks, "task_s": round(sum(task.seconds or 0.0 for task in stage.tasks), 1)}


def _splits(dataset: DatasetOut) -> dict[Split, float]:
    assert dataset.report is not None, "it is ready"
    return dataset.report.splits


def main() -> int:
    """Read the command line, run, and on failure say what to do."""
    parser = argparse.ArgumentParser(prog="python -m bench.demo", description=__doc__)
    parser.add_argument("--speech", type=Path, help="folder of one speaker's speech; default: synthetic")
    parser.add_argument("--general", type=Path, help="folder of other people's speech; default: synthetic")
    parser.add_argument("--model", default=DEFAULT_MODEL, help="a packaged model's name, a local folder, or a hub id")
    parser.add_argument("--cut", type=float, default=0.35, help="share of the encoder's parameters to remove")
    parser.add_argument("--job", type=json.loads, default={}, help="further settings of the job, as JSON")
    parser.add_argument("--out", type=Path, default=Path("demo"))
    given = parser.parse_args()
    console = Console()
    demo = Demo(DemoSettings(given.speech, given.general, given.model, given.cut, given.out, given.job), console)
    demo.out.mkdir(parents=True, exist_ok=True)
    try:
        demo.run()
    except (ClientError, DemoFailed, AdaptwinError) as error:
        demo.say(f"\nThe demo stopped: {error}")
        demo.say(f"Logs of the service: {demo.out / 'server' / 'logs'}. Mend the cause and run it again.")
        return 1
    except KeyboardInterrupt:
        demo.say("stopped")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

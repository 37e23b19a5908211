"""`make demo`: a person's speech in, a smaller Whisper that hears them out, through REST only, and the proof of it."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from adaptwin_core.domain.errors import AdaptwinError
from adaptwin_core.ml.base.models import resolve
from adaptwin_core.ml.base.sources import canonical_source, short_name
from bench.demo import report as reports
from bench.demo.client import Service, ServiceError
from bench.demo.follow import bars, follow
from bench.demo.held_out import HeldOut, cut_held_out
from bench.demo.server import running_service
from bench.demo.settings import DATASET_READY_S, DEFAULT_MODEL, SEED, DemoSettings
from bench.demo.speech import make_speech

JSON = dict[str, Any]
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
            ServiceError, AdaptwinError: something failed; the text says what to do.
        """
        with self.phase("speech", "Speech"):
            speech, general = self._speech()
            uploads = {
                "speaker": _packed(speech, self.out / "uploads"),
                "others": _packed(general, self.out / "uploads"),
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
    ) -> tuple[JSON, dict[str, JSON], dict[str, list[JSON]], JSON]:
        """Do what needs the service, from its start to its stop; leaving `running` stops it in any case."""
        with self.phase("server_start", "Starting the service: adaptwin up"):
            folder = self.out / "server"
            service = running.enter_context(running_service(folder, self.settings.model, base_models, self.say))
        job, datasets, clips = self._compress(service, uploads)
        with self.phase("download", "Downloading the model"):
            manifest = self._download(service, job["model_id"])
        with self.phase("server_stop", "Stopping the service"):
            running.close()
        return job, datasets, clips, manifest

    def _speech(self) -> tuple[Path, Path]:
        given, general = self.settings.speech, self.settings.general
        for path in filter(None, (given, general)):
            if not path.exists():
                raise ServiceError(
                    f"{path} is not there: give a folder of speech, or leave it out for the synthetic one"
                )
        if given is None or general is None:
            speaker, others = make_speech(self.out / "speech", self.say)
            given, general = given or speaker, general or others
        self.say(f"speaker: {given}\nothers:  {general}")
        return given, general

    def _compress(
        self, service: Service, uploads: dict[str, Path]
    ) -> tuple[JSON, dict[str, JSON], dict[str, list[JSON]]]:
        with self.phase("upload", "Uploading by tus"):
            ids = {kind: self._upload(service, kind, path) for kind, path in uploads.items()}
        with self.phase("ingest", "The service reads the speech"):
            datasets = {kind: self._ready(service, kind, dataset_id) for kind, dataset_id in ids.items()}
        clips = {kind: service.clips(dataset_id) for kind, dataset_id in ids.items()}
        with self.phase("job", "Compressing"):
            body = {
                "dataset_id": ids["speaker"],
                "general_dataset_id": ids["others"],
                "base_model": service.call("GET", "/v1/base-models")["items"][0]["id"],
                "name": "demo",
                "spec": self.settings.spec(),
            }
            job = service.call("POST", "/v1/jobs", body=body, headers={"Idempotency-Key": uuid.uuid4().hex})
            job = follow(service, job["id"], self.console)
        return job, datasets, clips

    def _upload(self, service: Service, kind: str, path: Path) -> str:
        dataset_id: str = service.call("POST", "/v1/datasets", body={"name": kind})["id"]
        with bars(self.console) as progress:
            bar = progress.add_task(f"{kind}: {path.name}", total=path.stat().st_size)

            def on_bytes(offset: int) -> None:
                progress.update(bar, completed=offset)

            def on_cut(offset: int) -> None:
                self.say(f"  {kind}: upload abandoned on purpose; a new client goes on at byte {offset:,}")

            service.upload(dataset_id, path, on_bytes, on_cut)
        self.say(f"  {kind}: {path.stat().st_size / 1e6:.1f} MB uploaded")
        service.call("POST", f"/v1/datasets/{dataset_id}/seal")
        return dataset_id

    def _ready(self, service: Service, kind: str, dataset_id: str) -> JSON:
        deadline = time.monotonic() + DATASET_READY_S
        while time.monotonic() < deadline:
            dataset = service.call("GET", f"/v1/datasets/{dataset_id}")
            if dataset["state"] == "failed":
                raise ServiceError(f"the service cannot use the speech of {kind}: {dataset['error']['message']}")
            if dataset["state"] == "ready":
                found = dataset["report"]
                splits = ", ".join(f"{name} {seconds / 60:.1f}" for name, seconds in found["splits"].items())
                self.say(
                    f"  {kind}: {found['clips']} clips ({found['labelled']} with transcripts), minutes: {splits}; "
                    f"{len(found['rejects'])} files not used"
                )
                for reject in found["rejects"][:5]:
                    self.say(f"    not used: {reject['name']}: {reject['reason']}")
                return dataset
            time.sleep(0.5)
        raise ServiceError(f"the service has not read the speech of {kind} within {DATASET_READY_S / 60:.0f} min")

    def _download(self, service: Service, model_id: str) -> JSON:
        manifest: JSON = service.call("GET", f"/v1/models/{model_id}")["manifest"]
        target = self.out / "model"
        shutil.rmtree(target, ignore_errors=True)
        with bars(self.console) as progress:
            bar = progress.add_task("model", total=sum(entry["bytes"] for entry in manifest["files"].values()))
            for name, entry in manifest["files"].items():
                if not (target / name).resolve().is_relative_to(target.resolve()):
                    raise ServiceError(f"the manifest names a file outside of the model: {name!r}")
                service.download(model_id, name, entry["sha256"], target / name, lambda n: progress.advance(bar, n))
        self.say(f"  {len(manifest['files'])} files in {target}, each with the SHA-256 of the manifest")
        return manifest

    def _cut(self, kind: str, upload: Path, dataset: JSON, clips: list[JSON]) -> HeldOut:
        folder = self.out / "held-out" / kind
        shutil.rmtree(folder, ignore_errors=True)
        return cut_held_out(upload, dataset, clips, folder)

    def _hear(self, model: str, folder: Path, kind: str) -> JSON:
        out = self.out / "held-out" / f"{model}-{kind}.json"
        clips = self.out / "held-out" / kind
        script = Path(__file__).with_name("transcribe.py")
        environment = {
            **os.environ,
            "HF_HUB_OFFLINE": "1",
            "HF_HOME": str((self.out / "hf").resolve()),
            "PYTHONPATH": "",
            "OMP_WAIT_POLICY": "PASSIVE",  # as the service's own workers
        }
        command = [
            sys.executable,
            str(script),
            str(folder.resolve()),
            str(clips.resolve()),
            str(out.resolve()),
            LANGUAGE,
        ]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment, check=False
        )
        if done.returncode:
            raise ServiceError(f"transcribing with the {model} model failed:\n{done.stderr[-2000:]}")
        result: JSON = json.loads(out.read_text())
        if result["uses_this_project"]:
            raise ServiceError("the model loaded code of this project, so it would not load without it")
        self.say(f"  {model}, {kind}: {result['compute_s']:.0f} s for {result['audio_s']:.0f} s of audio")
        return result

    def _conclude(
        self, job: JSON, datasets: dict[str, JSON], manifest: JSON, held_out: dict[str, HeldOut], heard: dict[str, Any]
    ) -> None:
        given = self.settings.speech
        report = {
            "model": short_name(canonical_source(self.settings.model)),
            "cut": self.settings.cut,
            "speech_source": "synthetic speech (eSpeak NG, hibari-tts)" if given is None else given.name,
            "general_source": "synthetic" if self.settings.general is None else self.settings.general.name,
            **reports.judge(held_out, heard, LANGUAGE, SEED),
            "spec": job["spec"],
            "stages": {stage["stage"]: _stage_seconds(stage) for stage in job["stages"]},
            "datasets": {kind: dataset["report"]["splits"] for kind, dataset in datasets.items()},
            "phases_s": self.seconds,
            "whole_run_s": round(sum(self.seconds.values()), 1),
            "how": "greedy decoding in batches of 8, float32, 95 % bootstrap interval over clips (1000 resamples)",
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


def _stage_seconds(stage: JSON) -> JSON:
    return {"num_tasks": stage["num_tasks"], "task_s": round(sum(task["seconds"] or 0.0 for task in stage["tasks"]), 1)}


def _packed(speech: Path, folder: Path) -> Path:
    """Return a file to upload: the speech itself if it is one file, else a tar of the folder."""
    if speech.is_file():
        return speech
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{speech.name}.tar"
    with tarfile.open(target, "w") as tar:
        for path in sorted(speech.rglob("*")):
            inside = path.relative_to(speech)
            if path.is_file() and not any(part.startswith(".") for part in inside.parts):
                tar.add(path, arcname=str(inside), recursive=False)
    return target


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
    except (ServiceError, AdaptwinError) as error:
        demo.say(f"\nThe demo stopped: {error}")
        demo.say(f"Logs of the service: {demo.out / 'server' / 'logs'}. Mend the cause and run it again.")
        return 1
    except KeyboardInterrupt:
        demo.say("stopped")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

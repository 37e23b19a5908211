"""What the fan-out costs and what a second worker brings: `python -m bench.fanout`.

The blocks of one job (Whisper tiny.en, encoder and decoder cut) are made three times with one torch thread each: in one
process without any service, through Celery with one worker, through Celery with two. Seconds are of the factorize stage
alone, from the event that sets its tasks out to the event of the next stage.
"""

import argparse
import json
import os
import platform
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import torch
from adaptwin_core.ml.stages.measured import measure
from rich.console import Console

from adaptwin_core.domain.planner import make_plan
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml.base.models import describe, resolve
from adaptwin_core.ml.stages import blocks as recipe
from adaptwin_core.ml.stages.recipe import Setting
from adaptwin_core.speech.files.sources import read_folder
from adaptwin_core.speech.ingest import build_corpus
from adaptwin_core.speech.limits import Limits
from bench.demo.client import Service
from bench.demo.server import running_service
from bench.demo.speech import make_speech

MODEL = "package:whisper-tiny.en"
POLL_S = 0.5


def main() -> None:
    os.environ["ADAPTWIN_BLOCK_THREADS"] = "1"  # one thread a block in all three ways, whatever the cores
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=24, help="layer-wise steps of each block")
    parser.add_argument("--repeats", type=int, default=3, help="how often each way is timed; the median counts")
    parser.add_argument("--out", type=Path, default=Path("bench/results/fanout.json"))
    options = parser.parse_args()
    console = Console()
    spec = CompressionSpec(
        personal_steps=0,
        plan="uniform",  # its blocks go straight from calibration to the cut
        encoder_cut=0.35,
        decoder_cut=0.2,
        layer_steps=options.steps,
        layer_windows=4,
        calibration_windows=4,
        tune_steps=0,
    )
    speech, _ = make_speech(Path("demo/speech"), console.print)
    alone = [_in_one_process(spec, speech) for _ in range(options.repeats)]
    console.print(f"in one process: {alone} s")
    through = {}
    for num_workers in (1, 2):
        through[num_workers] = _through_celery(spec, speech, num_workers, options.repeats, console)
        console.print(f"through Celery, {num_workers} worker(s): {through[num_workers]} s")
    results = {
        "how": {
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "what": __doc__.splitlines()[0] if __doc__ else "",
            "model": MODEL,
            "num_blocks": len(make_plan(spec, describe(resolve(MODEL, Path("var/models")))[1]).blocks),
            "spec": spec.model_dump(mode="json"),
            "machine": platform.machine(),
            "counted": "the median of the repeats",
        },
        "in_one_process_s": alone,
        "one_worker_s": through[1],
        "two_workers_s": through[2],
        "overhead_ratio": round(median(through[1]) / median(alone), 3),
        "two_workers_to_one_ratio": round(median(through[2]) / median(through[1]), 3),
    }
    options.out.write_text(json.dumps(results, indent=2) + "\n")
    console.print({name: results[name] for name in ("overhead_ratio", "two_workers_to_one_ratio")})


def _in_one_process(spec: CompressionSpec, speech: Path) -> float:
    torch.set_num_threads(1)
    folder = resolve(MODEL, Path("var/models"))
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        corpus = build_corpus(read_folder(speech), work / "corpus", Limits())
        setting = Setting(folder, describe(folder)[1], spec, corpus, None)
        (work / "moments").mkdir()
        measured = measure(setting, 0, 1, work / "moments")
        began = time.perf_counter()
        for name in make_plan(spec, setting.shape).blocks:
            (work / name).mkdir()
            recipe.cut_block(setting, name, [measured], None, work / name)
        return round(time.perf_counter() - began, 2)


def _through_celery(
    spec: CompressionSpec, speech: Path, num_workers: int, repeats: int, console: Console
) -> list[float]:
    seconds = []
    with (
        tempfile.TemporaryDirectory(prefix="adaptwin-bench-") as folder,
        running_service(
            Path(folder) / "server", MODEL, Path("var/models"), lambda _line: None, num_workers=num_workers
        ) as service,
    ):
        dataset = service.call("POST", "/v1/datasets", body={"name": "bench"})["id"]
        for path in sorted(speech.iterdir()):
            if path.is_file():
                service.upload(dataset, path, lambda _offset: None, lambda _offset: None)
        service.call("POST", f"/v1/datasets/{dataset}/seal")
        _until(service, f"/v1/datasets/{dataset}", {"ready"})
        for seed in range(repeats):  # another seed makes every block new, so no kept result answers for it
            body: dict[str, Any] = {"dataset_id": dataset, "base_model": "whisper-tiny.en"}
            body["spec"] = spec.model_dump(mode="json") | {"seed": seed}
            job = service.call("POST", "/v1/jobs", body=body)["id"]
            seconds.append(_stage_seconds(service, job))
            service.call("POST", f"/v1/jobs/{job}/cancel")  # what follows the blocks is not measured here
            console.print(f"  {num_workers} worker(s): {seconds[-1]} s")
    return seconds


def _until(service: Service, path: str, states: set[str]) -> None:
    while (state := service.call("GET", path)["state"]) not in states:
        if state in {"failed", "cancelled"}:
            raise SystemExit(f"{path} {state}: {service.call('GET', path)['error']}")
        time.sleep(POLL_S)


def _stage_seconds(service: Service, job: str) -> float:
    """Wait for the blocks; return the seconds between the events that set out their stage and the stage after it."""
    began: dict[str, str] = {}
    while "tune" not in began:
        time.sleep(POLL_S)
        events = service.call("GET", f"/v1/jobs/{job}/events?limit=200")["items"]
        began = {event["data"]["stage"]: event["created_at"] for event in events if event["kind"] == "stage"}
    times = [datetime.fromisoformat(began[stage]) for stage in ("factorize", "tune")]
    return round((times[1] - times[0]).total_seconds(), 2)


if __name__ == "__main__":
    main()

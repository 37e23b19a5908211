"""Is a job as long as it was estimated to be? `python -m bench.estimates`.

The whole service runs, with two workers. Each speaker's job is estimated and then run: the first from the default
rates, the second from what the tasks of the first took.
"""

import tempfile
import time
from pathlib import Path

from adaptwin_core.client import Client, NewJob
from bench.demo.server import running_service
from bench.demo.settings import DEFAULT_MODEL, SHORT_JOB
from bench.demo.speech import make_speech, packed
from bench.runner import Row, Run, command_line, machine


def main() -> None:
    parser = command_line(__doc__, "estimates")
    parser.add_argument("--speech", type=Path, required=True, help="folder of another speaker's speech")
    parser.add_argument("--steps", type=int, default=SHORT_JOB["personal_steps"], help="personal_steps of the jobs")
    options = parser.parse_args()
    spec = SHORT_JOB | {"encoder_cut": 0.35, "personal_steps": options.steps}
    run = Run(options.out, {"model": DEFAULT_MODEL, "settings": spec, **machine()})
    with tempfile.TemporaryDirectory(prefix="adaptwin-estimates-") as folder:
        work = Path(folder)
        synthetic, others = make_speech(work / "speech", run.console.print)
        with running_service(work / "server", DEFAULT_MODEL, options.cache, run.console.print) as client:
            general = _read(client, others, work)
            for speaker in (options.speech, synthetic):
                body = {
                    "dataset_id": _read(client, speaker, work),
                    "general_dataset_id": general,
                    "base_model": client.base_models()[0].id,
                    "spec": spec,
                }
                run.add({"speaker": speaker.name, **_measured(client, NewJob.model_validate(body))})


def _read(client: Client, speech: Path, work: Path) -> str:
    """Upload a folder, wait until it is read, and return the id of its dataset."""
    dataset_id = client.datasets.create(speech.name).id
    client.datasets.upload_file(dataset_id, packed(speech, work / "uploads"))
    client.datasets.seal(dataset_id)
    return client.datasets.wait(dataset_id).id


def _measured(client: Client, job: NewJob) -> Row:
    """Estimate a job, run it, and return both times, whole and by stage."""
    estimate = client.estimate(job)
    assert estimate.work is not None, estimate.problems
    began = time.monotonic()
    ended = client.jobs.wait(client.jobs.submit(job).id)
    took_s = round(time.monotonic() - began, 1)
    ran = {stage.stage: sum(task.seconds or 0.0 for task in stage.tasks) for stage in ended.stages}
    return {
        "rates": estimate.rates,
        "workers": estimate.workers,
        "estimated_s": round(estimate.work.time.likely_s, 1),
        "low_s": round(estimate.work.time.low_s, 1),
        "high_s": round(estimate.work.time.high_s, 1),
        "took_s": took_s,
        "factor": round(estimate.work.time.likely_s / took_s, 2),
        "stages": {
            stage.stage: {"estimated_s": round(stage.time.likely_s, 1), "tasks_s": round(ran[stage.stage], 1)}
            for stage in estimate.work.stages
        },
    }


if __name__ == "__main__":
    main()

"""From REST to a loaded model, with a small Whisper of random weights: quick enough to also kill things on the way."""

import hashlib
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from sqlalchemy import create_engine, text

from adaptwin_core.domain.digest import digest_file
from adaptwin_core.domain.errors import AdaptwinError
from adaptwin_core.domain.members import Size, members_of
from adaptwin_core.domain.plan import RankPlan
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.submission import submit
from adaptwin_core.domain.task_keys import ModelKey
from adaptwin_core.ml.base.models import Base
from adaptwin_core.ml.model.checkpoint import assemble
from adaptwin_core.ml.model.loading import load_whisper
from adaptwin_core.ml.model.modeling_adaptwin import ZERO_SUFFIX, widened
from adaptwin_core.ml.model.quantization import stored_state
from adaptwin_core.ml.stages.recipe import BaseModel
from adaptwin_core.ml.stages.run import Ordered, run_job
from adaptwin_core.ml.stages.walk import Speech, Walk
from adaptwin_core.ml.stages.watcher import Watcher
from adaptwin_core.speech.files.sources import read_folder
from adaptwin_core.speech.ingest import build_corpus
from adaptwin_core.speech.limits import Limits
from tests.running_service import SPEC, Service, running_service
from tests.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.weights]  # the tokenizer comes with the weights
CUTS = {"encoder_cut": 0.3, "decoder_cut": 0.2}


@pytest.fixture(scope="module")
def service(base: Path) -> Iterator[Service]:
    with running_service(f"folder:{base}") as running:
        yield running


@pytest.fixture(scope="module")
def dataset(service: Service, noise: Path) -> str:
    return service.upload("noise", noise)


@pytest.fixture(scope="module")
def undisturbed_job(service: Service, dataset: str) -> str:
    return service.submit(dataset, **CUTS)


@pytest.fixture(scope="module")
def undisturbed(service: Service, undisturbed_job: str) -> dict:
    return service.finish(undisturbed_job)


def test_a_model_comes_out_whole_and_loads(
    service: Service, undisturbed: dict, undisturbed_job: str, dataset: str, tmp_path: Path
) -> None:
    folder = service.download(undisturbed, tmp_path / "model")
    for name, file in undisturbed["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == file["sha256"]
    weights = load_file(folder / "model.safetensors")
    report = json.loads((folder / "report.json").read_text())
    assert sum(tensor.numel() for tensor in weights.values()) == report["size"]["compressed"]["total_params"]
    assert report["plan"]["encoder_cut"] >= 0.3
    assert report["speech"]["speaker"]["reference"] == "transcripts"
    assert report["datasets"] == {"speaker": service.client.get(f"/v1/datasets/{dataset}").json()["report"]}
    verdict = service.client.get(f"/v1/jobs/{undisturbed_job}").json()["verdict"]
    assert verdict == report["verdict"]
    assert verdict["outcome"] in {"better", "no_worse", "worse"}
    assert verdict["sentence"] in (folder / "README.md").read_text()


@pytest.fixture
def one_thread() -> Iterator[None]:
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(num_threads)


@pytest.mark.usefixtures("one_thread")
def test_the_service_and_one_process_make_the_same_files_figures_and_report(
    service: Service, undisturbed: dict, undisturbed_job: str, base: Path, noise: Path, tmp_path: Path
) -> None:
    job = service.client.get(f"/v1/jobs/{undisturbed_job}").json()
    corpus = build_corpus(read_folder(noise), tmp_path / "corpus", Limits())
    found = Base.found(str(base), "en", tmp_path / "cache")
    asked = CompressionSpec.model_validate(SPEC | CUTS)
    settled = submit(asked, found.facts.shape, corpus.report(), None, accept_little=True)
    assert settled.spec == CompressionSpec.model_validate(job["models"][0]["spec"])
    model = replace(BaseModel.of(found), name="tiny-random")
    (tmp_path / "work").mkdir()
    tasks = {stage["stage"]: {task["key"] for task in stage["tasks"]} for stage in job["stages"]}
    walk = Walk(Speech(corpus, None), tmp_path / "work", num_shards=len(tasks["calibrate"]))
    done = walk.run(model, settled.spec)
    assert tasks == {str(stage): {str(key) for key in made} for stage, made in done.items()}
    made = done[Stage.PUBLISH][ModelKey()].result
    assert made.files.keys() == undisturbed["files"].keys()
    tells_of_time = {"report.json", "README.md", "adaptwin.json", "report.png", "report.svg"}
    for name in made.files.keys() - tells_of_time:
        assert digest_file(made.files[name]) == undisturbed["files"][name]["sha256"], name
    assert _without_time(made.figures) == _without_time({k: v for k, v in undisturbed.items() if k != "files"})


def _without_time(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return a report without what two runs never share: seconds of compute."""
    speech = {
        kind: {name: figure for name, figure in found.items() if name != "compute_s_per_audio_s"}
        for kind, found in report["speech"].items()
    }
    return json.loads(json.dumps({**report, "speech": speech}))


@pytest.mark.parametrize(
    "spec",
    [
        {"encoder_cut": 0, "decoder_cut": 0.8},
        {"encoder_cut": 0.3, "plan": "successive", "decoder_cut": 0.8},
        {"max_bytes": 1_000_000},
        {"ranks": {"qk": 300}},
        {"max_wer": 10.0},
    ],
    ids=str,
)
def test_the_service_and_one_process_refuse_alike_and_at_once(
    service: Service, dataset: str, base: Path, noise: Path, tmp_path: Path, spec: dict
) -> None:
    body = {"dataset_id": dataset, "base_model": "tiny-random", "spec": SPEC | spec, "accept_little": True}
    answer = service.client.post("/v1/jobs", json=body)
    assert answer.status_code == 422
    asked = CompressionSpec.model_validate(SPEC | spec)
    with pytest.raises(AdaptwinError) as refused:
        run_job(
            [Ordered(Base.found(str(base), "en", tmp_path / "cache"), asked)],
            noise,
            None,
            tmp_path / "out",
            workdir=tmp_path,
            accept_little=True,
        )
    assert (refused.value.code, refused.value.message) == (answer.json()["code"], answer.json()["detail"])


@pytest.mark.usefixtures("one_thread")
def test_the_service_and_one_process_make_the_same_family(
    service: Service, dataset: str, base: Path, noise: Path, tmp_path: Path
) -> None:
    sizes = [{"encoder_cut": 0.3}, {"encoder_cut": 0.3, "weights": "int8"}]
    body = {"dataset_id": dataset, "base_models": ["tiny-random"], "make": sizes, "spec": SPEC, "accept_little": True}
    answer = service.client.post("/v1/jobs", json=body)
    assert answer.status_code == 201, answer.text
    job = service.until(f"/v1/jobs/{answer.json()['id']}", {"succeeded", "failed"}, 300)
    assert job["state"] == "succeeded", job["error"]

    def of_service(place: int) -> dict[str, Any]:
        return service.client.get(f"/v1/models/{job['models'][place]['model_id']}").json()["manifest"]

    (tmp_path / "work").mkdir()
    found = Base.found(str(base), "en", tmp_path / "cache")
    spec = CompressionSpec.model_validate(SPEC)
    ordered = [Ordered(found, member.spec) for member in members_of(["base"], spec, [Size(**size) for size in sizes])]
    report = run_job(ordered, noise, None, tmp_path / "out", workdir=tmp_path / "work", accept_little=True)
    for place, folder in enumerate(sorted((tmp_path / "out").iterdir())):
        weights = next(path for path in folder.iterdir() if path.suffix == ".safetensors")
        assert digest_file(weights) == of_service(place)["files"][weights.name]["sha256"]
        assert (folder / "family.png").stat().st_size > 1000
    told = job["choice"]
    assert told["take"] == report["family"]["take"]
    assert (job["model_id"], told["sentence"][:5]) == (job["models"][told["take"]]["model_id"], "Take ")
    mine, its = (
        [(model["weights_bytes"], model["encoder_cut"], model["chosen_by"]) for model in family["models"]]
        for family in (told, report["family"])
    )
    assert mine == its
    assert mine[1][0] < mine[0][0]
    card = service.client.get(f"/v1/models/{job['model_id']}/files/README.md").text
    assert told["sentence"] in card
    assert "![Error rate and size of each model of this job](family.png)" in card


def test_two_sizes_of_one_model_share_what_does_not_depend_on_the_size(base: Path, noise: Path, tmp_path: Path) -> None:
    corpus = build_corpus(read_folder(noise), tmp_path / "corpus", Limits())
    found = Base.found(str(base), "en", tmp_path / "cache")
    model = replace(BaseModel.of(found), name="tiny-random")
    told: list[str] = []

    class Told(Watcher):
        def ended(self, step: str, seconds: float) -> None:
            told.append(step.split(maxsplit=1)[0])

    (tmp_path / "work").mkdir()
    walk = Walk(Speech(corpus, None), tmp_path / "work", Told())
    sizes = [
        walk.run(model, CompressionSpec.model_validate(SPEC | {"encoder_cut": cut}).without_general())
        for cut in (0.2, 0.3)
    ]
    assert told.count("personalize") == told.count("calibrate") == 1
    assert told.count("weigh") == 2
    assert told.count("factorize") == 4
    assert told.count("tune") == told.count("publish") == 2
    small, smaller = (size[Stage.TUNE][ModelKey()].result.figures["total_params"] for size in sizes)
    assert smaller < small


def test_four_bits_are_rounded_for_the_speech(service: Service, dataset: str, base: Path, tmp_path: Path) -> None:
    made = service.finish(service.submit(dataset, encoder_cut=0, personal_steps=0, weights="int4"))
    stored = load_file(service.download(made, tmp_path / "model") / "model.safetensors")
    nearest = stored_state(assemble(base, RankPlan(blocks={}), {}), "int4")
    assert stored.keys() == nearest.keys()
    packed = {name for name, tensor in nearest.items() if f"{name}{ZERO_SUFFIX}" in nearest}
    assert {name for name in packed if not torch.equal(stored[name], nearest[name])} == packed
    exact, rounded = (widened(state) for state in (load_whisper(base).state_dict(), stored))
    for name in packed:
        off = (rounded[name].float() - exact[name]).square().mean() / exact[name].square().mean()
        assert off < 0.05


@pytest.mark.usefixtures("undisturbed")
def test_every_block_is_a_task_of_its_own(service: Service, undisturbed_job: str) -> None:
    blocks = service.blocks(undisturbed_job)
    assert {task["key"] for task in blocks} == {"encoder.0.self", "encoder.1.self", "decoder.0.self", "decoder.0.cross"}
    assert {task["state"] for task in blocks} == {"done"}


def test_killing_a_worker_delays_the_job_and_changes_nothing(service: Service, dataset: str, undisturbed: dict) -> None:
    """The same job again would be answered from kept results: they are dropped, so that its work is done anew."""
    _forget_results(service)
    job = service.submit(dataset, **CUTS)
    wait_until(lambda: any(task["state"] == "running" for task in service.blocks(job)), 60, "the start of a block")
    for worker in service.workers():
        worker.kill()
    shaken = service.finish(job)
    weights = "model.safetensors"
    assert shaken["files"][weights] == undisturbed["files"][weights]
    assert max(task["attempt"] for task in service.blocks(job)) >= 2


def test_no_transcripts_is_legal_and_the_report_says_so(service: Service, noise: Path, tmp_path: Path) -> None:
    for path in noise.glob("*.flac"):
        shutil.copyfile(path, tmp_path / path.name)
    manifest = service.finish(service.submit(service.upload("unlabelled", tmp_path), encoder_cut=0.3))
    found = manifest["speech"]["speaker"]
    assert found["reference"] == "the original model's own output"
    assert "original" not in found
    assert manifest["verdict"]["outcome"] == "unknown"


def test_the_smallest_model_that_holds_a_rate(service: Service, noise: Path, tmp_path: Path) -> None:
    """A model that knows nothing holds a rate of 100 % on texts longer than what it may say: the deepest cut is
    found, made and told.
    """
    lines = ["file_name,transcription,split"]
    for index, path in enumerate(sorted(noise.glob("*.flac"))):
        shutil.copyfile(path, tmp_path / path.name)
        lines.append(f"{path.name},{'word ' * 90}{index},{'train' if index < 12 else 'valid'}")
    (tmp_path / "metadata.csv").write_text("\n".join(lines))
    job = service.submit(service.upload("with valid clips", tmp_path), max_wer=100.0)
    manifest = service.finish(job)
    deepest = manifest["trials"][-1]["encoder_cut"]
    assert manifest["plan"]["encoder_cut"] >= deepest > 0.3  # as deep as so small a model allows
    assert all(trial["wer"] <= 100 <= trial["num_words"] for trial in manifest["trials"])


def test_a_job_can_be_cancelled(service: Service, dataset: str) -> None:
    job = service.submit(dataset, encoder_cut=0.3, seed=9, personal_steps=10_000)
    began = time.monotonic()
    assert service.client.post(f"/v1/jobs/{job}/cancel").status_code == 202
    assert service.until(f"/v1/jobs/{job}", {"cancelled"}, 30)
    assert time.monotonic() - began < 30


def _forget_results(service: Service) -> None:
    """Drop the kept results from the service's own database, so that equal work is done again."""
    lines = (service.folder / "environment").read_text().splitlines()
    url = next(line.partition("=")[2].strip("'") for line in lines if line.startswith("DATABASE_URL="))
    with create_engine(url).begin() as connection:
        connection.execute(text("DELETE FROM result"))


def _compress(base: Path, speech: Path, out: Path, *options: str) -> list[str]:
    """Return a command that compresses the random model quickly, without a terminal."""
    command = [sys.executable, "-m", "adaptwin_core.cli.main", "compress", "--model", str(base), "--audio", str(speech)]
    command += ["--encoder-cut", "0.3", "--settings", json.dumps(SPEC), "--cache", str(base.parent / "cache")]
    return [*command, "--out", str(out), *options]


def test_compress_does_and_tells_the_same_without_a_service(
    base: Path, noise: Path, undisturbed: dict, tmp_path: Path
) -> None:
    speech = shutil.copytree(noise, tmp_path / "speech")
    (speech / "notes.pdf").write_bytes(b"%PDF-1.4 notes")
    (speech / "nobody.txt").write_text("whose words are these")
    others = shutil.copytree(noise, tmp_path / "others")
    out = tmp_path / "out"
    done = subprocess.run(
        _compress(base, speech, out, "--general", str(others), "--accept-little"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "nothing that a library says to its developers"
    report = json.loads((out / "report.json").read_text())
    assert report["base_model"] == "tiny-random"
    assert report["plan"]["encoder_cut"] >= 0.3
    assert load_file(out / "model.safetensors")
    found = report["datasets"]["speaker"]
    assert (found["clips"], found["labelled"]) == (20, 20)
    assert [reject["name"] for reject in found["rejects"]] == ["notes.pdf"]
    assert [warning["code"] for warning in found["warnings"]] == ["transcript_without_audio"]
    assert report["datasets"].keys() == {"speaker", "general"}
    assert report.keys() == undisturbed.keys() - {"files"}, "the service's report has the same keys"
    assert report["datasets"]["speaker"].keys() == undisturbed["datasets"]["speaker"].keys()
    lines = done.stdout.splitlines()
    assert lines[0].startswith("read speaker speech: 20 files, ")
    assert lines[1] == "speaker speech: 20 clips, 20 with a transcript, 0 without"
    assert "speaker speech: 1 file not used (1 not_audio)" in lines
    assert any(line.startswith("  notes.pdf: ") for line in lines)
    assert any("1 × transcript_without_audio" in line and "nobody" in line for line in lines)
    assert any(line.startswith("read general speech: 20 files, ") for line in lines)
    assert any(line.startswith("accepted: ") for line in lines)
    steps = [line.split(":")[0] for line in lines]
    for step in ("personalize", "calibrate", "weigh encoder.0.self", "factorize encoder.1.self", "tune", "publish"):
        assert steps.count(step) == 1, step
    assert lines[-1] == f"The model and its report are in {out}."
    assert not {"\x1b", "\r", "\b"} & set(done.stdout)


def test_compress_says_in_a_sentence_what_is_wrong_and_leaves_nothing(base: Path, noise: Path, tmp_path: Path) -> None:
    done = subprocess.run(_compress(base, noise, tmp_path / "out"), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "accept_little (--accept-little)" in done.stderr
    assert "Traceback" not in done.stderr
    assert "read speaker speech: 20 files" in done.stdout, "what was found is told all the same"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_compress_that_is_stopped_leaves_nothing(
    base: Path, noise: Path, tmp_path: Path, number: signal.Signals, status: int
) -> None:
    command = _compress(base, noise, tmp_path / "deep" / "out", "--accept-little")
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert running.stdout is not None
    assert running.stdout.readline().startswith("read speaker speech")
    running.send_signal(number)
    _, said = running.communicate(timeout=60)
    assert running.returncode == status
    assert said == f"adaptwin: stopped; nothing was written to {tmp_path / 'deep' / 'out'}\n"
    assert list(tmp_path.iterdir()) == []

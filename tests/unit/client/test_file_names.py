"""No name that a service tells leads out of the folder."""

from pathlib import Path

import pytest

from adaptwin_core.client import DamagedDownload
from adaptwin_core.client.file_names import path_in


@pytest.mark.parametrize("name", ["model.safetensors", "onnx/encoder.onnx", "..name", "a b"])
def test_names_are_paths_in_the_folder(tmp_path: Path, name: str) -> None:
    assert path_in(tmp_path, name) == tmp_path / name


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../a", "a/../../b", "/etc/passwd", "a//b", "a\\b", "C:a", "a\0b", "link/a", "a/./b"]
)
def test_others_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "link").symlink_to(tmp_path.parent)
    with pytest.raises(DamagedDownload, match="leads out of"):
        path_in(tmp_path, name)

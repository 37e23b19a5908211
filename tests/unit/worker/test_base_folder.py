"""A job whose base model is gone or another says what to do, and not where on the server it was."""

import json
from pathlib import Path

import pytest

from adaptwin_core.domain.errors import CorruptBlob
from adaptwin_core.ml.base import models as base_models
from worker import base_folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for a Whisper: of it only its name and its digest matter here."""
    folder = tmp_path / "secret-place" / "my-whisper"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"model_type": "whisper"}))
    monkeypatch.setattr(base_folder, "describe", lambda _: base_models.BaseModelFacts("digest", None, ("en",)))
    base_folder.base_folder.cache_clear()
    return folder


@pytest.mark.parametrize(
    ("is_there", "told"),
    [(False, "my-whisper can no longer be read"), (True, "my-whisper has changed since this job was submitted")],
)
def test_a_base_model_that_is_gone_or_changed_is_told_without_its_place(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_there: bool, told: str
):
    if is_there:
        monkeypatch.setattr(base_folder, "resolve", lambda _source, _cache: folder)
    with pytest.raises(CorruptBlob, match=told) as refused:
        base_folder.base_folder(f"folder:{folder}", "another digest", tmp_path / "cache")
    assert "adaptwin base add" in refused.value.message
    assert "secret-place" not in refused.value.message


def test_a_base_model_that_is_the_same_is_taken(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(base_folder, "resolve", lambda _source, _cache: folder)
    assert base_folder.base_folder(f"folder:{folder}", "digest", tmp_path / "cache") == folder

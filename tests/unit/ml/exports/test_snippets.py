"""The lines of the model cards run as they stand, each in its runtime, and print what was said."""

import contextlib
import io
import re
from functools import cache
from pathlib import Path

import pytest
import soundfile
import soxr

from adaptwin_core.domain.exports import CHECKPOINT, FORMATS
from adaptwin_core.domain.snippets import snippet
from adaptwin_core.ml.evaluation.scoring import score
from adaptwin_core.ml.exports import formats

SENTENCE = "Please send the report to the office before noon tomorrow morning."
RATE_HZ = 16_000
# Those of transformers.js are run in a browser, by tests/e2e/test_fitted_in_browser.py.
IN_PYTHON = [CHECKPOINT, *(form for form in FORMATS if not form.startswith("onnx"))]

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def audio():
    from hibari import Hibari

    return soxr.resample(Hibari()(SENTENCE, seed=1), Hibari.sample_rate, RATE_HZ).astype("float32")


@pytest.fixture(scope="module")
def written(checkpoint, tmp_path_factory):
    """Return the folder of the checkpoint in a form; each is made once."""

    @cache
    def write(form: str) -> Path:
        if form == CHECKPOINT:
            return checkpoint
        out = tmp_path_factory.mktemp(form)
        formats.write(form, checkpoint, out)
        return out

    return write


# A Whisper that was not taught fitted windows repeats itself in them, so sherpa-onnx is given whole ones.
@pytest.mark.parametrize(
    "form", [pytest.param(f, marks=[] if f in {CHECKPOINT, "ct2-int8"} else pytest.mark.release) for f in IN_PYTHON]
)
def test_the_lines_print_what_was_said(form, written, audio, tmp_path, monkeypatch):
    (tmp_path / "this folder").symlink_to(written(form))
    soundfile.write(tmp_path / "speech.wav", audio, RATE_HZ, subtype="PCM_16")
    monkeypatch.chdir(tmp_path)
    (lines,) = re.findall(r"```python\n(.*?)```", snippet(form, language="en", margin_s=None), re.DOTALL)
    if form in {CHECKPOINT, "dense"}:  # there may be no ffmpeg, which reads files: samples do as well
        lines = lines.replace('"speech.wav"', "samples")
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(lines, {"samples": audio})  # our own
    assert score([SENTENCE], [printed.getvalue()], language="en").error_rate < 0.3, printed.getvalue()

"""Every form of `domain.exports.FORMATS`: which function writes it, and which recognizer runs it.

Only this file knows how each form is written and run. A runtime is imported when it is used: each is large, and few
people have all. A new form or runtime needs an entry in `FORMATS`, a branch in `write` and in `load`, and a recognizer.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.domain.exports import CHECKPOINT, FORMATS
from adaptwin_core.domain.languages import code_of
from adaptwin_core.ml.base.whisper_files import SIDECARS
from adaptwin_core.ml.exports.dense import dense
from adaptwin_core.ml.exports.recognizers import (
    CTranslate2Recognizer,
    OnnxRecognizer,
    Recognizer,
    SherpaRecognizer,
    TransformersRecognizer,
    WhisperCppRecognizer,
)
from adaptwin_core.ml.model.checkpoint import load_compressed
from adaptwin_core.ml.model.featurizer import Featurizer
from adaptwin_core.ml.model.loading import load_whisper


@contextmanager
def _runtime(form: str) -> Iterator[None]:
    try:
        yield
    except ImportError as missing:
        raise InvalidInput(
            f"{form} needs the Python package {missing.name}, which is not installed: pip install 'adaptwin[exports]'"
        ) from missing


def write(form: str, checkpoint: Path, out: Path) -> list[str]:
    """Write the model of a checkpoint folder in the form of that name.

    Returns:
        the names of the files written, relative to `out`.

    Raises:
        InvalidInput: there is no such form, or the package that writes it is not installed.
    """
    kind, _, weights = form.partition("-")
    if form not in FORMATS:
        raise InvalidInput(f"no such form: {form!r}. There are: {', '.join(FORMATS)}")
    model = load_compressed(checkpoint)
    if kind == "dense":
        dense(model).half().save_pretrained(out)
        for name in SIDECARS:
            if (checkpoint / name).exists() and not (out / name).exists():
                shutil.copyfile(checkpoint / name, out / name)
        return sorted(path.name for path in out.iterdir())
    with _runtime(form):
        if kind == "ct2":
            from adaptwin_core.ml.exports.ct2 import write_ctranslate2

            return write_ctranslate2(model, checkpoint, out, weights=weights)
        if kind == "onnx":
            from adaptwin_core.ml.exports.onnx import write_onnx

            return write_onnx(model, checkpoint, out, weights=weights)
        if kind == "sherpa":
            from adaptwin_core.ml.exports.sherpa import write_sherpa

            return write_sherpa(model, checkpoint, out, weights=weights)
        if kind == "ggml":
            from adaptwin_core.ml.exports.ggml import write_ggml

            return write_ggml(dense(model), checkpoint, out, weights=weights)
    raise NotImplementedError(f"{form} is listed as a form, and nothing writes it")


def load(form: str, folder: Path, language: str, *, margin_s: float | None, threads: int | None = None) -> Recognizer:
    """Return the model that `write` left in a folder, loaded in its own runtime.

    Args:
        form: as given to `write`, or `domain.exports.CHECKPOINT`.
        language: of the speech that it will transcribe, such as en.
        margin_s: how long after the sound its windows end; None for whole windows. The dense form has no others.
        threads: as many as torch uses, where left out.

    Raises:
        InvalidSpec: Whisper does not have the language, or this model does not.
        InvalidInput: the package that runs it is not installed.
    """
    kind, _, weights = form.partition("-")
    threads = threads or torch.get_num_threads()
    code = code_of(language)  # checked here, because sherpa-onnx ends the process on a language that it does not know
    with _runtime(form):
        if kind == "sherpa":
            return SherpaRecognizer(folder, code, threads, margin_s)
        if kind == "ggml":
            return WhisperCppRecognizer(folder / f"ggml-model-{weights}.bin", code, threads, margin_s)
        featurizer = Featurizer(folder, code)
        if kind == "ct2":
            return CTranslate2Recognizer(folder, featurizer, threads, margin_s)
        if kind == "onnx":
            return OnnxRecognizer(folder, featurizer, threads, margin_s)
        if kind == "dense":
            return TransformersRecognizer(load_whisper(folder), featurizer)
        if form == CHECKPOINT:
            model = load_compressed(folder)
            model.config.adaptwin_margin_s = margin_s
            return TransformersRecognizer(model, featurizer)
    raise NotImplementedError(f"{form} is listed as a form, and nothing runs it")

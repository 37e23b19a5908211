"""Recognizers that tell how long each part took: the features, the encoder and the decoder."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import _pywhispercpp as whisper_cpp
import numpy as np

from adaptwin_core.ml.exports.recognizers import Recognizer, SteppedRecognizer, WhisperCppRecognizer

# As whisper.cpp names its times; a `batchd` is a decoder step of several tokens, such as the prompt.
ENCODER, DECODER = ("encode",), ("decode", "batchd", "prompt", "sample")
TIME = re.compile(r"(\w+) time =\s*([\d.]+) ms")


@dataclass(frozen=True)
class Heard:
    """A text and its seconds. `total_s` is from the samples to the text, and holds what belongs to no part."""

    text: str
    features_s: float
    encoder_s: float
    decoder_s: float
    total_s: float


Timed = Callable[[np.ndarray], Heard]


def timed(recognizer: Recognizer) -> Timed:
    """Return what hears as the recognizer does, and tells its times.

    Raises:
        TypeError: its runtime does not tell encoder and decoder apart.
    """
    if isinstance(recognizer, WhisperCppRecognizer):
        return lambda audio: _in_whisper_cpp(recognizer, audio)
    if isinstance(recognizer, SteppedRecognizer):
        return lambda audio: _in_steps(recognizer, audio)
    raise TypeError(f"{type(recognizer).__name__} does not tell its encoder and its decoder apart")


def _in_steps(recognizer: SteppedRecognizer, audio: np.ndarray) -> Heard:
    began = time.perf_counter()
    features = recognizer.features(audio)
    has_features = time.perf_counter()
    encoded = recognizer.encode(features)
    is_encoded = time.perf_counter()
    text = recognizer.decode(encoded, audio)
    ended = time.perf_counter()
    return Heard(text, has_features - began, is_encoded - has_features, ended - is_encoded, ended - began)


def _in_whisper_cpp(recognizer: WhisperCppRecognizer, audio: np.ndarray) -> Heard:
    """Hear with whisper.cpp, which logs its own times."""
    context, lines = recognizer.model._ctx, list[str]()
    whisper_cpp.whisper_reset_timings(context)
    began = time.perf_counter()
    text = recognizer(audio)
    total_s = time.perf_counter() - began
    whisper_cpp.whisper_log_set(lambda _level, line: lines.append(line))
    whisper_cpp.whisper_print_timings(context)
    whisper_cpp.whisper_log_set(None)  # one that is set when Python ends would abort the process
    milliseconds = {name: float(value) for name, value in TIME.findall("".join(lines))}
    encoder_s, decoder_s = (sum(milliseconds[name] for name in names) / 1000 for names in (ENCODER, DECODER))
    return Heard(text, milliseconds["mel"] / 1000, encoder_s, decoder_s, total_s)

"""An exported model in its own, unmodified runtime: audio in, text out. Greedy, without timestamps, one clip a window.

Each class takes a folder that a writer of this package made, the number of threads to use, and the margin of the
windows: how many seconds after the sound they end. None stands for whole windows. Shape letters: B batch, M mels, F
frames.
"""

import json
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from adaptwin_core.domain.audio import HOP_SAMPLES, SAMPLE_RATE_HZ, samples_of, window_frames
from adaptwin_core.ml.model.featurizer import Featurizer
from adaptwin_core.ml.model.transcription import most_tokens, transcribe_batch


class Recognizer(Protocol):
    """A loaded model."""

    def __call__(self, audio: np.ndarray) -> str:
        """Return the words in at most 30 s of 16 kHz mono float32."""


class TransformersRecognizer:
    """In `transformers`: a checkpoint with its own class, or the dense form with the stock class.

    The class decides about the window: our own goes by its configuration, and the stock one has whole windows alone.
    """

    def __init__(self, model: Any, featurizer: Featurizer) -> None:
        self._model, self._featurizer = model, featurizer

    def __call__(self, audio: np.ndarray) -> str:
        return transcribe_batch(self._model, self._featurizer, [audio])[0]


class SteppedRecognizer(ABC):
    """A runtime that takes features and runs encoder and decoder apart, so that each can be timed."""

    def __init__(self, featurizer: Featurizer, margin_s: float | None) -> None:
        self._featurizer, self._margin_s = featurizer, margin_s

    def __call__(self, audio: np.ndarray) -> str:
        return self.decode(self.encode(self.features(audio)), audio)

    def features(self, audio: np.ndarray) -> np.ndarray:
        """Return the features_1MF of the clip's window."""
        return self._featurizer.features([audio], window_frames(len(audio), self._margin_s)).numpy()

    @abstractmethod
    def encode(self, features_1MF: np.ndarray) -> Any:
        """Return the encoder's output, in the runtime's own form."""

    @abstractmethod
    def decode(self, encoded: Any, audio: np.ndarray) -> str:
        """Return the words in an encoder's output of that audio."""


class CTranslate2Recognizer(SteppedRecognizer):
    """In `ctranslate2`, with its default arithmetic for the stored weights.

    CTranslate2 takes an encoder's output for features where it has as many positions as there are mels, and would
    encode it again. So such a window (1.6 s with 80 mels) gets one position of silence more.
    """

    def __init__(self, folder: Path, featurizer: Featurizer, threads: int, margin_s: float | None) -> None:
        from ctranslate2.models import Whisper

        super().__init__(featurizer, margin_s)
        self._model = Whisper(str(folder), device="cpu", intra_threads=threads)
        self._prompt = featurizer.prompt()

    def encode(self, features_1MF: np.ndarray) -> Any:
        from ctranslate2 import StorageView

        _, mels, frames = features_1MF.shape
        if frames == 2 * mels:
            features_1MF = np.pad(features_1MF, ((0, 0), (0, 0), (0, 2)), constant_values=features_1MF.min())
        return self._model.encode(StorageView.from_array(features_1MF))

    def decode(self, encoded: Any, audio: np.ndarray) -> str:
        # CTranslate2 lets a text take half of `max_length`.
        length = 2 * most_tokens(audio, self._featurizer)
        found = self._model.generate(encoded, [self._prompt], beam_size=1, max_length=length)
        return self._featurizer.text(found[0].sequences_ids[0])


class OnnxRecognizer(SteppedRecognizer):
    """In `onnxruntime`, with a greedy loop around the two graphs."""

    def __init__(self, folder: Path, featurizer: Featurizer, threads: int, margin_s: float | None) -> None:
        import onnxruntime

        super().__init__(featurizer, margin_s)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        # Else the threads of the encoder go on spinning while those of the decoder need the cores.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._encoder, self._decoder = (
            onnxruntime.InferenceSession(
                _only(folder / "onnx", f"{name}*.onnx"), options, providers=["CPUExecutionProvider"]
            )
            for name in ("encoder_model", "decoder_model_merged")
        )
        self._prompt = featurizer.prompt()
        generation = json.loads((folder / "generation_config.json").read_text("utf-8"))
        self._never = generation.get("suppress_tokens") or []
        self._never_first = generation.get("begin_suppress_tokens") or []
        self._end = generation["eos_token_id"]
        self._empty = {
            given.name: np.zeros((1, given.shape[1], 0, given.shape[3]), np.float32)
            for given in self._decoder.get_inputs()
            if given.name.startswith("past_key_values")
        }
        self._outputs = [given.name for given in self._decoder.get_outputs()]

    def encode(self, features_1MF: np.ndarray) -> Any:
        (encoded,) = self._encoder.run(None, {"input_features": features_1MF})
        return encoded

    def decode(self, encoded: Any, audio: np.ndarray) -> str:
        past, tokens, text_ids = self._empty, self._prompt, list[int]()
        while len(text_ids) < most_tokens(audio, self._featurizer):
            given = {"input_ids": np.array([tokens]), "encoder_hidden_states": encoded, **past}
            made = dict(zip(self._outputs, self._decoder.run(None, given), strict=True))
            scores = made["logits"][0, -1]
            scores[self._never if text_ids else [*self._never, *self._never_first]] = -np.inf
            best = int(scores.argmax())
            if best == self._end:
                break
            text_ids.append(best)
            past, tokens = {name: made[name.replace("past_key_values", "present")] for name in past}, [best]
        return self._featurizer.text(text_ids)


class SherpaRecognizer:
    """In `sherpa_onnx`, which computes its own features.

    Its frames are centred half a step later than Whisper's, so half a step of silence comes before the sound. It pads
    features with zeros, which stand for a loud noise: 10 s in its whole window, and in a fitted one a single frame, the
    least that it takes, after silence.
    """

    def __init__(self, folder: Path, language: str, threads: int, margin_s: float | None) -> None:
        from sherpa_onnx import OfflineRecognizer

        self._margin_s = margin_s
        self._model = OfflineRecognizer.from_whisper(
            encoder=str(_only(folder, "encoder*.onnx")),
            decoder=str(_only(folder, "decoder*.onnx")),
            tokens=str(folder / "tokens.txt"),
            language=language,
            num_threads=threads,
            tail_paddings=-1 if margin_s is None else 1,
        )

    def __call__(self, audio: np.ndarray) -> str:
        stream = self._model.create_stream()
        after = 0 if self._margin_s is None else samples_of(self._margin_s)
        stream.accept_waveform(SAMPLE_RATE_HZ, np.pad(audio, (HOP_SAMPLES // 2, after)))
        self._model.decode_stream(stream)
        return str(stream.result.text).strip()


class WhisperCppRecognizer:
    """In whisper.cpp, through `pywhispercpp`: greedy, without retries at higher temperatures."""

    def __init__(self, file: Path, language: str, threads: int, margin_s: float | None) -> None:
        from pywhispercpp.model import Model

        self._margin_s = margin_s
        self.model: Any = Model(
            str(file),
            n_threads=threads,
            language=language,
            print_realtime=False,
            print_progress=False,
            no_timestamps=True,
            single_segment=True,
            temperature_inc=0.0,
            no_context=True,
            redirect_whispercpp_logs_to=None,
        )

    def __call__(self, audio: np.ndarray) -> str:
        # whisper.cpp refuses audio of less than a second.
        padded = np.pad(audio, (0, max(0, SAMPLE_RATE_HZ + SAMPLE_RATE_HZ // 10 - len(audio))))
        positions = window_frames(len(audio), self._margin_s) // 2
        segments = self.model.transcribe(padded, audio_ctx=positions)
        return " ".join(str(segment.text).strip() for segment in segments).strip()


def _only(folder: Path, pattern: str) -> Path:
    (path,) = folder.glob(pattern)
    return path

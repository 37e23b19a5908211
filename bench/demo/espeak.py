"""Synthetic speech from the eSpeak NG library that the package `espeakng-loader` carries.

It is formant synthesis: to Whisper a hard, unusual speaker, and to a listener plainly a machine.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

import espeakng_loader
import numpy as np

_SYNCHRONOUS = 2  # espeak_AUDIO_OUTPUT: give samples to the callback, return when all are given
_UTF8 = 1
_RATE, _PITCH = 1, 3  # espeak_PARAMETER
_OK = 0
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class Espeak:
    """One voice. The library is global to the process: use one instance at a time."""

    def __init__(self, voice: str, *, words_per_minute: int, pitch: int = 50) -> None:
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path().encode()
        self.rate_hz = self._library.espeak_Initialize(_SYNCHRONOUS, 0, data, 0)
        if self.rate_hz <= 0:
            raise RuntimeError("eSpeak NG did not start: install the package espeakng-loader again")
        self._chunks: list[np.ndarray] = []
        self._callback = _CALLBACK(self._take)  # kept: the library holds no reference
        self._library.espeak_SetSynthCallback(self._callback)
        if self._library.espeak_SetVoiceByName(voice.encode()) != _OK:
            raise ValueError(f"eSpeak NG has no voice {voice!r}")
        self._library.espeak_SetParameter(_RATE, words_per_minute, 0)
        self._library.espeak_SetParameter(_PITCH, pitch, 0)

    def _take(self, samples: "ctypes._Pointer[ctypes.c_short]", num_samples: int, _events: int) -> int:
        if samples and num_samples > 0:
            self._chunks.append(np.ctypeslib.as_array(samples, (num_samples,)).copy())
        return 0

    def __call__(self, text: str) -> np.ndarray:
        """Return speech as float32 in -1..1 at `rate_hz`."""
        self._chunks.clear()
        data = text.encode()
        code = self._library.espeak_Synth(data, ctypes.c_size_t(len(data) + 1), 0, 0, 0, _UTF8, None, None)
        if code != _OK or not self._chunks:
            raise RuntimeError(f"eSpeak NG gave no speech for {text!r} (code {code})")
        return np.concatenate(self._chunks).astype(np.float32) / 32768


@contextmanager
def espeak(voice: str, *, words_per_minute: int, pitch: int = 50) -> Iterator[Espeak]:
    """Yield a voice and close the library afterwards."""
    speaker = Espeak(voice, words_per_minute=words_per_minute, pitch=pitch)
    try:
        yield speaker
    finally:
        speaker._library.espeak_Terminate()

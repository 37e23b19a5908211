"""German sentences, and a machine that reads them. Whisper base hears most of the words.

None is misheard as a word of another language: a model that dropped its tokens would write something else there.
"""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import soxr
from numpy.typing import NDArray

from adaptwin_core.domain.audio import SAMPLE_RATE_HZ
from bench.demo.espeak import espeak

SENTENCES = (
    "Die Straße zum Bahnhof ist heute wegen Bauarbeiten gesperrt.",
    "Guten Morgen, wie geht es Ihnen heute?",
    "Bitte stellen Sie das Licht in der Küche auf fünfzig Prozent.",
    "Der Zug nach München fährt um sieben Uhr ab.",
)


def read_aloud(sentences: tuple[str, ...] = SENTENCES) -> list[NDArray[np.float32]]:
    """Return 16 kHz samples of each sentence.

    A new process reads: the library sounds a little otherwise in one that has read before.
    """
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as fresh:
        return fresh.submit(_read, sentences).result()


def _read(sentences: tuple[str, ...]) -> list[NDArray[np.float32]]:
    with espeak("de", words_per_minute=130) as speak:
        return [soxr.resample(speak(text), speak.rate_hz, SAMPLE_RATE_HZ) for text in sentences]

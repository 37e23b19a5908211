"""Speech made up of noise, with transcripts: as long as a person's, and written in seconds."""

from pathlib import Path

import numpy as np

from adaptwin_core.domain.audio import samples_of
from adaptwin_core.domain.splits import Split
from adaptwin_core.speech.corpus import Clip, Corpus
from adaptwin_core.speech.shards import ShardWriter
from bench.gpu.made_up import sentences

WORD_S = 0.4
LOUDNESS = 1500.0  # of 32768
VALID_CLIPS = 8


def noise_corpus(folder: Path, seconds: float, *, num_held_out: int) -> Corpus:
    """Write a burst of noise for each word of a sentence, sentence after sentence, until that much is there.

    The first `num_held_out` clips are of the test split. Each sentence is made once and recorded again and again, each
    time at another loudness, so no two clips are equal.
    """
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    said = [(text, _bursts(rng, len(text.split()))) for text in sentences()]
    writer, clips, total = ShardWriter(folder), list[Clip](), 0
    while total < samples_of(seconds):
        text, bursts = said[len(clips) % len(said)]
        samples = (bursts * rng.uniform(0.5, 2.0)).astype(np.int16)
        span = writer.append(samples)
        name = f"clip-{len(clips):05d}"
        clips.append(Clip(name, name, text, _split(len(clips), num_held_out), span.shard, span.start, len(samples)))
        total += len(samples)
    corpus = Corpus(folder, tuple(clips), writer.finish())
    corpus.save()
    return corpus


def _split(index: int, num_held_out: int) -> Split:
    if index < num_held_out:
        return "test"
    return "valid" if index < num_held_out + VALID_CLIPS else "train"


def _bursts(rng: np.random.Generator, num_words: int) -> np.ndarray:
    size = samples_of(WORD_S)
    noise = rng.standard_normal((num_words, size), dtype=np.float32)
    return (noise * np.hanning(size).astype(np.float32) * LOUDNESS).ravel()

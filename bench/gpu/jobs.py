"""The jobs that are timed: a large model on made-up speech, and a real model on a real speaker."""

import csv
from pathlib import Path
from tempfile import TemporaryDirectory

import soundfile

from adaptwin_core.domain.audio import SAMPLE_RATE_HZ
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.splits import SPLITS
from adaptwin_core.domain.submission import submit
from adaptwin_core.ml.model.quiet import quiet_transformers
from adaptwin_core.speech.corpus import Clip, Corpus
from adaptwin_core.speech.shards import ShardWriter
from bench.gpu.own_process import Tell
from bench.gpu.timed_job import Shortening, report_of, timed_job
from bench.models import base_model


def job(tell: Tell, base: Path, speech: Path, spec: CompressionSpec, shortening: Shortening) -> None:
    """Make a model and tell what every stage took, and the error rates of the base model and of the finished one."""
    quiet_transformers()
    corpus, model = Corpus.load(speech), base_model(f"folder:{base}", base.parent / "cache")
    whole = submit(spec, model.shape, corpus.report(), None, accept_little=True).spec
    with TemporaryDirectory() as scratch:
        row, done = timed_job(model, corpus, whole, Path(scratch), shortening, tell)
        report = report_of(done)
    heard = report["speech"]["speaker"]
    tell(
        row
        | {
            "total_params": report["size"]["compressed"]["total_params"],
            "error_rates": {of: heard[of]["error_rate"] for of in ("original", "compressed")},
            "test_clips": len(corpus.split("test")),
        }
    )


def read_speech(source: Path, folder: Path) -> Corpus:
    """Return the corpus of a folder of 16 kHz mono files with a `metadata.csv` of file_name, transcription and split.

    A job reads files of every kind; the packages for that are left at home, and this takes its place.

    Raises:
        ValueError: a file has another rate, or more than one channel.
    """
    folder.mkdir(parents=True)
    writer, clips = ShardWriter(folder), list[Clip]()
    with (source / "metadata.csv").open(newline="", encoding="utf-8") as table:
        for row in csv.DictReader(table):
            name = row["file_name"]
            samples, rate = soundfile.read(source / name, dtype="int16")
            if rate != SAMPLE_RATE_HZ or samples.ndim != 1:
                raise ValueError(f"{name} has {rate} Hz and {samples.ndim} dimensions: 16 kHz mono is read here")
            span = writer.append(samples)
            split = next(known for known in SPLITS if known == row["split"])
            clips.append(Clip(name, name, row["transcription"], split, span.shard, span.start, span.num_samples))
    corpus = Corpus(folder, tuple(clips), writer.finish())
    corpus.save()
    return corpus

"""Does a job on one device come out as on another: the same plan, nearly the same losses, the same words."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.task_keys import Contender, EvaluationKey, SpeechKind
from adaptwin_core.ml.evaluation.held_out import spread
from adaptwin_core.ml.model.adapter import encode
from adaptwin_core.ml.model.device import device
from adaptwin_core.ml.model.featurizer import Featurizer
from adaptwin_core.ml.model.loading import load_whisper
from adaptwin_core.ml.model.quiet import quiet_transformers
from adaptwin_core.ml.model.transcription import transcribe
from adaptwin_core.ml.stages.file_names import TEXTS_FILE
from adaptwin_core.speech.corpus import Corpus
from bench.gpu.own_process import Tell
from bench.gpu.timed_job import Done, Shortening, report_of, timed_job
from bench.models import base_model
from bench.runner import Row

NUM_CLIPS = 24  # of the real speaker, that the real model transcribes on both devices


def small_job(tell: Tell, base: Path, speech: Path, spec: CompressionSpec) -> None:
    """Make a model, and tell its plan, the losses of its training and what both models hear."""
    quiet_transformers()
    with TemporaryDirectory() as scratch:
        row, done = timed_job(
            base_model(f"folder:{base}", base.parent / "cache"),
            Corpus.load(speech),
            spec,
            Path(scratch),
            Shortening(),
            lambda _row: None,
        )
        losses = [loss for stage in (Stage.PERSONALIZE, Stage.TUNE) for loss in _losses(done, stage)]
        heard = {str(contender): _texts(done, contender) for contender in Contender}
        tell({"device": row["device"], "plan": report_of(done)["plan"], "losses": losses, "heard": heard})


def real_words(tell: Tell, base: Path, speech: Path) -> None:
    """Tell what the real model hears in some of the real speaker's clips, and its encoder's output on one of them."""
    quiet_transformers()
    corpus, model, featurizer = Corpus.load(speech), load_whisper(base).to(device()), Featurizer(base, "en")
    clips = spread(corpus.split("test"), NUM_CLIPS)
    features_1MT = featurizer.features([corpus.audio(clips[0])]).to(device())
    with torch.no_grad():
        encoded = encode(model, features_1MT).flatten()[::97].cpu().tolist()
    tell({"texts": transcribe(model, featurizer, corpus, clips).texts, "encoded": encoded})


def compared_jobs(one: Row, other: Row) -> Row:
    """Return how far two small jobs agree."""
    return {
        "plans_agree": one["plan"] == other["plan"],
        "largest_difference_of_losses": max(
            (abs(a - b) / max(abs(a), 1e-6) for a, b in zip(one["losses"], other["losses"], strict=True)), default=0.0
        ),
        "texts": {
            name: {"equal": sum(a == b for a, b in zip(texts, other["heard"][name], strict=True)), "all": len(texts)}
            for name, texts in one["heard"].items()
        },
    }


def compared_words(one: Row, other: Row) -> Row:
    """Return how many of the real clips are heard alike, and how far the encoder's outputs are apart."""
    a, b = torch.tensor(one["encoded"]), torch.tensor(other["encoded"])
    return {
        "real_texts_equal": sum(x == y for x, y in zip(one["texts"], other["texts"], strict=True)),
        "real_texts": len(one["texts"]),
        "encoder_difference": float((a - b).norm() / a.norm()),
    }


def _losses(done: Done, stage: Stage) -> list[float]:
    return [loss for result in done[stage].values() for loss in result.figures["losses"]]


def _texts(done: Done, contender: Contender) -> list[str]:
    result = done[Stage.EVALUATE][EvaluationKey(contender, SpeechKind.SPEAKER)]
    return list(json.loads(result.files[TEXTS_FILE].read_text()).values())


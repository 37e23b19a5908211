"""Does a job on one device come out as on another: the same plan, nearly the same losses, the same words."""

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.domain.stages import Stage
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


def one_side(tell: Tell, base: Path, speech: Path, spec: CompressionSpec, real: tuple[Path, Path] | None) -> None:
    """Tell what one device makes of a small job and, where there is one, what a real model hears in real speech there.

    Args:
        real: folders of the real model and of its speech.
    """
    quiet_transformers()
    row = _small_job(base, speech, spec)
    tell(row | ({"real": _real_words(*real)} if real is not None else {}))


def _small_job(base: Path, speech: Path, spec: CompressionSpec) -> Row:
    """Make a model; return its plan, the losses of its training and what both models hear."""
    with TemporaryDirectory() as scratch:
        model, corpus = base_model(f"folder:{base}", base.parent / "cache"), Corpus.load(speech)
        row, done = timed_job(model, corpus, spec, Path(scratch), Shortening(), lambda _row: None)
        losses = [loss for stage in (Stage.PERSONALIZE, Stage.TUNE) for loss in _losses(done, stage)]
        heard = {
            str(key): list(json.loads(result.files[TEXTS_FILE].read_text()).values())
            for key, result in done[Stage.EVALUATE].items()
        }
        return {"device": row["device"], "plan": report_of(done)["plan"], "losses": losses, "heard": heard}


@torch.no_grad()
def _real_words(base: Path, speech: Path) -> Row:
    """Return what the real model hears in some of the clips, and every 97th number of its encoder's output on one."""
    corpus, model, featurizer = Corpus.load(speech), load_whisper(base).to(device()), Featurizer(base, "en")
    clips = spread(corpus.split("test"), NUM_CLIPS)
    encoded = encode(model, featurizer.features([corpus.audio(clips[0])]).to(device()))
    texts = transcribe(model, featurizer, corpus, clips, margin_s=None).texts
    return {"texts": texts, "encoded": encoded.flatten()[::97].cpu().tolist()}


def compared(one: Row, other: Row) -> Row:
    """Return how far the two sides agree."""
    losses = zip(one["losses"], other["losses"], strict=True)
    row: Row = {
        "devices": [one["device"], other["device"]],
        "plans_agree": one["plan"] == other["plan"],
        "largest_difference_of_losses": max(abs(a - b) / abs(a) for a, b in losses),
        "texts": {name: _equal(texts, other["heard"][name]) for name, texts in one["heard"].items()},
    }
    if "real" in one:
        a, b = (torch.tensor(side["real"]["encoded"]) for side in (one, other))
        row["texts"]["real"] = _equal(one["real"]["texts"], other["real"]["texts"])
        row["encoder_difference"] = float((a - b).norm() / a.norm())
    return row


def _equal(one: Sequence[str], other: Sequence[str]) -> Row:
    return {"equal": sum(a == b for a, b in zip(one, other, strict=True)), "all": len(one)}


def _losses(done: Done, stage: Stage) -> list[float]:
    return [loss for result in done[stage].values() for loss in result.figures["losses"]]

"""The base model and the compressed one transcribe the same held-out clips."""

import json
from pathlib import Path

import torch

from adaptwin_core.domain.progress import Progress, no_progress
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.task_keys import Contender, EvaluationKey, JudgedSplit, ModelKey
from adaptwin_core.ml.evaluation.held_out import clips_to_choose_by, held_out_clips
from adaptwin_core.ml.model.checkpoint import load_compressed
from adaptwin_core.ml.model.device import device
from adaptwin_core.ml.model.featurizer import Featurizer
from adaptwin_core.ml.model.loading import load_whisper
from adaptwin_core.ml.model.transcription import transcribe
from adaptwin_core.ml.stages.file_names import TEXTS_FILE
from adaptwin_core.ml.stages.recipe import Recipe
from adaptwin_core.ml.stages.task_result import TaskResult


def evaluate(recipe: Recipe, key: EvaluationKey, out: Path, progress: Progress = no_progress) -> TaskResult:
    """Transcribe the clips of one split of one kind of speech with one model, in windows of one kind.

    Returns:
        the texts by clip id, and figures: seconds of compute and of audio, and the threads that were used.
    """
    corpus = recipe.corpus(key.speech)
    assert corpus is not None, key
    if key.model is Contender.BASE:
        model, featurizer = load_whisper(recipe.base.folder), Featurizer(recipe.base.folder, recipe.spec.language)
    else:
        model, featurizer = load_compressed(recipe.results[Stage.TUNE][ModelKey()].folder), recipe.featurizer
    clips = held_out_clips(corpus, key.speech) if key.split is JudgedSplit.TEST else clips_to_choose_by(corpus)
    heard = transcribe(model.to(device()), featurizer, corpus, clips, progress, margin_s=key.window.margin_s)
    path = out / TEXTS_FILE
    texts = {clip.id: text for clip, text in zip(clips, heard.texts, strict=True)}
    path.write_text(json.dumps(texts, ensure_ascii=False))
    figures = {"compute_s": heard.compute_s, "audio_s": heard.audio_s, "threads": torch.get_num_threads()}
    return TaskResult({path.name: path}, figures)

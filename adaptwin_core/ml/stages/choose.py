"""The models of a job are timed and compared, and the one to take is named."""

import json
import statistics
import time
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from adaptwin_core.domain.audio import samples_of
from adaptwin_core.domain.devices import UTTERANCE_S, needs_of
from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.domain.model_limits import ModelLimits
from adaptwin_core.domain.model_names import model_name
from adaptwin_core.domain.progress import Progress, no_progress
from adaptwin_core.domain.stage_table import TO_CHOOSE_BY
from adaptwin_core.domain.stages import Stage
from adaptwin_core.domain.task_keys import Contender, EvaluationKey, FamilyKey, ModelKey, SpeechKind, WindowKind
from adaptwin_core.ml.evaluation.family import Sibling, choose, frontier
from adaptwin_core.ml.evaluation.family_plot import write_family_plot
from adaptwin_core.ml.evaluation.held_out import clips_to_choose_by
from adaptwin_core.ml.evaluation.scoring import Score, score
from adaptwin_core.ml.model.checkpoint import load_compressed
from adaptwin_core.ml.model.device import device
from adaptwin_core.ml.model.transcription import transcribe_batch, windows_of
from adaptwin_core.ml.stages.file_names import FAMILY_PLOT_FILE, TEXTS_FILE
from adaptwin_core.ml.stages.heard import all_heard, in_window, window_choice_of
from adaptwin_core.ml.stages.recipe import Recipe
from adaptwin_core.ml.stages.task_result import TaskResult
from adaptwin_core.speech.corpus import Corpus

ROUNDS: Final = 5  # of which the median counts


class Judged(NamedTuple):
    """One model: how it is chosen, and what a person is told of it."""

    sibling: Sibling
    told: dict[str, Any]


def choose_one(recipe: Recipe, _key: FamilyKey, out: Path, progress: Progress = no_progress) -> TaskResult:
    """Compare all models of a job.

    Returns:
        a plot; as figures the models with their sizes, times and error rates, the place of the one to take, and why.
    """
    models, limits = recipe.family, recipe.limits
    judged = []
    for done, model in enumerate(models):
        judged.append(_judged(model, limits))
        progress(done + 1, len(models))
    siblings = [sibling for sibling, _ in judged]
    choice = choose(siblings, limits)
    figures = {
        "take": choice.place,
        "sentence": choice.sentence,
        "limits": limits.model_dump(mode="json"),
        "utterance_s": UTTERANCE_S,
        "models": [
            told | {"is_on_frontier": is_unbeaten}
            for (_, told), is_unbeaten in zip(judged, frontier(siblings), strict=True)
        ],
    }
    plot = out / FAMILY_PLOT_FILE
    write_family_plot(figures, plot)
    return TaskResult({plot.name: plot}, figures)


def _judged(recipe: Recipe, limits: ModelLimits) -> Judged:
    tuned = recipe.results[Stage.TUNE][ModelKey()]
    weights_bytes = sum(path.stat().st_size for name, path in tuned.files.items() if name.endswith(".safetensors"))
    params = {name: tuned.figures[name] for name in ("encoder_params", "total_params")}
    heard = all_heard(recipe)
    window = window_choice_of(heard).window
    measured_ms = _milliseconds(recipe, tuned.folder, window)
    needs = needs_of(recipe.shape, weights_bytes=weights_bytes, margin_s=window.margin_s, **params)
    of_encoder = recipe.shape.encoder_params - params["encoder_params"]
    of_all = recipe.shape.total_params - params["total_params"]
    encoder_cut = of_encoder / recipe.shape.encoder_params
    decoder_cut = (of_all - of_encoder) / recipe.shape.decoder_layer_params
    name = model_name(recipe.base.name, encoder_cut=encoder_cut, decoder_cut=decoder_cut, weights=recipe.spec.weights)
    chosen_by = _score_to_choose_by(recipe, window)
    sibling = Sibling(name, chosen_by, weights_bytes, round(limits.ms_of(needs, measured_ms), 1))
    told = {
        "name": name,
        "base_model": recipe.base.name,
        "encoder_cut": encoder_cut,
        "decoder_cut": decoder_cut,
        "weights": recipe.spec.weights,
        "weights_bytes": weights_bytes,
        "ms": sibling.ms,
        "measured_ms": round(measured_ms, 1),
        "margin_s": window.margin_s,
        "chosen_by": None
        if chosen_by is None
        else {"num_errors": chosen_by.num_errors, "num_units": chosen_by.num_units, "unit": chosen_by.unit},
        "speech": in_window(heard, window),
    }
    return Judged(sibling, told)


def _score_to_choose_by(recipe: Recipe, window: WindowKind) -> Score | None:
    """Return the score on the validation clips, in the windows that the model is for.

    If these clips have no words, it is the score on the test clips. Without transcripts there is none.
    """
    evaluated = recipe.results[Stage.EVALUATE]
    for key, clips in (
        (TO_CHOOSE_BY[window], clips_to_choose_by(recipe.speaker)),
        (EvaluationKey(Contender.COMPRESSED, SpeechKind.SPEAKER, window), recipe.speaker.split("test")),
    ):
        texts = json.loads(evaluated[key].files[TEXTS_FILE].read_text())
        spoken = [clip for clip in clips if clip.text is not None and clip.id in texts]
        try:
            return score(
                [clip.text or "" for clip in spoken], [texts[clip.id] for clip in spoken], language=recipe.spec.language
            )
        except InvalidInput:
            continue
    return None


def _milliseconds(recipe: Recipe, folder: Path, window: WindowKind) -> float:
    """Return how long the model takes for an utterance of 4 s, on this machine."""
    model, audio = load_compressed(folder).to(device()), _utterance(recipe.speaker)
    with windows_of(model, window.margin_s):
        transcribe_batch(model, recipe.featurizer, [audio])  # what comes first is slower
        seconds = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            transcribe_batch(model, recipe.featurizer, [audio])
            seconds.append(time.perf_counter() - began)
    return 1000 * statistics.median(seconds)


def _utterance(corpus: Corpus) -> np.ndarray:
    """Return the first 4 s of the shortest held-out clip that is as long; of the longest clip, where none is."""
    clips = corpus.split("test") or corpus.clips
    long_enough = [clip for clip in clips if clip.seconds >= UTTERANCE_S]
    clip = min(long_enough or clips, key=lambda clip: clip.seconds if long_enough else -clip.seconds)
    return corpus.audio(clip)[: samples_of(UTTERANCE_S)]

"""What storing a model in fewer bits loses, and how much of it rounding for the inputs and training the scales win
back.

Shape letters: L tokens, V vocabulary.
"""

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from adaptwin_core.ml.model.adapter import decode, encode
from adaptwin_core.ml.model.loading import load_whisper
from adaptwin_core.ml.model.quantization import hold, stored_state
from adaptwin_core.ml.model.windows import Window
from adaptwin_core.ml.stages import blocks as recipe
from adaptwin_core.ml.stages.recipe import Setting
from adaptwin_core.ml.training.input_moments import measure_input_moments, weighted_windows
from adaptwin_core.ml.training.scale_tuning import rescale
from adaptwin_core.ml.training.teacher import Teacher
from bench.kitchen import Kitchen
from bench.word_errors import judged_clips


def rows(kitchen: Kitchen, num_clips: int) -> Iterator[dict[str, Any]]:
    """Yield every row: model, form, megabytes, and of both kinds of speech what the next token of transcripts costs in
    nats, and its KL from the same model's in float32.
    """
    setting = kitchen.changed(weights="float16")
    original = load_whisper(setting.base_folder)
    judge = Teacher(original, setting.featurizer())
    judged = {
        kind: [Window(corpus, (clip,)) for clip in judged_clips(corpus, num_clips)]
        for kind, corpus in (("speaker", setting.speaker), ("others", setting.general))
        if corpus is not None
    }
    made = {
        "original": (original, replace(setting, personal_folder=None)),
        "ours": (kitchen.make(setting).model, setting),
    }
    for name, (model, of_model) in made.items():
        exact = {kind: [_says(model, judge, window) for window in windows] for kind, windows in judged.items()}
        states = {form: stored_state(model, form) for form in ("float16", "int8")} | _in_4_bits(model, of_model)
        for form, state in states.items():
            rounded = copy.deepcopy(model)
            row: dict[str, Any] = {"model": name, "form": form}
            row["megabytes"] = round(hold(rounded, state) / 1e6, 1)
            for kind, windows in judged.items():
                said = [_says(rounded, judge, window) for window in windows]
                row |= {f"{kind}_{what}": round(value, 4) for what, value in _against(said, exact[kind]).items()}
            yield row


def _in_4_bits(model: Any, setting: Setting) -> dict[str, dict[str, Tensor]]:
    """Return a model's weights by how they are rounded, the last as a job of 4 bits does it."""
    mixture = recipe.mixture_of(setting)
    teacher = Teacher(load_whisper(setting.whole_folder), setting.featurizer())
    inputs = measure_input_moments(model, teacher, weighted_windows(mixture, setting.speaker_weight))
    fitted = stored_state(model, "int4", inputs)
    scaled = rescale(model, fitted, teacher, mixture, setting.spec, num_steps=setting.spec.scale_steps)
    return {"int4, nearest": stored_state(model, "int4"), "int4, for the inputs": fitted, "int4": scaled.state}


Said = tuple[Tensor, Tensor]  # log p_LV of the tokens after the prompt, and those of the transcript, L


@torch.no_grad()
def _says(model: Any, teacher: Teacher, window: Window) -> Said:
    example = teacher.example(window)
    asked_L = slice(example.num_prompt - 1, None)
    encoded_1SD = encode(model, example.features_1MT.float())
    logits_1LV = model.proj_out(decode(model, example.labels_1L[:, :-1], encoded_1SD))
    return logits_1LV[0, asked_L].log_softmax(-1), example.labels_1L[0, 1:][asked_L]


def _against(said: list[Said], exact: list[Said]) -> dict[str, float]:
    cost = divergence = num_tokens = 0.0
    for (log_p_LV, words_L), (exact_LV, _) in zip(said, exact, strict=True):
        cost += float(nn.functional.nll_loss(log_p_LV, words_L, reduction="sum"))
        divergence += float(nn.functional.kl_div(log_p_LV, exact_LV, log_target=True, reduction="sum"))
        num_tokens += len(words_L)
    return {"cost": cost / num_tokens, "kl": divergence / num_tokens}

"""The end-to-end phase: the whole smaller model learns from the original and from the speaker's transcripts.

LoRA through peft on every factor, merged at the end, so the model keeps its size. Each step takes one batch of packed
windows:

    loss = w_enc · relative error of the encoder's output          (stay near the original's hearing)
         + w_kl  · KL(original ‖ compressed) on the next token      (stay near the original's words)
         + w_ce  · cross-entropy on the transcript                  (hear the speaker: may pass the original)

General windows keep other speakers: there the original is the better teacher, so distillation weighs more.
Shape letters: B batch, M mels, T frames, S encoder positions, D width, L tokens, V vocabulary.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor, nn
from transformers import WhisperForConditionalGeneration

from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml.decode import transcribe_batch
from adaptwin_core.ml.layers import LORA_ALPHA_PER_RANK, cosine_schedule
from adaptwin_core.ml.windows import Featurizer, Window


@dataclass(frozen=True)
class LossWeights:
    encoder: float
    kl: float
    ce: float


SPEAKER_WEIGHTS = LossWeights(encoder=0.3, kl=0.3, ce=1.0)
GENERAL_WEIGHTS = LossWeights(encoder=2.0, kl=1.0, ce=0.5)


def finetune(
    student: WhisperForConditionalGeneration,
    teacher: WhisperForConditionalGeneration,
    featurizer: Featurizer,
    speaker: Sequence[Window],
    general: Sequence[Window],
    spec: CompressionSpec,
    *,
    on_step: Callable[[int, float], None] = lambda _step, _loss: None,
) -> WhisperForConditionalGeneration:
    """Train for `spec.tune_steps` steps of `spec.tune_batch` windows and return the student with its adapters merged.

    A window without a transcript is learnt with the original model's own words.

    Args:
        on_step: called with the step and its loss; may raise to stop.
    """
    if spec.tune_steps == 0 or not speaker:
        return student
    torch.manual_seed(spec.seed)
    adapted = get_peft_model(
        student,
        LoraConfig(
            r=spec.lora_rank,
            lora_alpha=LORA_ALPHA_PER_RANK * spec.lora_rank,
            target_modules=_factors(student),
        ),
    )
    parameters = [p for p in adapted.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=spec.tune_learning_rate, weight_decay=0.0)
    schedule = cosine_schedule(optimizer, spec.tune_steps)
    order = _order(speaker, general, spec)
    lessons = _Lessons(teacher, featurizer)
    adapted.train()
    for step in range(spec.tune_steps):
        total = 0.0
        for window, weights in order[step * spec.tune_batch : (step + 1) * spec.tune_batch]:
            loss = _loss(adapted.base_model.model, teacher, lessons.of(window), weights) / spec.tune_batch
            loss.backward()
            total += float(loss.detach())
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        schedule.step()
        on_step(step + 1, total)
    return adapted.merge_and_unload().eval()


def _factors(student: WhisperForConditionalGeneration) -> list[str]:
    """Return the names of every linear layer inside encoder and decoder layers."""
    return [name for name, module in student.named_modules() if isinstance(module, nn.Linear) and ".layers." in name]


@dataclass(frozen=True)
class _Lesson:
    features_1MT: Tensor
    encoded_1SD: Tensor  # the original encoder's output
    labels_1L: Tensor


class _Lessons:
    """What the original hears in each window, computed once and kept in float16."""

    def __init__(self, teacher: WhisperForConditionalGeneration, featurizer: Featurizer) -> None:
        self._teacher, self._featurizer = teacher, featurizer
        self._kept: dict[int, _Lesson] = {}

    @torch.no_grad()
    def of(self, window: Window) -> _Lesson:
        if id(window) not in self._kept:
            audio = window.audio()
            features_1MT = self._featurizer.features([audio]).to(self._teacher.device)
            encoded_1SD = self._teacher.model.encoder(features_1MT).last_hidden_state
            text = window.text or transcribe_batch(self._teacher, self._featurizer, [audio])[0]
            labels_1L = self._featurizer.labels(text).to(self._teacher.device)
            self._kept[id(window)] = _Lesson(features_1MT.half(), encoded_1SD.half(), labels_1L)
        return self._kept[id(window)]


def _loss(
    student: WhisperForConditionalGeneration,
    teacher: WhisperForConditionalGeneration,
    lesson: _Lesson,
    weights: LossWeights,
) -> Tensor:
    inputs_1L, targets_1L = lesson.labels_1L[:, :-1], lesson.labels_1L[:, 1:]
    target_1SD = lesson.encoded_1SD.float()
    encoded_1SD = student.model.encoder(lesson.features_1MT.float()).last_hidden_state
    logits_1LV = _logits(student, inputs_1L, encoded_1SD)
    loss = weights.encoder * (encoded_1SD - target_1SD).square().sum() / target_1SD.square().sum()
    if weights.kl:
        with torch.no_grad():
            original_1LV = _logits(teacher, inputs_1L, target_1SD).log_softmax(-1)
        kl_1L = nn.functional.kl_div(logits_1LV.log_softmax(-1), original_1LV, log_target=True, reduction="none").sum(
            -1
        )
        loss = loss + weights.kl * kl_1L.mean()
    if weights.ce:
        loss = loss + weights.ce * nn.functional.cross_entropy(logits_1LV.flatten(0, 1), targets_1L.flatten())
    return loss


def _logits(model: WhisperForConditionalGeneration, inputs_1L: Tensor, encoded_1SD: Tensor) -> Tensor:
    hidden = model.model.decoder(
        input_ids=inputs_1L, encoder_hidden_states=encoded_1SD, use_cache=False
    ).last_hidden_state
    return model.proj_out(hidden)


def _order(
    speaker: Sequence[Window], general: Sequence[Window], spec: CompressionSpec
) -> list[tuple[Window, LossWeights]]:
    """Return every window of the run: each kind shuffled anew when it is used up, general ones at their share."""
    rng = random.Random(spec.seed)  # noqa: S311  # an order, not a secret
    share = spec.general_share if general else 0.0
    decks: dict[bool, list[Window]] = {True: [], False: []}
    order = []
    for _ in range(spec.tune_steps * spec.tune_batch):
        is_general = rng.random() < share
        deck = decks[is_general]
        if not deck:
            deck.extend(general if is_general else speaker)
            rng.shuffle(deck)
        order.append((deck.pop(), GENERAL_WEIGHTS if is_general else SPEAKER_WEIGHTS))
    return order

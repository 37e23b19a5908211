"""The end-to-end phase: the whole smaller model learns from the original and from the speaker's transcripts.

LoRA through peft on every factor, merged at the end, so the model keeps its size. Each step takes one batch of packed windows:

    loss = w_enc · relative error of the encoder's output          (stay near the original's hearing)
         + w_kl  · KL(original ‖ compressed) on the next token      (stay near the original's words)
         + w_ce  · cross-entropy on the transcript                  (hear the speaker: may pass the original)

General windows keep other speakers: there the original is the better teacher, so they weigh distillation higher.
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

ENCODER_LINEARS = r"model\.encoder\.layers\.\d+\..*(q_proj|k_proj|v_proj|out_proj|fc1|fc2|down|up)"
DECODER_LINEARS = r"model\.decoder\.layers\.\d+\..*(q_proj|k_proj|v_proj|out_proj|fc1|fc2|down|up)"


@dataclass(frozen=True)
class LossWeights:
    encoder: float
    kl: float
    ce: float


SPEAKER_WEIGHTS = LossWeights(encoder=0.3, kl=0.3, ce=1.0)
GENERAL_WEIGHTS = LossWeights(encoder=1.0, kl=1.0, ce=0.0)


@dataclass(frozen=True)
class Lesson:
    """One window with what to learn from it: its transcript, or the original's own words where there is none."""

    window: Window
    labels_1L: Tensor
    weights: LossWeights


def make_lessons(
    teacher: WhisperForConditionalGeneration, featurizer: Featurizer, speaker: Sequence[Window], general: Sequence[Window]
) -> tuple[list[Lesson], list[Lesson]]:
    """Return the speaker's and the general lessons; windows without a transcript get the original model's own greedy words."""

    def lessons(windows: Sequence[Window], weights: LossWeights) -> list[Lesson]:
        made = []
        for window in windows:
            text = window.text or _own_words(teacher, featurizer, window)
            if text.strip():
                made.append(Lesson(window, featurizer.labels(text), weights))
        return made

    return lessons(speaker, SPEAKER_WEIGHTS), lessons(general, GENERAL_WEIGHTS)


def finetune(
    student: WhisperForConditionalGeneration,
    teacher: WhisperForConditionalGeneration,
    featurizer: Featurizer,
    speaker: Sequence[Lesson],
    general: Sequence[Lesson],
    spec: CompressionSpec,
    *,
    on_step: Callable[[int, float], None] = lambda _step, _loss: None,
) -> WhisperForConditionalGeneration:
    """Train for `spec.tune_steps` steps of `spec.tune_batch` windows and return the student with its adapters merged.

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
            target_modules=f"({ENCODER_LINEARS})|({DECODER_LINEARS})",
        ),
    )
    parameters = [p for p in adapted.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=spec.tune_learning_rate, weight_decay=0.0)
    schedule = cosine_schedule(optimizer, spec.tune_steps)
    order = _order(speaker, general, spec)
    hearing = _Hearing(teacher, featurizer)
    adapted.train()
    for step in range(spec.tune_steps):
        total = 0.0
        for lesson in order[step * spec.tune_batch : (step + 1) * spec.tune_batch]:
            loss = _loss(adapted.base_model.model, hearing, lesson) / spec.tune_batch
            loss.backward()
            total += float(loss.detach())
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        schedule.step()
        on_step(step + 1, total)
    return adapted.merge_and_unload().eval()  # type: ignore[no-any-return,operator]


class _Hearing:
    """The original's features and encoder output for each window, computed once and kept in float16."""

    def __init__(self, teacher: WhisperForConditionalGeneration, featurizer: Featurizer) -> None:
        self.teacher = teacher
        self._featurizer = featurizer
        self._kept: dict[int, tuple[Tensor, Tensor]] = {}

    @torch.no_grad()
    def of(self, window: Window) -> tuple[Tensor, Tensor]:
        """Return features_1MT and the original's encoder output, encoded_1SD."""
        if id(window) not in self._kept:
            features_1MT = self._featurizer.features([window.audio()]).to(self.teacher.device)
            encoded_1SD = self.teacher.model.encoder(features_1MT).last_hidden_state
            self._kept[id(window)] = (features_1MT.half(), encoded_1SD.half())
        features_1MT, encoded_1SD = self._kept[id(window)]
        return features_1MT.float(), encoded_1SD.float()


def _loss(student: WhisperForConditionalGeneration, hearing: _Hearing, lesson: Lesson) -> Tensor:
    features_1MT, target_1SD = hearing.of(lesson.window)
    labels_1L = lesson.labels_1L.to(features_1MT.device)
    inputs_1L, targets_1L = labels_1L[:, :-1], labels_1L[:, 1:]
    encoded_1SD = student.model.encoder(features_1MT).last_hidden_state
    logits_1LV = _logits(student, inputs_1L, encoded_1SD)
    loss = lesson.weights.encoder * (encoded_1SD - target_1SD).square().sum() / target_1SD.square().sum()
    if lesson.weights.kl:
        with torch.no_grad():
            original_1LV = _logits(hearing.teacher, inputs_1L, target_1SD).log_softmax(-1)
        kl_1L = nn.functional.kl_div(logits_1LV.log_softmax(-1), original_1LV, log_target=True, reduction="none").sum(-1)
        loss = loss + lesson.weights.kl * kl_1L.mean()
    if lesson.weights.ce:
        loss = loss + lesson.weights.ce * nn.functional.cross_entropy(logits_1LV.flatten(0, 1), targets_1L.flatten())
    return loss


def _logits(model: WhisperForConditionalGeneration, inputs_1L: Tensor, encoded_1SD: Tensor) -> Tensor:
    hidden = model.model.decoder(input_ids=inputs_1L, encoder_hidden_states=encoded_1SD, use_cache=False).last_hidden_state
    return model.proj_out(hidden)  # type: ignore[no-any-return]


def _order(speaker: Sequence[Lesson], general: Sequence[Lesson], spec: CompressionSpec) -> list[Lesson]:
    """Return every lesson of the run: each kind shuffled anew when it is used up, general ones at their share."""
    rng = random.Random(spec.seed)  # noqa: S311  # an order, not a secret
    share = spec.general_share if general else 0.0
    decks: dict[bool, list[Lesson]] = {True: [], False: []}
    order = []
    for _ in range(spec.tune_steps * spec.tune_batch):
        is_general = rng.random() < share
        if not decks[is_general]:
            decks[is_general] = rng.sample(list(general if is_general else speaker), len(general if is_general else speaker))
        order.append(decks[is_general].pop())
    return order


def _own_words(teacher: WhisperForConditionalGeneration, featurizer: Featurizer, window: Window) -> str:
    return transcribe_batch(teacher, featurizer, [window.audio()])[0]

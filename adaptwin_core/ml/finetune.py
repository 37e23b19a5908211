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
from adaptwin_core.ml.layers import LORA_ALPHA_PER_RANK, cosine_schedule
from adaptwin_core.ml.windows import Featurizer, Window

IGNORED = -100  # label id that the cross-entropy skips
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

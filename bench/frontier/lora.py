"""LoRA as people do it without us: adapters on queries and values learn the speaker's transcripts, whole windows alone.

The settings are those of peft's own Whisper example. No original to stay near, no other speech, no checks on the way.
"""

import random
from collections.abc import Sequence
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from torch import nn
from transformers import WhisperForConditionalGeneration, get_linear_schedule_with_warmup

from adaptwin_core.ml.model.adapter import decode, encode, token_logits
from adaptwin_core.ml.model.featurizer import Featurizer
from adaptwin_core.ml.model.precision import quick_products
from adaptwin_core.ml.model.windows import Window

LEARNING_RATE = 1e-3
BATCH = 2  # windows; the example's eight clips hold about as much speech
WARMUP_SHARE = 0.1


def plain_lora(
    model: WhisperForConditionalGeneration,
    featurizer: Featurizer,
    windows: Sequence[Window],
    *,
    num_windows: int,
    seed: int,
) -> WhisperForConditionalGeneration:
    """Return the model, adapters merged, after so many of the speaker's transcribed windows."""
    torch.manual_seed(seed)
    rng = random.Random(seed)  # noqa: S311  # an order, not a secret
    adapters = LoraConfig(r=32, lora_alpha=64, target_modules=["q_proj", "v_proj"], lora_dropout=0.05)
    running = get_peft_model(model, adapters).train()
    inner: Any = running.base_model.model
    parameters = [parameter for parameter in running.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=LEARNING_RATE)
    num_steps = num_windows // BATCH
    schedule = get_linear_schedule_with_warmup(optimizer, int(WARMUP_SHARE * num_steps), num_steps)
    deck: list[Window] = []
    for _ in range(num_steps):
        for _ in range(BATCH):
            deck = deck or rng.sample(windows, len(windows))
            loss = cross_entropy(inner, featurizer, deck.pop()) / BATCH
            loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
    merged: WhisperForConditionalGeneration = running.merge_and_unload()
    return merged.eval()


def cross_entropy(model: Any, featurizer: Featurizer, window: Window) -> torch.Tensor:
    """Return the mean loss of a window's transcript in nats a token; its prompt is given, not asked. L tokens."""
    labels_1L, features_1MT = featurizer.labels(window.text or ""), featurizer.features([window.audio()])
    with quick_products(labels_1L.device):
        encoded_1SD = encode(model, features_1MT)
        logits_1LV = token_logits(model, decode(model, labels_1L[:, :-1], encoded_1SD))
    asked = slice(len(featurizer.prompt()) - 1, None)
    return nn.functional.cross_entropy(logits_1LV[0, asked].float(), labels_1L[0, 1:][asked])

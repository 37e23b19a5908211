"""What each smaller form of the token embedding loses. It is read at both ends: a token's row goes into the decoder,
and the decoder's output times every row says how likely each token is next.

Shape letters: V vocabulary, D width, R rank, L tokens.
"""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from adaptwin_core.ml.compression import twins
from adaptwin_core.ml.model.adapter import decode
from adaptwin_core.ml.model.loading import load_whisper
from adaptwin_core.ml.model.modeling_adaptwin import widened
from adaptwin_core.ml.model.quantization import Int4Weight, Int8Weight
from adaptwin_core.ml.model.windows import pack
from adaptwin_core.ml.stages.recipe import Setting
from adaptwin_core.ml.training.teacher import Teacher, TrainingExample

SEEN_WINDOWS = 12  # of each kind of speech, for the moment of the decoder's output
JUDGED_WINDOWS = 6  # held-out, of each kind
WHITE_SHARE = 0.1  # of the moment: rows go in as well, and there every direction counts
HALF_BYTES = 2

Form = Callable[[Tensor], tuple[Tensor, int]]  # embedding_VD -> what is left of it, and its bytes


@torch.no_grad()
def rows(setting: Setting) -> Iterator[dict[str, Any]]:
    """Yield every row: the change, its megabytes, KL of the next token and how often the first choice stays."""
    original = load_whisper(setting.base_folder)
    teacher = Teacher(original, setting.featurizer())
    corpora = {"speaker": setting.speaker, "others": setting.general}
    seen, judged = [], {}
    for kind, corpus in corpora.items():
        assert corpus is not None
        seen += [teacher.example(window).decoded_1LD[0] for window in setting.windows(corpus)[:SEEN_WINDOWS]]
        unseen = pack(corpus, "test", seed=0, num_tokens=setting.num_tokens)[:JUDGED_WINDOWS]
        judged[kind] = [teacher.example(window) for window in unseen]
    for change, form in _forms(torch.cat(seen).double(), original.config.d_model).items():
        model = copy.deepcopy(original)
        embedding: nn.Embedding = model.model.decoder.embed_tokens
        left_VD, num_bytes = form(embedding.weight.detach())
        embedding.weight.copy_(left_VD)
        row: dict[str, Any] = {"change": change, "megabytes": round(num_bytes / 1e6, 1)}
        for kind, windows in judged.items():
            row |= {f"{kind}_{name}": round(value, 4) for name, value in _lost(model, teacher, windows).items()}
        yield row


def _forms(said_LD: Tensor, width: int) -> dict[str, Form]:
    moment_DD = said_LD.mT @ said_LD / len(said_LD)
    white_DD = torch.eye(width, dtype=moment_DD.dtype)
    moment_DD = moment_DD + WHITE_SHARE * moment_DD.diagonal().mean() * white_DD
    forms: dict[str, Form] = {
        "float16": lambda embedding_VD: (embedding_VD, HALF_BYTES * embedding_VD.numel()),
        "int8 (weights: int8)": lambda embedding_VD: _stored(Int8Weight.of(embedding_VD)),
        "int4, nearest": lambda embedding_VD: _stored(Int4Weight.of(embedding_VD)),
    }
    for eighths in (7, 6, 5, 4):
        rank = width * eighths // 8
        forms[f"rank {rank}, float16"] = low_rank(moment_DD, rank)
    forms[f"rank {width * 3 // 4}, weights alone, float16"] = low_rank(white_DD, width * 3 // 4)
    return forms


def low_rank(moment_DD: Tensor, rank: int) -> Form:
    """Two thin matrices whose product is nearest under what the decoder says, of second moment E[h·hᵀ]."""

    def apply(embedding_VD: Tensor) -> tuple[Tensor, int]:
        no_bias, no_mean = embedding_VD.new_zeros(len(embedding_VD)), moment_DD.new_zeros(len(moment_DD))
        cut = twins.cut_linear(embedding_VD, no_bias, moment_DD, no_mean, rank)
        left_VD = (cut.up_OR @ cut.down_RI).float()
        return left_VD, HALF_BYTES * (cut.up_OR.numel() + cut.down_RI.numel())

    return apply


def _stored(weight: Int8Weight | Int4Weight) -> tuple[Tensor, int]:
    tensors = weight.tensors("weight")
    num_bytes = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    return widened(tensors)["weight"], num_bytes


def _lost(model: Any, teacher: Teacher, windows: list[TrainingExample]) -> dict[str, float]:
    divergence = same = num_tokens = 0.0
    for example in windows:
        asked_L = slice(example.num_prompt - 1, None)
        original_LV = teacher.log_probs(example)[0, asked_L]
        decoded_1LD = decode(model, example.labels_1L[:, :-1], example.encoded_1SD.float())
        changed_LV = model.proj_out(decoded_1LD)[0, asked_L].log_softmax(-1)
        divergence += float(nn.functional.kl_div(changed_LV, original_LV, log_target=True, reduction="sum"))
        same += int((changed_LV.argmax(-1) == original_LV.argmax(-1)).sum())
        num_tokens += len(original_LV)
    return {"kl": divergence / num_tokens, "same": same / num_tokens}

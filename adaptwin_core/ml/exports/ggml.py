"""A stock Whisper as a whisper.cpp file (ggml): 16-bit, or matrices in 8 or 5 bits.

whisper.cpp fixes head size and neurons, so it gets a compressed model's dense form: as large as the original in the
same bits. It derives special tokens from the number of tokens, so tokens that were added to Whisper's own are left out,
and those that were dropped get rows back.
The file holds a header, mel filters, tokens, then each tensor with its name, its dimensions in reverse order and its
data. Integers are little-endian int32.
"""

import re
import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np
from gguf import GGMLQuantizationType
from gguf.quants import quantize
from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration

from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.ml.base.whisper_tensors import EMBEDDING
from adaptwin_core.ml.exports.original_vocabulary import OriginalVocabulary

MAGIC = 0x67676D6C
QUANTIZATION_VERSION = 2  # of ggml's blocks; the header holds it times 1000
# The header's number for a file of such matrices, and ggml's type of the matrices
FORMS = {
    "float16": (1, GGMLQuantizationType.F16),
    "q8_0": (7 + 1000 * QUANTIZATION_VERSION, GGMLQuantizationType.Q8_0),
    "q5_0": (8 + 1000 * QUANTIZATION_VERSION, GGMLQuantizationType.Q5_0),
}
ALWAYS_FLOAT32 = re.compile(r"positional_embedding$|\.bias$|_ln\.|ln(_post)?\.weight$")
# From Hugging Face's names to OpenAI's, in this order
RENAMED = (
    (r"^model\.", ""),
    (r"layers\.", "blocks."),
    (r"embed_positions\.weight", "positional_embedding"),
    (r"embed_tokens", "token_embedding"),
    (r"encoder_attn_layer_norm", "cross_attn_ln"),
    (r"self_attn_layer_norm", "attn_ln"),
    (r"encoder_attn\.", "cross_attn."),
    (r"self_attn\.", "attn."),
    (r"k_proj", "key"),
    (r"q_proj", "query"),
    (r"v_proj", "value"),
    (r"out_proj", "out"),
    (r"final_layer_norm", "mlp_ln"),
    (r"fc1", "mlp.0"),
    (r"fc2", "mlp.2"),
    (r"encoder\.layer_norm", "encoder.ln_post"),
    (r"decoder\.layer_norm", "decoder.ln"),
)


def write_ggml(model: WhisperForConditionalGeneration, texts: Path, out: Path, *, weights: str) -> list[str]:
    """Write one file that whisper.cpp loads.

    Args:
        model: of stock shape, as `dense` returns it.
        texts: folder with the model's tokenizer and feature settings.
        weights: float16, q8_0 or q5_0.

    Returns:
        the name of the file written.
    """
    out.mkdir(parents=True, exist_ok=True)
    header, form = FORMS[weights]
    config = model.config
    if config.encoder_ffn_dim != 4 * config.d_model or config.decoder_ffn_dim != 4 * config.d_model:
        raise InvalidInput("whisper.cpp takes four neurons a column of the width, and this model has others: use ct2")
    vocabulary = OriginalVocabulary(texts)
    name = f"ggml-model-{weights}.bin"
    with (out / name).open("wb") as file:
        _ints(
            file,
            MAGIC,
            vocabulary.num_tokens,
            config.max_source_positions,
            config.d_model,
            config.encoder_attention_heads,
            config.encoder_layers,
            config.max_target_positions,
            config.d_model,
            config.decoder_attention_heads,
            config.decoder_layers,
            config.num_mel_bins,
            header,
        )
        filters_MF = WhisperFeatureExtractor.from_pretrained(texts, local_files_only=True).mel_filters.T
        _ints(file, *filters_MF.shape)
        file.write(np.ascontiguousarray(filters_MF, np.float32).tobytes())
        tokens = vocabulary.tokens
        _ints(file, len(tokens))
        for token in tokens:
            _ints(file, len(token))
            file.write(token)
        for key, tensor in model.named_parameters():  # one that two layers share is named once
            values = tensor.detach().float().numpy()
            _write_tensor(file, _renamed(key), vocabulary.rows(values) if key == EMBEDDING else values, form)
    return [name]


def _write_tensor(file: BinaryIO, name: str, values: np.ndarray, form: GGMLQuantizationType) -> None:
    if re.search(r"conv\d\.bias$", name):
        values = values[:, None]  # added to rows of frames
    if ALWAYS_FLOAT32.search(name):
        kind = GGMLQuantizationType.F32
    elif values.ndim == 2:
        kind = form
    else:  # convolutions stay in 16 bits
        kind = GGMLQuantizationType.F16
    encoded = name.encode()
    _ints(file, values.ndim, len(encoded), int(kind), *reversed(values.shape))
    file.write(encoded)
    file.write(quantize(np.ascontiguousarray(values), kind).tobytes())


def _ints(file: BinaryIO, *numbers: int) -> None:
    file.write(struct.pack(f"<{len(numbers)}i", *numbers))


def _renamed(key: str) -> str:
    for pattern, name in RENAMED:
        key = re.sub(pattern, name, key)
    return key

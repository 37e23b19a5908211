"""A ggml file meets every condition under which FUTO's keyboard imports and loads it, as docs/exports.md lists them."""

import re
import struct

import pytest

from adaptwin_core.ml.exports import formats

pytestmark = pytest.mark.weights

HEADER = ("vocab", "positions", "width", "heads", "layers", "text_positions", "text_width", "text_heads")
HEADER += ("text_layers", "mels", "form")
FLOAT32, FLOAT16 = 0, 1
# ggml's numbers: of a file's form, its matrices' type; of a type, the values and the bytes of a block
TYPE_OF_FORM = {"ggml-float16": (1, FLOAT16), "ggml-q8_0": (7, 8), "ggml-q5_0": (8, 6)}
BLOCKS = {FLOAT32: (1, 4), FLOAT16: (1, 2), 8: (32, 34), 6: (32, 22)}
QUANTIZATION_FACTOR = 1000


def read(path):
    """Return the first bytes, header, number of tokens with bytes, and each tensor's type and dimensions by name."""
    data = path.read_bytes()
    place = 4

    def ints(count):
        nonlocal place
        found = struct.unpack_from(f"<{count}i", data, place)
        place += 4 * count
        return found

    header = dict(zip(HEADER, ints(len(HEADER)), strict=True))
    mels, bins = ints(2)
    assert mels == header["mels"]
    place += 4 * mels * bins
    (tokens,) = ints(1)
    for _ in range(tokens):
        (length,) = ints(1)
        place += length
    tensors = {}
    while place < len(data):
        num_dims, length, kind = ints(3)
        dims = ints(num_dims)
        name = data[place : place + length].decode()
        values, size = 1, BLOCKS[kind]
        for dim in dims:
            values *= dim
        place += length + values // size[0] * size[1]
        tensors[name] = kind, dims
    assert place == len(data)
    return data[:4], header, tokens, tensors


def expected_shapes(header):
    """Return the dimensions of each tensor that whisper.cpp allocates, the fastest first."""
    width = header["width"]
    shapes = {
        "encoder.positional_embedding": (width, header["positions"]),
        "encoder.conv1.weight": (3, header["mels"], width),
        "encoder.conv1.bias": (1, width),
        "encoder.conv2.weight": (3, width, width),
        "encoder.conv2.bias": (1, width),
        "encoder.ln_post.weight": (width,),
        "encoder.ln_post.bias": (width,),
        "decoder.positional_embedding": (width, header["text_positions"]),
        "decoder.token_embedding.weight": (width, header["vocab"]),
        "decoder.ln.weight": (width,),
        "decoder.ln.bias": (width,),
    }
    for half, layers, attentions in (
        ("encoder", header["layers"], ["attn"]),
        ("decoder", header["text_layers"], ["attn", "cross_attn"]),
    ):
        for block in (f"{half}.blocks.{layer}." for layer in range(layers)):
            for attention in attentions:
                matrices = ("query", "key", "value", "out")
                shapes |= {f"{block}{attention}.{name}.weight": (width, width) for name in matrices}
                shapes |= {f"{block}{attention}.{name}.bias": (width,) for name in matrices if name != "key"}
            norms = ["mlp_ln", *(f"{attention}_ln" for attention in attentions)]
            shapes |= {f"{block}{norm}.{part}": (width,) for norm in norms for part in ("weight", "bias")}
            shapes |= {f"{block}mlp.0.weight": (width, 4 * width), f"{block}mlp.0.bias": (4 * width,)}
            shapes |= {f"{block}mlp.2.weight": (4 * width, width), f"{block}mlp.2.bias": (width,)}
    return shapes


@pytest.mark.parametrize("form", TYPE_OF_FORM)
def test_the_file_meets_the_conditions_of_the_keyboard(form, checkpoint, tmp_path):
    formats.write(form, checkpoint, tmp_path)
    magic, header, tokens, tensors = read(next(tmp_path.glob("*.bin")))
    number, matrix_type = TYPE_OF_FORM[form]
    assert magic == b"lmgg"
    assert header["form"] % QUANTIZATION_FACTOR == number
    assert header["width"] == header["text_width"]
    assert header["vocab"] in {51864, 51865, 51866}
    assert 0 < tokens <= header["vocab"]
    assert {name: dims for name, (_, dims) in tensors.items()} == expected_shapes(header)
    for name, (kind, dims) in tensors.items():
        if re.search(r"conv\d\.weight$", name):
            assert kind == FLOAT16, name
        elif len(dims) == 2 and name.endswith(".weight"):
            assert kind == matrix_type, name
        else:
            assert kind == FLOAT32, name

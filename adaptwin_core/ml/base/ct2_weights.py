"""Read a CTranslate2 Whisper container (`model.bin`) and give its tensors Hugging Face names.

The container: a small header, then name, shape, element type and bytes of each variable, then aliases; integers are
little-endian. OpenAI released Whisper in float16, so a float16 container is exact. Shapes: D width, X several D.
"""

import re
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.domain.shape import HALVES, Half

Tensors = dict[str, np.ndarray]

_CONTAINER_VERSION = 6
_SPEC_NAME = "WhisperSpec"
_ELEMENT_TYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}
_STEM = {
    "encoder.conv1.weight": "encoder/conv1/weight",
    "encoder.conv1.bias": "encoder/conv1/bias",
    "encoder.conv2.weight": "encoder/conv2/weight",
    "encoder.conv2.bias": "encoder/conv2/bias",
    "encoder.embed_positions.weight": "encoder/position_encodings/encodings",
    "encoder.layer_norm.weight": "encoder/layer_norm/gamma",
    "encoder.layer_norm.bias": "encoder/layer_norm/beta",
    "decoder.embed_tokens.weight": "decoder/embeddings/weight",
    "decoder.embed_positions.weight": "decoder/position_encodings/encodings",
    "decoder.layer_norm.weight": "decoder/layer_norm/gamma",
    "decoder.layer_norm.bias": "decoder/layer_norm/beta",
}


class _Reader:
    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.offset = 0

    def number(self, form: str) -> int:
        (value,) = struct.unpack_from("<" + form, self.data, self.offset)
        self.offset += struct.calcsize("<" + form)
        return int(value)

    def bytes(self, num_bytes: int) -> memoryview:
        if self.offset + num_bytes > len(self.data):
            raise InvalidInput("the CTranslate2 container ends too early: install its package again")
        self.offset += num_bytes
        return self.data[self.offset - num_bytes : self.offset]

    def text(self) -> str:
        return bytes(self.bytes(self.number("H"))).rstrip(b"\0").decode()


def read_container(path: Path) -> Tensors:
    """Return every variable of a CTranslate2 Whisper `model.bin`, by its own name, scalars as 0-d arrays.

    Raises:
        InvalidInput: not such a container, or cut short.
    """
    reader = _Reader(memoryview(path.read_bytes()))
    try:
        version, spec, _revision = reader.number("I"), reader.text(), reader.number("I")
        if version != _CONTAINER_VERSION or spec != _SPEC_NAME:
            raise InvalidInput(f"{path.name} holds {spec} version {version}, not {_SPEC_NAME} {_CONTAINER_VERSION}")
        tensors: Tensors = {}
        for _ in range(reader.number("I")):
            name = reader.text()
            shape = [reader.number("I") for _ in range(reader.number("B"))]
            element = _ELEMENT_TYPES[reader.number("B")]
            tensors[name] = np.frombuffer(reader.bytes(reader.number("I")), dtype=element).reshape(shape)
    except (struct.error, UnicodeDecodeError, KeyError, ValueError) as fault:
        raise InvalidInput(f"{path.name} is not a CTranslate2 Whisper container: {fault}") from fault
    return tensors


def num_layers(tensors: Mapping[str, np.ndarray], half: Half) -> int:
    """Return how many layers a half of the model has."""
    return len({match[1] for name in tensors if (match := re.match(rf"{half}/layer_(\d+)/", name))})


def to_hugging_face(tensors: Mapping[str, np.ndarray]) -> Tensors:
    """Return the state dict of `WhisperForConditionalGeneration`, without the output layer, which is tied.

    The container stores queries unscaled, and zeros as the key bias, which Whisper does not have.

    Raises:
        InvalidInput: a variable is missing, or keys carry a bias.
    """
    try:
        state = {f"model.{name}": tensors[source] for name, source in _STEM.items()}
        for half in HALVES:
            for layer in range(num_layers(tensors, half)):
                source, target = f"{half}/layer_{layer}", f"model.{half}.layers.{layer}"
                _self_attention(tensors, f"{source}/self_attention", f"{target}.self_attn", state)
                if half == "decoder":
                    _cross_attention(tensors, f"{source}/attention", f"{target}.encoder_attn", state)
                _norm(tensors, f"{source}/ffn", f"{target}.final_layer_norm", state)
                _linear(tensors, f"{source}/ffn/linear_0", f"{target}.fc1", state)
                _linear(tensors, f"{source}/ffn/linear_1", f"{target}.fc2", state)
    except KeyError as missing:
        raise InvalidInput(f"the CTranslate2 container lacks {missing}: it is no complete Whisper") from missing
    return {name: np.ascontiguousarray(tensor) for name, tensor in state.items()}


def _norm(tensors: Mapping[str, np.ndarray], source: str, target: str, state: Tensors) -> None:
    state[f"{target}.weight"] = tensors[f"{source}/layer_norm/gamma"]
    state[f"{target}.bias"] = tensors[f"{source}/layer_norm/beta"]


def _linear(tensors: Mapping[str, np.ndarray], source: str, target: str, state: Tensors) -> None:
    state[f"{target}.weight"] = tensors[f"{source}/weight"]
    state[f"{target}.bias"] = tensors[f"{source}/bias"]


def _projections(
    weight_XD: np.ndarray, bias_X: np.ndarray, names: tuple[str, ...], target: str, state: Tensors
) -> None:
    """Split one stacked linear layer into its projections; the key's bias must be zero and is dropped."""
    parts = zip(names, np.split(weight_XD, len(names)), np.split(bias_X, len(names)), strict=True)
    for name, weight_DD, bias_D in parts:
        state[f"{target}.{name}.weight"] = weight_DD
        if name != "k_proj":
            state[f"{target}.{name}.bias"] = bias_D
        elif bias_D.any():
            raise InvalidInput(f"{target} has a key bias, which Whisper has not: the container is of another model")


def _self_attention(tensors: Mapping[str, np.ndarray], source: str, target: str, state: Tensors) -> None:
    _norm(tensors, source, f"{target}_layer_norm", state)
    stacked = tensors[f"{source}/linear_0/weight"], tensors[f"{source}/linear_0/bias"]
    _projections(*stacked, ("q_proj", "k_proj", "v_proj"), target, state)
    _linear(tensors, f"{source}/linear_1", f"{target}.out_proj", state)


def _cross_attention(tensors: Mapping[str, np.ndarray], source: str, target: str, state: Tensors) -> None:
    _norm(tensors, source, f"{target}_layer_norm", state)
    _linear(tensors, f"{source}/linear_0", f"{target}.q_proj", state)
    stacked = tensors[f"{source}/linear_1/weight"], tensors[f"{source}/linear_1/bias"]
    _projections(*stacked, ("k_proj", "v_proj"), target, state)
    _linear(tensors, f"{source}/linear_2", f"{target}.out_proj", state)

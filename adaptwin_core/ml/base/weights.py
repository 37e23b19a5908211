"""Checks of a base model's weights without loading the model: files complete, tensors of its shape, numbers finite."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from adaptwin_core.domain.errors import InvalidInput
from adaptwin_core.domain.shape import ModelShape
from adaptwin_core.ml.base.whisper_tensors import EMBEDDING, OUTPUT, tensor_shapes

WEIGHT_PATTERNS = ("model.safetensors", "model-*-of-*.safetensors")  # not the fp32 twin that some hub folders also hold
INDEX_FILE = "model.safetensors.index.json"
_LFS_POINTER = b"version https://git-lfs"
# For each type the integer of the same size, and the bits that are all 1 in infinity and NaN only
_EXPONENTS = {
    "F16": (np.uint16, 0x7C00),
    "BF16": (np.uint16, 0x7F80),
    "F32": (np.uint32, 0x7F80_0000),
    "F64": (np.uint64, 0x7FF0_0000_0000_0000),
}
_CHUNK = 1 << 24  # numbers read at a time


@dataclass(frozen=True)
class Stored:
    """Where a tensor is stored."""

    file: Path
    dtype: str
    shape: tuple[int, ...]
    start: int  # byte in the file

    def raw(self) -> np.ndarray:
        """Return its numbers as integers of the same size, memory-mapped."""
        return np.memmap(self.file, _EXPONENTS[self.dtype][0], "r", self.start, (math.prod(self.shape),))


def weight_files(folder: Path) -> list[Path]:
    """Return the files of a folder's weights, in order: those that its index names, if it has one.

    Raises:
        InvalidInput: a file is missing, or the index is.
    """
    index = folder / INDEX_FILE
    if (folder / WEIGHT_PATTERNS[0]).is_file() or not index.is_file():
        files = sorted(folder.glob(WEIGHT_PATTERNS[0])) or sorted(folder.glob(WEIGHT_PATTERNS[1]))
        if files and files[0].name != WEIGHT_PATTERNS[0]:
            raise InvalidInput(f"{folder} lacks {INDEX_FILE}, which tells the parts of its weights: save it again")
        return files
    files = [folder / name for name in sorted(set(read_json(index).get("weight_map", {}).values()))]
    missing = [path.name for path in files if not path.is_file()]
    if missing:
        raise InvalidInput(f"{folder} lacks {', '.join(missing)} of its weights: copy or download it again")
    return files


def check_weights(folder: Path, shape: ModelShape) -> None:
    """Check that the weights are all tensors of a Whisper of this shape, complete and finite.

    Raises:
        InvalidInput: they are not; the message says what is wrong.
    """
    stored = {name: tensor for path in weight_files(folder) for name, tensor in _stored(path)}
    expected = tensor_shapes(shape)
    strange = sorted(tensor.dtype for tensor in stored.values() if tensor.dtype not in _EXPONENTS)
    if strange:
        raise InvalidInput(f"the weights in {folder} are quantized ({strange[0]}): give the model as it was before")
    missing, extra = sorted(expected.keys() - stored.keys()), sorted(stored.keys() - expected.keys() - {OUTPUT})
    if missing or extra:
        wrong = f"they lack {missing[0]}" if missing else f"they also hold {extra[0]}"
        count = len(missing or extra)
        raise InvalidInput(
            f"the weights in {folder} do not fit its config.json: {wrong}{f' and {count - 1} more' * (count > 1)}; "
            "save the whole model with WhisperForConditionalGeneration.save_pretrained"
        )
    for name, wanted in expected.items():
        if stored[name].shape != wanted:
            raise InvalidInput(
                f"the weights in {folder} do not fit its config.json: {name} is {_sizes(stored[name].shape)}, where "
                f"{_sizes(wanted)} is expected; take both files from one model"
            )
    if OUTPUT in stored and not _same(stored[OUTPUT], stored[EMBEDDING]):
        raise InvalidInput(
            f"the output layer of {folder} is another matrix than its token embedding; only models in which both are "
            "one, as OpenAI's are, can be compressed"
        )
    for name in expected:
        if not _is_finite(stored[name]):
            raise InvalidInput(f"the weights in {folder} hold numbers that are not finite, in {name}: train it again")


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file. Raises InvalidInput."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except ValueError as fault:  # also raised for a wrong encoding
        raise InvalidInput(f"{path} is not JSON: copy or download it again ({fault})") from fault
    if not isinstance(found, dict):
        raise InvalidInput(f"{path} is not what its name says: it holds no JSON object")
    return found


def _stored(path: Path) -> Iterator[tuple[str, Stored]]:
    with path.open("rb") as file:
        head = file.read(len(_LFS_POINTER))
        if head == _LFS_POINTER:
            raise InvalidInput(f"{path} is a Git LFS pointer, not the weights: run `git lfs pull` in its folder")
        try:
            with safe_open(path, framework="numpy"):
                pass  # checks that the header is sound and that the file is as long as it says
        except (SafetensorError, OSError) as fault:
            raise InvalidInput(f"{path} is cut short or damaged ({fault}): copy or download it again") from fault
        file.seek(0)
        size = int.from_bytes(file.read(8), "little")
        header: Mapping[str, Any] = json.loads(file.read(size))
    for name, found in header.items():
        if name != "__metadata__":
            yield name, Stored(path, found["dtype"], tuple(found["shape"]), 8 + size + found["data_offsets"][0])


def _same(first: Stored, second: Stored) -> bool:
    return first.shape == second.shape and first.dtype == second.dtype and np.array_equal(first.raw(), second.raw())


def _is_finite(tensor: Stored) -> bool:
    bits = _EXPONENTS[tensor.dtype][1]
    numbers = tensor.raw()
    chunks = (numbers[start : start + _CHUNK] for start in range(0, len(numbers), _CHUNK))
    return not any(((chunk & bits) == bits).any() for chunk in chunks)


def _sizes(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))

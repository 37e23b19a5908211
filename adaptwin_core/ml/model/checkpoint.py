"""Checkpoints: cut blocks assembled into a model, and a model written to files that load anywhere."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from transformers import WhisperForConditionalGeneration

from adaptwin_core.domain.errors import CorruptBlob
from adaptwin_core.domain.plan import RankPlan
from adaptwin_core.domain.shape import BlockId
from adaptwin_core.ml.base.whisper_files import SIDECARS
from adaptwin_core.ml.model import modeling_adaptwin
from adaptwin_core.ml.model.adapter import block_prefixes, count_params, layer_prefix, shape_of
from adaptwin_core.ml.model.loading import load_whisper
from adaptwin_core.ml.model.modeling_adaptwin import AdaptwinWhisperConfig, AdaptwinWhisperForConditionalGeneration
from adaptwin_core.ml.model.quantization import stored_state

MODELING_FILE, WEIGHTS_FILE, CONFIG_FILE = "modeling_adaptwin.py", "model.safetensors", "config.json"
AUTO_MAP = {
    "AutoConfig": "modeling_adaptwin.AdaptwinWhisperConfig",
    "AutoModelForSpeechSeq2Seq": "modeling_adaptwin.AdaptwinWhisperForConditionalGeneration",
}


def assemble(
    base_folder: Path, plan: RankPlan, blocks: Mapping[str, dict[str, Tensor]]
) -> AdaptwinWhisperForConditionalGeneration:
    """Return the base model with every block of the plan replaced by its cut weights, in float32.

    Args:
        blocks: for each block name of the plan, tensors by their name inside the layer.

    Raises:
        CorruptBlob: a block is missing, has other tensors or shapes than the plan says, or holds NaN or infinity.
    """
    base = load_whisper(base_folder)
    state = base.state_dict()
    for name in plan.blocks:
        block = BlockId.parse(name)
        prefix = layer_prefix(block)
        tensors = blocks.get(name)
        if tensors is None:
            raise CorruptBlob(f"block {name} is missing")
        bad = [key for key, tensor in tensors.items() if not torch.isfinite(tensor).all()]
        if bad:
            raise CorruptBlob(f"block {name} holds numbers that are not finite: {', '.join(bad)}")
        replaced = tuple(prefix + part for part in block_prefixes(block))
        state = {key: value for key, value in state.items() if not key.startswith(replaced)}
        state |= {prefix + key: tensor for key, tensor in tensors.items()}
    model = empty_model(base, plan)
    try:
        model.load_state_dict(state)
    except RuntimeError as mismatch:
        raise CorruptBlob(f"the blocks do not fit the plan: {mismatch}") from mismatch
    model.generation_config = base.generation_config
    _check_size(model, plan)
    return model.eval()


def empty_model(base: WhisperForConditionalGeneration, plan: RankPlan) -> AdaptwinWhisperForConditionalGeneration:
    """Return an untrained model of the plan's shape, configured as `base` is."""
    fields = {key: value for key, value in base.config.to_dict().items() if key not in {"model_type", "architectures"}}
    config = AdaptwinWhisperConfig(adaptwin_plan=plan.model_dump(mode="json")["blocks"], **fields)
    config._attn_implementation = "sdpa"
    return AdaptwinWhisperForConditionalGeneration(config)


def save(
    model: AdaptwinWhisperForConditionalGeneration,
    base_folder: Path,
    out: Path,
    *,
    weights: str = "float16",
    state: dict[str, Tensor] | None = None,
) -> list[str]:
    """Write safetensors, config with plan and margin, our class and the base model's sidecar files.

    Args:
        weights: how matrices are stored, float16 (as OpenAI's own weights are), int8 or int4.
        state: the model's weights as `stored_state` gives them, where they are known or were trained since.

    Returns:
        the names of the files written.
    """
    out.mkdir(parents=True, exist_ok=True)
    model.config.auto_map = AUTO_MAP
    model.config.architectures = [type(model).__name__]
    model.save_pretrained(out, state_dict=stored_state(model, "float16"))
    config = json.loads((out / CONFIG_FILE).read_text())
    config |= {"dtype": "float16", "auto_map": AUTO_MAP, "adaptwin_weights": weights}
    config["adaptwin_margin_s"] = model.config.adaptwin_margin_s  # transformers leaves out what is the default
    if weights != "float16":
        save_file(
            stored_state(model, weights) if state is None else state, out / WEIGHTS_FILE, metadata={"format": "pt"}
        )
    (out / CONFIG_FILE).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    shutil.copyfile(modeling_adaptwin.__file__, out / MODELING_FILE)
    return _with_sidecars(base_folder, out)


def save_whole(model: WhisperForConditionalGeneration, base_folder: Path, out: Path) -> list[str]:
    """Write an uncut Whisper in its base model's form, in float16, and return the files' names."""
    model.half().save_pretrained(out)
    return _with_sidecars(base_folder, out)


def _with_sidecars(base_folder: Path, out: Path) -> list[str]:
    for name in SIDECARS:
        if (base_folder / name).exists() and not (out / name).exists():
            shutil.copyfile(base_folder / name, out / name)
    return sorted(path.name for path in out.iterdir())


def load_compressed(folder: Path) -> AdaptwinWhisperForConditionalGeneration:
    """Load a model that `save` wrote, in float32. It gets this installation's class, not the one beside the weights."""
    model = AdaptwinWhisperForConditionalGeneration.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="sdpa", local_files_only=True
    )
    return model.eval()


def _check_size(model: AdaptwinWhisperForConditionalGeneration, plan: RankPlan) -> None:
    shape = shape_of(model.config)
    for what, expected, counted in (
        ("encoder", plan.encoder_params(shape), count_params(model, "encoder")),
        ("model", plan.total_params(shape), model.num_parameters()),
    ):
        if expected != counted:
            raise CorruptBlob(f"the {what} has {counted:,} parameters where the plan says {expected:,}")

"""The recipe, top to bottom: calibrate, cut every block, tune the whole, judge it. Each step reads and writes files,
so steps can run anywhere.

`adaptwin compress` calls them in a row; the service's workers call them one task at a time. Both give the same model,
but for the rounding of sums taken in another order.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers.utils import logging as transformers_logging

from adaptwin_core.domain.allocation import Offer, offers_of
from adaptwin_core.domain.errors import InvalidAudio, InvalidInput
from adaptwin_core.domain.plan import BlockId, ModelShape, RankPlan
from adaptwin_core.domain.planner import Offers, blocks_to_cut, make_plan
from adaptwin_core.domain.spec import CompressionSpec
from adaptwin_core.ml.adapter import layer_of, load_layer, load_whisper
from adaptwin_core.ml.assemble import assemble, load_compressed, save
from adaptwin_core.ml.base_models import WEIGHT_PATTERNS
from adaptwin_core.ml.calibrate import calibrate
from adaptwin_core.ml.decode import transcribe
from adaptwin_core.ml.factorize import factorize_block, rank_neurons, white_moments
from adaptwin_core.ml.finetune import finetune
from adaptwin_core.ml.layers import BlockInput, build_cut_layer, tune_block
from adaptwin_core.ml.lessons import Lessons, Teacher
from adaptwin_core.ml.moments import Moments, mix
from adaptwin_core.ml.report import build_report, compare, held_out, write_report
from adaptwin_core.ml.sensitivity import WeighedInput, measure_offers
from adaptwin_core.ml.whisper_files import MULTILINGUAL_VOCAB_SIZE
from adaptwin_core.ml.windows import Featurizer, Window, pack
from adaptwin_core.speech.corpus import Corpus

ENCODED_FILE = "encoded.safetensors"
OFFERS_FILE, ORDER_FILE, BLOCK_FILE = "offers.json", "order.safetensors", "block.safetensors"
MAX_HELD_BACK = 6  # windows of each kind that judge the end-to-end phase
_INPUT = "input."
WEIGHED_WINDOWS = 1  # of each kind of speech, on which offers are measured

# Called with steps done, steps in all and figures worth showing; may raise to stop the work.
Progress = Callable[..., None]


def silent(_done: int, _total: int, **_figures: Any) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True)
class Setting:
    """What every step works on."""

    base_folder: Path
    shape: ModelShape
    spec: CompressionSpec
    speaker: Corpus
    general: Corpus | None
    offers: Offers | None = None  # once they are measured

    @property
    def plan(self) -> RankPlan:
        return make_plan(self.spec, self.shape, self.offers)

    def featurizer(self) -> Featurizer:
        multilingual = self.shape.vocab_size >= MULTILINGUAL_VOCAB_SIZE
        return Featurizer(self.base_folder, language=self.spec.language, multilingual=multilingual)

    def windows(self, corpus: Corpus | None) -> list[Window]:
        return [] if corpus is None else pack(corpus, "train", seed=self.spec.seed)

    @property
    def speaker_weight(self) -> float:
        return self.spec.speaker_weight if self.general is not None else 1.0


def quiet_transformers() -> None:
    """Keep transformers' bars and warnings out of a program that shows its own; doors call it, no import does."""
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()


def device() -> torch.device:
    """Return where the heavy work runs: a GPU if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def measure(setting: Setting, shard: int, num_shards: int, out: Path, progress: Progress = silent) -> dict[str, Path]:
    """Calibrate on every `num_shards`-th window and write one file a block: moments of both kinds of speech, and
    block inputs.

    The layer-wise phase takes general windows in the share that λ leaves them.
    """
    spec = setting.spec
    blocks = blocks_to_cut(spec, setting.shape)
    model = load_whisper(setting.base_folder).to(device())
    featurizer = setting.featurizer()
    num_speaker = max(1, round(spec.layer_windows * setting.speaker_weight))
    kinds = (("speaker", setting.speaker, num_speaker), ("general", setting.general, spec.layer_windows - num_speaker))
    shares = {
        kind: (windows[shard::num_shards], len(range(shard, min(kept, len(windows)), num_shards)))
        for kind, corpus, kept in kinds
        for windows in [setting.windows(corpus)[: spec.calibration_windows]]
    }
    total = sum(len(windows) for windows, _ in shares.values())
    tensors: dict[str, dict[str, Tensor]] = {str(block): {} for block in blocks}
    encoded: dict[str, Tensor] = {}
    done = 0
    for kind, (windows, num_kept) in shares.items():
        measured = calibrate(
            model,
            featurizer,
            blocks,
            windows,
            num_kept=num_kept,
            on_window=partial(_report_window, progress, done, total),
        )
        done += len(windows)
        for name in tensors:
            tensors[name] |= measured.moments[name].to_tensors(kind)
            tensors[name] |= {
                _input_name(kind, shard + i * num_shards): x for i, x in enumerate(measured.inputs_1TD[name])
            }
        encoded |= {_input_name(kind, shard + i * num_shards): x for i, x in enumerate(measured.encoded_1SD)}
    files = {f"{name}.safetensors": block_tensors for name, block_tensors in tensors.items()}
    if encoded:
        files[ENCODED_FILE] = encoded
    for name, content in files.items():
        save_file(content, out / name)
    return {name: out / name for name in files}


def weigh_block(
    setting: Setting, name: str, calibrations: Sequence[dict[str, Path]], out: Path, progress: Progress = silent
) -> tuple[dict[str, Path], dict[str, Any]]:
    """Measure what each size of each part of one block would lose, and rank its neurons.

    Args:
        calibrations: the files of every shard, in order.

    Returns:
        the files, and no figures.
    """
    block = BlockId.parse(name)
    shards = _shards(name, calibrations)
    moments = _moments(setting, shards)
    model = load_whisper(setting.base_folder)
    layer = layer_of(model, block)
    paths = [out / OFFERS_FILE]
    order_F = None
    if block.has_ff:
        order_F = rank_neurons(layer, block, moments if moments is not None else white_moments(layer, block))
        paths.append(out / ORDER_FILE)
        save_file({"order_F": order_F.cpu()}, paths[-1])
    where = device()
    inputs = []
    for kind, weight in (("speaker", setting.speaker_weight), ("general", 1 - setting.speaker_weight)):
        kept = _block_inputs(shards, calibrations, block, where, kind)[:WEIGHED_WINDOWS]
        inputs += [WeighedInput(item, weight / len(kept)) for item in kept if weight > 0]
    offers = measure_offers(
        model.to(where), block, offers_of(setting.shape, block), moments, inputs, order_F, on_offer=progress
    )
    paths[0].write_text(json.dumps([offer.model_dump() for offer in offers]))
    return {path.name: path for path in paths}, {}


def read_offers(weighed: dict[str, dict[str, Path]]) -> Offers:
    """Return every block's offers from the files of `weigh_block`."""
    return {
        name: [Offer.model_validate(offer) for offer in json.loads(files[OFFERS_FILE].read_text())]
        for name, files in weighed.items()
    }


def cut_block(
    setting: Setting,
    name: str,
    calibrations: Sequence[dict[str, Path]],
    weighed: dict[str, Path] | None,
    out: Path,
    progress: Progress = silent,
) -> tuple[dict[str, Path], dict[str, Any]]:
    """Factorize one block in closed form, tune it alone against the original, and write its weights.

    Args:
        calibrations: the files of every shard, in order.
        weighed: the files of `weigh_block`, where the plan was measured.

    Returns:
        the file, and figures: predicted error of each part, error of the block before and after tuning; nothing where
        the plan leaves the block whole.
    """
    spec, block = setting.spec, BlockId.parse(name)
    plan = setting.plan.blocks.get(name)
    if plan is None:
        return {}, {}
    shards = _shards(name, calibrations)
    layer = load_layer(setting.base_folder, block)
    order_F = load_file(weighed[ORDER_FILE])["order_F"] if weighed and ORDER_FILE in weighed else None
    cut = factorize_block(layer, block, plan, _moments(setting, shards), order_F)
    cut_layer = build_cut_layer(layer, block, plan, cut)
    where = device()
    tuned = tune_block(
        layer.to(where),
        cut_layer.to(where),
        block,
        _block_inputs(shards, calibrations, block, where),
        lora_rank=spec.lora_rank,
        steps=spec.layer_steps,
        learning_rate=spec.layer_learning_rate,
        seed=spec.seed,
        on_step=lambda step, loss: progress(step, spec.layer_steps, loss=round(loss, 5)),
    )
    path = out / BLOCK_FILE
    save_file({key: tensor.cpu().contiguous() for key, tensor in tuned.state.items()}, path)
    info = {"errors": cut.errors, "error_before": tuned.error_before, "error_after": tuned.error_after}
    return {path.name: path}, info


def tune_whole(
    setting: Setting, blocks: dict[str, Path], out: Path, progress: Progress = silent
) -> tuple[dict[str, Path], dict[str, Any]]:
    """Put the cut blocks together, train end to end, merge, and write the model's folder.

    Returns:
        its files, and figures: exact parameter counts, the loss of every step and of every check.
    """
    spec = setting.spec
    plan = setting.plan
    model = assemble(setting.base_folder, plan, {name: load_file(path) for name, path in blocks.items()})
    losses: list[float] = []

    def on_step(step: int, loss: float) -> None:
        losses.append(round(loss, 4))
        progress(step, spec.tune_steps, loss=losses[-1])

    checks: list[tuple[int, float]] = []
    if spec.tune_steps > 0:
        teacher = Teacher(load_whisper(setting.base_folder).to(device()), setting.featurizer())
        tuned = finetune(model.to(device()), teacher, lessons_of(setting), spec, on_step=on_step)
        model, checks = tuned.model, tuned.checks
    names = save(model.cpu(), setting.base_folder, out, weights=spec.weights)
    info = {
        "encoder_params": plan.encoder_params(setting.shape),
        "total_params": plan.total_params(setting.shape),
        "losses": losses,
        "checks": checks,
    }
    return {name: out / name for name in names}, info


def lessons_of(setting: Setting) -> Lessons:
    # With transcripts, only they are learnt from; without any, the original's own words are.
    labelled = any(clip.text for clip in setting.speaker.split("train"))
    speaker, speaker_held_back = _held_back(setting, setting.speaker, labelled=labelled)
    general, general_held_back = _held_back(setting, setting.general, labelled=False)
    return Lessons(speaker, general, speaker_held_back, general_held_back)


def _held_back(setting: Setting, corpus: Corpus | None, *, labelled: bool) -> tuple[list[Window], list[Window]]:
    """Return windows to learn from and windows to judge by: the valid split, or a tenth of what there is."""
    if corpus is None:
        return [], []
    learnt = pack(corpus, "train", seed=setting.spec.seed, labelled=labelled)
    held_back = pack(corpus, "valid", seed=setting.spec.seed, labelled=labelled)
    if not held_back:
        count = min(MAX_HELD_BACK, len(learnt) // 10)
        learnt, held_back = learnt[count:], learnt[:count]
    return learnt, held_back[:MAX_HELD_BACK]


def hear(
    setting: Setting, kind: str, compressed: Path | None, out: Path, progress: Progress = silent
) -> tuple[dict[str, Path], dict[str, Any]]:
    """Transcribe the held-out clips of one kind of speech with the original, or with the compressed model in a folder.

    Args:
        kind: speaker or general.

    Returns:
        texts.json ({clip id: text}), and figures: seconds of compute for each second of audio.
    """
    corpus = setting.speaker if kind == "speaker" else setting.general
    assert corpus is not None, kind
    model = (load_whisper(setting.base_folder) if compressed is None else load_compressed(compressed)).to(device())
    clips = held_out(corpus)
    heard = transcribe(model, setting.featurizer(), corpus, clips, progress)
    path = out / "texts.json"
    path.write_text(
        json.dumps({clip.id: text for clip, text in zip(clips, heard.texts, strict=True)}, ensure_ascii=False)
    )
    return {path.name: path}, {
        "compute_s": heard.compute_s,
        "audio_s": heard.audio_s,
        "threads": torch.get_num_threads(),
    }


def conclude(
    setting: Setting,
    base_model: str,
    base_digest: str,
    texts: dict[str, Path],
    infos: dict[str, dict[str, Any]],
    model_files: dict[str, Path],
    blocks: dict[str, dict[str, Any]],
    out: Path,
) -> tuple[dict[str, Path], dict[str, Any]]:
    """Score what was heard and write the report beside the model.

    Args:
        texts: texts.json of `hear` by "base:speaker", "compressed:speaker", and with general speech "base:general",
        "compressed:general". infos: figures of `hear` by the same names.
        blocks: figures of `cut_block` by block.

    Returns:
        the report's files, and the report.
    """
    heard = {name: json.loads(path.read_text()) for name, path in texts.items()}
    speech = {}
    for kind, corpus in (("speaker", setting.speaker), ("general", setting.general)):
        clips = held_out(corpus) if corpus is not None else []
        if not clips:
            continue
        try:
            speech[kind] = compare(clips, heard[f"base:{kind}"], heard[f"compressed:{kind}"], setting.spec.language)
        except InvalidInput:  # nobody said a word in these clips: there is nothing to judge
            continue
        speech[kind]["compute_s_per_audio_s"] = {
            label: round(infos[f"{name}:{kind}"]["compute_s"] / infos[f"{name}:{kind}"]["audio_s"], 4)
            for name, label in (("base", "original"), ("compressed", "compressed"))
        }
    report = build_report(
        base_model=base_model,
        base_digest=base_digest,
        shape=setting.shape,
        plan=setting.plan,
        spec=setting.spec,
        speech=speech,
        bytes_of={
            "original": sum(p.stat().st_size for pattern in WEIGHT_PATTERNS for p in setting.base_folder.glob(pattern)),
            "compressed": sum(
                path.stat().st_size for name, path in model_files.items() if name.endswith(".safetensors")
            ),
        },
        blocks=blocks,
    )
    return write_report(report, out), report


def _input_name(kind: str, window: int) -> str:
    return f"{_INPUT}{kind}.{window:05d}"


def _report_window(progress: Progress, before: int, total: int, done: int, _windows: int) -> None:
    progress(before + done, total)


def _shards(name: str, calibrations: Sequence[dict[str, Path]]) -> list[dict[str, Tensor]]:
    return [load_file(files[f"{name}.safetensors"]) for files in calibrations]


def _moments(setting: Setting, shards: Sequence[dict[str, Tensor]]) -> dict[str, Tensor] | None:
    """Return the mixed moments of a block; None for the plain start, which looks at no speech."""
    speaker, general = (
        sum((Moments.from_tensors(tensors, kind) for tensors in shards), Moments()) for kind in ("speaker", "general")
    )
    if not speaker.sums:
        raise InvalidAudio(
            "the speech has nothing to train on: mark some clips train, or leave the split column out",
            code="no_training_speech",
        )
    return mix(speaker, general, setting.speaker_weight) if setting.spec.start == "whitened" else None


def _block_inputs(
    shards: Sequence[dict[str, Tensor]],
    calibrations: Sequence[dict[str, Path]],
    block: BlockId,
    where: torch.device,
    kind: str = "",
) -> list[BlockInput]:
    encoded: dict[str, Tensor] = {}
    if block.attention == "cross":
        for files in calibrations:
            with safe_open(files[ENCODED_FILE], framework="pt") as file:
                encoded |= {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a dict
    hidden = {name: x for tensors in shards for name, x in tensors.items() if name.startswith(_INPUT + kind)}
    return [
        BlockInput(hidden[name].float().to(where), encoded[name].float().to(where) if encoded else None)
        for name in sorted(hidden)
    ]

"""What each closed form loses: one part of every encoder layer cut, then whole plans, one change at a time."""

import copy
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import torch
from adaptwin_core.ml.stages.measured import mixed_moments, read_shards
from safetensors.torch import load_file
from torch import Tensor

from adaptwin_core.domain.shape import BlockId
from adaptwin_core.ml.model.adapter import count_params
from adaptwin_core.ml.model.loading import load_whisper
from adaptwin_core.ml.model.windows import pack
from adaptwin_core.ml.stages import blocks as recipe
from adaptwin_core.ml.stages.recipe import Setting
from bench.ablations import forms
from bench.ablations.refit import refit_sequentially
from bench.encoder_error import Heard, as_heard, encoder_error
from bench.frontier.baselines import measure_outputs
from bench.kitchen import Kitchen

SEEN_WINDOWS = 12  # of each kind of speech, for forms that need more than the product measures, and for the refit
ERROR_WINDOWS = 4  # held-out, of each kind
CUT_ALONE: dict[str, Any] = {"personal_steps": 0, "tune_steps": 0}
UNTUNED = CUT_ALONE | {"layer_steps": 0}


@dataclass
class Bench:
    """The original, what was seen of its layers, and the windows that errors are taken on."""

    kitchen: Kitchen
    original: Any
    seen: list[forms.Seen]
    seen_windows: list[Tensor]
    judged: dict[str, list[Heard]]

    @classmethod
    def open(cls, kitchen: Kitchen) -> "Bench":
        setting = kitchen.changed(**UNTUNED)
        original = load_whisper(setting.base_folder)
        featurizer = setting.featurizer()
        corpora = {"speaker": setting.speaker, "others": setting.general}
        seen_windows, judged = [], {}
        for kind, corpus in corpora.items():
            assert corpus is not None
            seen_windows += [featurizer.features([w.audio()]) for w in setting.windows(corpus)[:SEEN_WINDOWS]]
            held_out = pack(corpus, "test", seed=0)[:ERROR_WINDOWS]
            judged[kind] = as_heard(original, [featurizer.features([w.audio()]) for w in held_out])
        outputs = measure_outputs(original, seen_windows)
        seen = []
        for index in range(setting.shape.encoder_layers):
            block = BlockId(half="encoder", layer=index, attention="self")
            moments = mixed_moments(setting, read_shards(str(block), [kitchen.measured(setting)]), torch.device("cpu"))
            assert moments is not None
            mine = {name.partition(".")[2]: found for name, found in outputs.items() if name.startswith(f"{index}.")}
            order_F = load_file(kitchen.weighed(setting)[str(block)][recipe.ORDER_FILE])["order_F"]
            seen.append(forms.Seen(block, moments, mine, order_F))
        return cls(kitchen, original, seen, seen_windows, judged)

    def judge(self, model: Any) -> dict[str, Any]:
        """Return the error on both kinds of speech, the encoder's parameters and its seconds for a window of 30 s."""
        figures = {f"{kind}_error": round(encoder_error(model, w), 5) for kind, w in self.judged.items()}
        return figures | {"encoder_params": count_params(model, "encoder"), "window_s": _seconds(model, self.judged)}


def rows(bench: Bench) -> Iterator[dict[str, Any]]:
    """Yield every row: its group, the change, its figures."""
    yield {"group": "original", "change": "nothing cut", **bench.judge(bench.original)}
    for group, change, form in _parts(bench.kitchen.setting):
        model = copy.deepcopy(bench.original)
        with torch.no_grad():
            for layer, seen in zip(model.model.encoder.layers, bench.seen, strict=True):
                form(layer, seen)
        yield {"group": group, "change": change, **bench.judge(model)}
    yield from _plans(bench)


def _parts(setting: Setting) -> Iterator[tuple[str, str, forms.Form]]:
    shape = setting.shape
    size, width, neurons = shape.head_size("encoder"), shape.d_model, shape.encoder_ffn
    heads = shape.encoder_heads
    half, most = {"qk": size // 2, "vo": size // 2}, {"qk": 3 * size // 4, "vo": 3 * size // 4}
    of_attention: dict[float, list[dict[str, int]]] = {
        0.75: [{"heads": 3 * heads // 4}, {"qk": size // 2}, most],
        0.5: [{"heads": heads // 2}, {"qk": 3 * size // 8, "vo": 5 * size // 8}, half],
    }
    for share, choices in of_attention.items():
        for kept_sizes in choices:
            named = ", ".join(f"{part} {kept}" for part, kept in kept_sizes.items())
            yield f"attention, {share:.0%} of its parameters", f"{named} (ours)", forms.ours(**kept_sizes)
    for kept in (size // 2, 3 * size // 8):
        group = f"QK, {kept} of {size}"
        yield group, "twin (ours)", forms.ours(qk=kept)
        yield group, "twin, keys not centred", forms.keys_not_centred(kept)
        yield group, "twin, plain SVD", forms.plain(qk=kept)
        yield group, "one basis for all heads, heads not smaller", forms.shared_basis(kept)
        yield group, "twins of 3/4, then one basis", forms.shared_basis(kept, head=3 * size // 4)
    for kept in (3 * size // 4, 5 * size // 8):
        group = f"VO, {kept} of {size}"
        yield group, "twin, heads refitted together (ours)", forms.ours(vo=kept)
        yield group, "twin, each head alone", forms.twin_without_refit(kept)
        yield group, "twin, values before attention", forms.values_not_attended(kept)
        yield group, "twin, plain SVD", forms.plain(vo=kept)
        yield group, "value and output matrix alone", forms.value_and_output_alone(kept)
    for kept in (3 * neurons // 4, 9 * neurons // 16, 3 * neurons // 8):
        group = f"feed-forward, {kept / neurons:.0%} of its parameters"
        rank, pruned = _rank(kept, width, neurons), (kept + neurons) // 2
        thin = _rank(kept, width, pruned)
        yield group, "neurons, optimal brain surgeon (ours)", forms.ours(neurons=kept)
        yield group, "neurons of least energy dropped", forms.neurons_by_energy(kept)
        yield group, "whitened SVD of both matrices", forms.ours(fc1=rank, fc2=rank)
        yield group, "whitened SVD, not centred", forms.ff_not_centred(rank)
        yield group, "plain SVD of both matrices", forms.plain(fc1=rank, fc2=rank)
        yield group, "half of it neurons, then low rank", forms.ours(neurons=pruned, fc1=thin, fc2=thin)


def _rank(kept: int, width: int, neurons: int) -> int:
    """Return the rank at which both matrices, on `neurons`, hold the parameters of `kept` neurons."""
    return width * kept // (width + neurons)


def _plans(bench: Bench) -> Iterator[dict[str, Any]]:
    kitchen = bench.kitchen
    for cut in (0.2, 0.35, 0.45):
        group, spec = f"whole plan, encoder -{cut:.0%}", UNTUNED | {"encoder_cut": cut}
        changes: dict[str, dict[str, Any]] = {
            "measured (ours)": {},
            "measured, QK and VO equal": {"equal_heads": True},
            "same sizes, moments of others alone (λ 0)": {"speaker_weight": 0.0},
            "same sizes, moments of the speaker alone (λ 1)": {"speaker_weight": 1.0},
            "uniform low rank": {"plan": "uniform"},
            "uniform low rank, plain SVD": {"plan": "uniform", "start": "plain"},
            "first layers only": {"plan": "successive"},
        }
        for name, change in changes.items():
            yield {"group": group, "change": name, **bench.judge(kitchen.make(kitchen.changed(**spec | change)).model)}
        whole_heads = kitchen.changed(**spec)
        sensitivities = {
            name: [o for o in of_block if o.part != "heads"]
            for name, of_block in (whole_heads.sensitivities or {}).items()
        }
        made = kitchen.make(replace(whole_heads, sensitivities=sensitivities))
        yield {"group": group, "change": "measured, all heads kept", **bench.judge(made.model)}
        model = kitchen.make(kitchen.changed(**spec)).model
        refit_sequentially(model, bench.original, bench.seen_windows)
        yield {"group": group, "change": "measured, then refitted layer after layer", **bench.judge(model)}
        tuned = kitchen.make(kitchen.changed(**CUT_ALONE, encoder_cut=cut)).model
        yield {"group": group, "change": "measured, then layer-wise tuning", **bench.judge(tuned)}


def _seconds(model: Any, judged: dict[str, list[Heard]]) -> float:
    """Return the median seconds of the encoder for one window."""
    taken = []
    with torch.inference_mode():
        for window in [features for heard in judged.values() for features, _ in heard][:5]:
            began = time.perf_counter()
            model.model.encoder(window)
            taken.append(time.perf_counter() - began)
    return round(median(taken), 3)

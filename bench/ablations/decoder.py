"""What the decoder's feed-forward loses with fewer neurons, on speech that was measured and on other speech: a window
of 30 s has 1500 positions for the encoder to see and some 75 tokens for the decoder.

Shape letters: F neurons, D width, N positions.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from adaptwin_core.domain.shape import blocks_of
from adaptwin_core.ml.compression import neurons
from adaptwin_core.ml.compression.measurement import measuring
from adaptwin_core.ml.compression.moments import SHRINKAGE, BlockMoments, MomentSums, mix
from adaptwin_core.ml.model.adapter import block_modules, decode, layer_of
from adaptwin_core.ml.model.loading import load_whisper
from adaptwin_core.ml.model.windows import Window, pack
from adaptwin_core.ml.stages.recipe import Setting

SEEN_WINDOWS = (8, 24, 48)  # of each kind of speech
JUDGED_WINDOWS = 12  # of the speaker
KEPT = 0.7  # of the neurons
SHRINKAGES = (0.0, 0.01, SHRINKAGE, 0.2)


@torch.no_grad()
def rows(setting: Setting) -> Iterator[dict[str, Any]]:
    """Yield every row: windows of each kind, positions a neuron, shrinkage, and the mean error of all layers' outputs
    on measured and on other speech of the speaker.
    """
    assert setting.general is not None
    labelled = partial(pack, seed=0, labelled=True, num_tokens=setting.num_tokens)
    speaker, general = (labelled(corpus, "train") for corpus in (setting.speaker, setting.general))
    unseen = labelled(setting.speaker, "test")[:JUDGED_WINDOWS]
    listener = _Listener(setting)
    judged = {"unseen": listener.activations(unseen), "seen": listener.activations(speaker[: min(SEEN_WINDOWS)])}
    for num_windows in SEEN_WINDOWS:
        ours, others = (listener.moments(windows[:num_windows]) for windows in (speaker, general))
        for shrinkage in SHRINKAGES:
            lost = dict.fromkeys(judged, 0.0)
            for block in listener.blocks:
                means = mix(ours[block], others[block], setting.speaker_weight, shrinkage)
                for kind, error in _errors(listener.second(block), means, judged, block).items():
                    lost[kind] += error / len(listener.blocks)
            positions = ours[block].counts["f_FF"] + others[block].counts["f_FF"]
            yield {
                "windows": num_windows,
                "positions_a_neuron": round(positions / setting.shape.decoder_ffn, 2),
                "shrinkage": shrinkage,
                **{f"{kind}_error": round(error, 5) for kind, error in lost.items()},
            }


class _Listener:
    """The original model, and what its decoder's feed-forwards see."""

    def __init__(self, setting: Setting) -> None:
        self._model, self._featurizer = load_whisper(setting.base_folder), setting.featurizer()
        of_decoder = [block for block in blocks_of(setting.shape, "decoder") if block.has_ff]
        self._layers = {str(block): (block, layer_of(self._model, block)) for block in of_decoder}
        self.blocks = list(self._layers)

    def second(self, block: str) -> Any:
        """Return the second matrix of a block's feed-forward."""
        name, layer = self._layers[block]
        return block_modules(layer, name).ff_second

    def moments(self, windows: Sequence[Window]) -> dict[str, MomentSums]:
        with measuring(list(self._layers.values())) as moments:
            for window in windows:
                self._hear(window)
        return moments

    def activations(self, windows: Sequence[Window]) -> dict[str, Tensor]:
        """Return f_NF of every block."""
        found: dict[str, list[Tensor]] = {block: [] for block in self.blocks}
        handles = [
            self.second(block).register_forward_pre_hook(
                lambda _module, inputs, block=block: found[block].append(inputs[0].flatten(0, 1).double())
            )
            for block in self.blocks
        ]
        for window in windows:
            self._hear(window)
        for handle in handles:
            handle.remove()
        return {block: torch.cat(pieces) for block, pieces in found.items()}

    def _hear(self, window: Window) -> None:
        encoded_1SD = self._model.model.encoder(self._featurizer.features([window.audio()])).last_hidden_state
        decode(self._model, self._featurizer.labels(window.text or "")[:, :-1], encoded_1SD)


def _errors(second: Any, means: BlockMoments, judged: dict[str, dict[str, Tensor]], block: str) -> dict[str, float]:
    """Return the relative squared error of a feed-forward's output on each kind of speech."""
    weight_DF, bias_D = second.weight.double(), second.bias.double()
    assert means.neurons is not None
    covariance_FF = means.neurons.covariance
    order_F = neurons.rank(covariance_FF, weight_DF)
    cut = neurons.prune(covariance_FF, means.neurons.mean_N, weight_DF, bias_D, order_F, int(KEPT * len(order_F)))
    errors = {}
    for kind, activations in judged.items():
        said_ND = activations[block] @ weight_DF.mT
        lost_ND = said_ND + bias_D - activations[block][:, cut.kept_N] @ cut.weight_ON.mT - cut.bias_O
        errors[kind] = float(lost_ND.square().sum() / (said_ND - said_ND.mean(0)).square().sum())
    return errors

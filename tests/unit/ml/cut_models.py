"""A model with blocks cut, made in one process and without files."""

from adaptwin_core.domain.shape import BlockId
from adaptwin_core.ml.compression.factorization import factorize_block
from adaptwin_core.ml.model.adapter import layer_of
from adaptwin_core.ml.model.checkpoint import empty_model

# What the small random model is cut to, as options of a job: every kind of factor that there is.
SPECS = [
    {"encoder_cut": 0},  # nothing is cut
    {"plan": "uniform", "encoder_cut": 0.3, "decoder_cut": 0.3},  # thin feed-forward matrices
    {"ranks": {"qk": 3, "vo": 5, "neurons": 40}, "decoder_cut": 0.1},
    {"ranks": {"qk": 5}},
    {"ranks": {"heads": 3}},
    {"ranks": {"heads": 2, "qk": 5, "vo": 6}},
    {"ranks": {"vo": 2, "neurons": 64, "ff": 9}, "decoder_cut": 0.1},
]


def compress(model, plan, moments):
    """Return the model with every block of the plan cut."""
    small = empty_model(model, plan)
    state = model.state_dict()
    for name, ranks in plan.blocks.items():
        block = BlockId.parse(name)
        cut = factorize_block(layer_of(model, block), block, ranks, moments and moments[name])
        prefix = f"model.{block.half}.layers.{block.layer}."
        state = {k: v for k, v in state.items() if not (k.startswith(prefix) and k not in small.state_dict())}
        state |= {prefix + k: v for k, v in cut.state.items()}
    small.load_state_dict(state)
    return small.eval()

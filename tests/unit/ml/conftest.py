"""Small random Whispers, and speech-like inputs for them."""

import pytest
import torch
from transformers import WhisperConfig, WhisperForConditionalGeneration

from adaptwin_core.domain.shape import BlockId, blocks_of
from adaptwin_core.ml.compression.measurement import measuring
from adaptwin_core.ml.model.adapter import layer_of, shape_of

torch.set_num_threads(1)  # tiny matrices: a second thread only waits


def random_whisper(
    *, width: int = 32, heads: int = 4, layers: tuple[int, int] = (2, 2), mels: int = 8, frames: int = 60, seed: int = 0
) -> WhisperForConditionalGeneration:
    """Return a real Whisper class of small size whose random weights are large enough to make attention uneven."""
    torch.manual_seed(seed)
    config = WhisperConfig(
        d_model=width,
        encoder_layers=layers[0],
        decoder_layers=layers[1],
        encoder_attention_heads=heads,
        decoder_attention_heads=heads,
        encoder_ffn_dim=4 * width,
        decoder_ffn_dim=4 * width,
        vocab_size=96,
        num_mel_bins=mels,
        max_source_positions=frames // 2,
        max_target_positions=24,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=3,
        init_std=0.3,
        attn_implementation="sdpa",
    )
    model = WhisperForConditionalGeneration(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):  # born zero, which would hide every mistake with biases
                parameter.normal_(0, 0.5)
    return model


def run(model: WhisperForConditionalGeneration, *, num_windows: int = 6, seed: int = 1) -> torch.Tensor:
    """Return the logits of some windows of coloured noise, all of one batch."""
    generator = torch.Generator().manual_seed(seed)
    mels = model.config.num_mel_bins
    colour = torch.randn(mels, mels, generator=generator)
    features = (torch.randn(num_windows, 2 * model.config.max_source_positions, mels, generator=generator) @ colour).mT
    tokens = torch.randint(4, model.config.vocab_size, (num_windows, 12), generator=generator)
    with torch.no_grad():
        return model(input_features=features, decoder_input_ids=tokens).logits


def all_blocks(model: WhisperForConditionalGeneration) -> list[BlockId]:
    shape = shape_of(model.config)
    return [*blocks_of(shape, "encoder"), *blocks_of(shape, "decoder")]


@pytest.fixture(scope="session")
def model() -> WhisperForConditionalGeneration:
    return random_whisper()


@pytest.fixture(scope="session")
def moments(model):
    """Per-position moments of every block on the windows of `run`."""
    with measuring([(block, layer_of(model, block)) for block in all_blocks(model)]) as measured:
        run(model)
    return {name: sums.means() for name, sums in measured.items()}

"""The shapes of every published Whisper, and of those distilled from them."""

from adaptwin_core.domain.plan import ModelShape


def shape(width, heads, layers, decoder_layers=None, vocab=51865, mels=80):
    return ModelShape(
        d_model=width, encoder_layers=layers, decoder_layers=decoder_layers or layers,
        encoder_heads=heads, decoder_heads=heads, encoder_ffn=4 * width, decoder_ffn=4 * width,
        vocab_size=vocab, num_mel_bins=mels, max_source_positions=1500,
        max_target_positions=448,
    )  # fmt: skip


WHISPERS = {
    "tiny": shape(384, 6, 4),
    "base": shape(512, 8, 6),
    "small": shape(768, 12, 12),
    "medium": shape(1024, 16, 24),
    "large-v3": shape(1280, 20, 32, vocab=51866, mels=128),
    "turbo": shape(1280, 20, 32, 4, vocab=51866, mels=128),
    "distil-small.en": shape(768, 12, 12, 4, vocab=51864),
    "distil-medium.en": shape(1024, 16, 24, 2, vocab=51864),
    "distil-large-v3": shape(1280, 20, 32, 2, vocab=51866, mels=128),
}

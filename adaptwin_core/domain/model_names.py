"""What a finished model is, in a few words that tell it from the others of its job."""


def model_name(base_model: str, *, encoder_cut: float, decoder_cut: float, weights: str) -> str:
    """Return a name such as: whisper-base, encoder -35 %, int8.

    Args:
        encoder_cut: the share of the encoder's parameters that was removed, and decoder_cut: of the decoder's layers.
        weights: the format in which they are stored.
    """
    halves = {"encoder": encoder_cut, "decoder": decoder_cut}
    cuts = [f"{half} -{100 * cut:.0f} %" for half, cut in halves.items() if cut > 0]
    return ", ".join([base_model, *(cuts or ["nothing cut"]), weights])

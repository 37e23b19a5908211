import pytest

from adaptwin_core.domain.model_names import model_name


@pytest.mark.parametrize(
    ("encoder_cut", "decoder_cut", "name"),
    [
        (0.0, 0.0, "whisper-base, nothing cut, int8"),
        (0.352, 0.0, "whisper-base, encoder -35 %, int8"),
        (0.0, 0.2, "whisper-base, decoder -20 %, int8"),
        (0.5, 0.25, "whisper-base, encoder -50 %, decoder -25 %, int8"),
    ],
)
def test_a_name_tells_base_model_cuts_and_bits(encoder_cut: float, decoder_cut: float, name: str) -> None:
    assert model_name("whisper-base", encoder_cut=encoder_cut, decoder_cut=decoder_cut, weights="int8") == name

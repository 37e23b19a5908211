"""Long recordings are cut at pauses, and nothing is lost."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adaptwin_core.speech.sound.segment import pieces

S = 16_000


def cut(samples: npt.NDArray[np.int16], block: int = 10 * S) -> list[npt.NDArray[np.int16]]:
    return list(pieces(samples[i : i + block] for i in range(0, len(samples), block)))


def noise(seconds: float) -> npt.NDArray[np.int16]:
    return np.random.default_rng(0).integers(-9000, 9000, round(seconds * S)).astype(np.int16)


@pytest.mark.parametrize("seconds", [0.2, 5, 28, 29.9, 30])
def test_up_to_thirty_seconds_stay_whole(seconds: float) -> None:
    [piece] = cut(noise(seconds))
    assert len(piece) == round(seconds * S)


@settings(max_examples=30, deadline=None)
@given(st.integers(30 * S + 1, 200 * S), st.integers(S, 70 * S))
def test_pieces_are_the_recording_and_fit(num: int, block: int) -> None:
    samples = noise(num / S)
    found = cut(samples, block)
    assert np.array_equal(np.concatenate(found), samples)
    assert all(S <= len(piece) <= 28 * S for piece in found)


def test_cuts_fall_into_pauses() -> None:
    samples = noise(120)
    pauses_s = [18.0, 40.0, 61.0, 80.0, 100.0]
    for start_s in pauses_s:
        samples[round(start_s * S) : round((start_s + 0.4) * S)] //= 300
    ends_s = np.cumsum([len(piece) for piece in cut(samples)])[:-1] / S
    assert len(ends_s) >= 4
    for end_s in ends_s:
        assert any(start_s <= end_s <= start_s + 0.4 for start_s in pauses_s), end_s


def test_blocks_of_any_length_give_the_same_cuts() -> None:
    samples = noise(150)
    lengths = [[len(p) for p in cut(samples, block)] for block in (S // 3, 10 * S, 40 * S)]
    assert lengths[0] == lengths[1] == lengths[2]

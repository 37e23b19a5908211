import pytest

from adaptwin_core.domain.devices import DEVICES, Needs, needs_of
from adaptwin_core.domain.model_limits import NO_LIMITS, ModelLimits
from tests.published_whispers import shape

TINY_EN = shape(384, 6, 4, vocab=51864)

WHOLE = {"encoder_params": TINY_EN.encoder_params, "total_params": TINY_EN.total_params, "weights_bytes": 39_000_000}


def test_without_limits_nothing_is_limited():
    assert (NO_LIMITS.most_bytes, NO_LIMITS.most_ms, NO_LIMITS.are_any) == (None, None, False)
    assert NO_LIMITS.ms_of(Needs(1e9, 1e9), 123.0) == 123.0


def test_a_device_has_limits_and_a_given_one_takes_their_place():
    phone = ModelLimits(device="phone")
    assert (phone.most_bytes, phone.most_ms) == (DEVICES["phone"].max_bytes, DEVICES["phone"].max_ms)
    assert ModelLimits(device="phone", max_bytes=30_000_000).most_bytes == 30_000_000
    assert phone.ms_of(Needs(1e9, 1e9), 123.0) == DEVICES["phone"].ms(Needs(1e9, 1e9))


def test_the_estimate_is_near_what_was_measured_where_the_rates_come_from():
    needs = needs_of(TINY_EN, **WHOLE, margin_s=0.5)
    assert DEVICES["laptop"].speed * DEVICES["laptop"].ms(needs) == pytest.approx(79, rel=0.15)  # docs/latency.md


def test_a_whole_window_a_larger_model_and_a_slower_device_take_longer():
    fitted, whole = (needs_of(TINY_EN, **WHOLE, margin_s=margin) for margin in (0.5, None))
    assert DEVICES["phone"].ms(whole) > DEVICES["phone"].ms(fitted)
    larger = needs_of(TINY_EN, **(WHOLE | {"weights_bytes": 75_000_000}), margin_s=0.5)
    assert DEVICES["phone"].ms(larger) > DEVICES["phone"].ms(fitted)
    assert DEVICES["raspberry-pi-5"].ms(fitted) > DEVICES["server"].ms(fitted)

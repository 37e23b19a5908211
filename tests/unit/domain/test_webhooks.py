"""When an announcement that did not arrive is sent again."""

from adaptwin_core.domain.webhooks import PAUSES_S, TEST_EVENT, EventType, pause_s

HOUR_S = 3600


def test_an_event_is_tried_ten_times_over_three_days() -> None:
    pauses = [pause_s(EventType.JOB_SUCCEEDED, num_tries) for num_tries in range(1, 12)]
    assert pauses == [*PAUSES_S, None, None]
    assert pauses[:4] == [5, 300, 1800, 2 * HOUR_S]
    assert 72 * HOUR_S < sum(PAUSES_S) < 80 * HOUR_S


def test_a_test_is_tried_once() -> None:
    assert pause_s(TEST_EVENT, 1) is None

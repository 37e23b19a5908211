"""Which steps of training are kept, and how long those after a return are."""

import pytest
import torch

from adaptwin_core.ml.training.loop import RATE_DIVISOR, _Best, _take_smaller_steps
from adaptwin_core.ml.training.schedule import cosine_schedule


def test_only_a_check_worse_than_the_start_is_taken_back():
    weight = torch.nn.Parameter(torch.zeros(1))
    best = _Best([weight])
    goes_on = {}
    for loss in (1.0, 0.5, 0.7, 1.2):
        torch.nn.init.constant_(weight, loss)
        goes_on[loss] = best.judge(len(goes_on), loss)
    assert (goes_on[0.5], goes_on[0.7], goes_on[1.2]) == (True, True, False)
    best.restore()
    assert weight.item() == 0.5


def test_the_step_after_one_taken_back_is_a_smaller_one():
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.AdamW([weight], lr=0.9)
    schedule = cosine_schedule(optimizer, 100)
    for _ in range(30):
        weight.grad = torch.ones(1)
        optimizer.step()
        schedule.step()
    rate = optimizer.param_groups[0]["lr"]
    _take_smaller_steps(optimizer, schedule)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(rate / RATE_DIVISOR)
    assert not optimizer.state
    schedule.step()
    assert optimizer.param_groups[0]["lr"] == pytest.approx(rate / RATE_DIVISOR, rel=0.05)

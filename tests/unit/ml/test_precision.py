"""Products in bfloat16 where the hardware has them: what is trained stays float32, and learns as well."""

import pytest
import torch
from torch import nn

from adaptwin_core.ml.model import precision
from adaptwin_core.ml.model.precision import quick_products
from tests.unit.ml.tuning import three_windows, tune

CPU = torch.device("cpu")


@pytest.fixture
def pretend(monkeypatch):
    def make_for_bfloat16(is_made: bool) -> None:
        monkeypatch.setattr(precision, "multiplies_bfloat16", lambda _where: is_made)

    return make_for_bfloat16


@pytest.mark.parametrize(("is_made", "expected"), [(True, torch.bfloat16), (False, torch.float32)])
def test_a_device_multiplies_in_what_it_is_made_for(pretend, is_made, expected):
    pretend(is_made)
    linear = nn.Linear(4, 4)
    with quick_products(CPU):
        product = linear(torch.ones(1, 4))
    assert product.dtype == expected
    product.float().sum().backward()
    assert linear.weight.dtype == linear.weight.grad.dtype == torch.float32


@pytest.mark.parametrize("method", ["factors", "adapters"])
def test_tuning_learns_the_same_in_either(pretend, method):
    ends = []
    for is_made in (True, False):
        pretend(is_made)
        tuned, losses = tune(three_windows(), tune_method=method)
        assert {tensor.dtype for tensor in tuned.model.state_dict().values()} == {torch.float32}
        ends.append(sum(losses[-5:]))
    assert ends[0] != ends[1]
    assert ends[0] == pytest.approx(ends[1], rel=0.05)

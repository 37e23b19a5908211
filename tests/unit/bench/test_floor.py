"""Floors count what is multiplied, attention on a processor too."""

import torch

from bench.floor import count_flops, fastest_rate


def test_products_are_counted_forward_and_back():
    a, b = torch.randn(8, 16), torch.randn(16, 4, requires_grad=True)
    assert count_flops(lambda: a @ b) == 2 * 8 * 16 * 4
    assert count_flops(lambda: (a @ b).sum().backward()) == 2 * (2 * 8 * 16 * 4)  # a takes no gradient


def test_attention_on_a_processor_is_counted():
    q, k, v = (torch.randn(1, 2, 32, 8, requires_grad=True) for _ in range(3))
    attend = torch.nn.functional.scaled_dot_product_attention
    forward = 2 * (2 * 2 * 32 * 32 * 8)  # scores and their sum over values
    assert count_flops(lambda: attend(q, k, v)) == forward
    assert count_flops(lambda: attend(q, k, v).sum().backward()) > 2 * forward


def test_a_rate_is_that_of_real_hardware():
    assert 1e8 < fastest_rate(torch.device("cpu")) < 1e14

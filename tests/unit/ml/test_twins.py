"""The maths against closed-form truths: Eckart-Young, least squares, direct evaluation of predicted errors."""

import pytest
import torch

from adaptwin_core.ml.compression import twins

HEADS, SIZE, WIDTH = 3, 6, 20


@pytest.fixture
def rng():
    return torch.Generator().manual_seed(0)


def gram(rng, *shape, decay=1.0):
    root = torch.randn(*shape, generator=rng, dtype=torch.float64) * torch.linspace(1, 0.01, shape[-1]) ** decay
    return root.mT @ root / shape[-2]


def twin_error(cut, left, right):
    """E(qᵀk - q̂ᵀk̂)² / E(qᵀk)² of all heads, straight from the moments: tr(Eᵀ L E R) / tr(L R) with E = I - A Bᵀ."""
    lost = torch.eye(SIZE, dtype=torch.float64) - cut.left_HKR @ cut.right_HKR.mT
    return float(torch.einsum("hji,hjk,hkl,hli->", lost, left, lost, right) / torch.einsum("hij,hji->", left, right))


@pytest.mark.parametrize("rank", [1, 3, 5, 6])
def test_cut_twin_attains_the_error_it_predicts(rng, rank):
    left, right = gram(rng, HEADS, 50, SIZE), gram(rng, HEADS, 50, SIZE)
    cut = twins.cut_twin(left, right, rank)
    assert twin_error(cut, left, right) == pytest.approx(cut.error, rel=1e-6, abs=1e-12)


def test_whitened_cut_is_never_worse_than_the_plain_one_on_the_speech(rng):
    for rank in range(1, SIZE + 1):
        left, right = gram(rng, HEADS, 50, SIZE, decay=2), gram(rng, HEADS, 50, SIZE, decay=2)
        weights_left, weights_right = gram(rng, HEADS, 50, SIZE), gram(rng, HEADS, 50, SIZE)
        whitened = twin_error(twins.cut_twin(left, right, rank), left, right)
        plain = twin_error(twins.cut_twin(weights_left, weights_right, rank), left, right)
        assert whitened <= plain + 1e-12


def test_the_head_space_cut_equals_the_whitened_svd_of_the_whole_product(rng):
    """C^½ W_leftᵀ W_right C'^½ in D x D, truncated, is what the K x K computation must give (Eckart-Young)."""
    w_left, w_right = (torch.randn(SIZE, WIDTH, generator=rng, dtype=torch.float64) for _ in range(2))
    c_left, c_right = gram(rng, 80, WIDTH), gram(rng, 80, WIDTH)
    rank = 3
    cut = twins.cut_twin((w_left @ c_left @ w_left.mT)[None], (w_right @ c_right @ w_right.mT)[None], rank)
    ours = (cut.left_HKR[0].mT @ w_left).mT @ (cut.right_HKR[0].mT @ w_right)

    def root(c):
        energy, axes = torch.linalg.eigh(c)
        return (axes * energy.clamp_min(1e-14).sqrt()) @ axes.mT

    u, s, vt = torch.linalg.svd(root(c_left) @ w_left.mT @ w_right @ root(c_right))
    best = torch.linalg.solve(root(c_left), (u[:, :rank] * s[:rank]) @ vt[:rank]) @ torch.linalg.inv(root(c_right))
    lost_ours = root(c_left) @ (w_left.mT @ w_right - ours) @ root(c_right)
    lost_best = root(c_left) @ (w_left.mT @ w_right - best) @ root(c_right)
    assert lost_ours.norm().item() == pytest.approx(lost_best.norm().item(), rel=1e-5)
    assert cut.error == pytest.approx((s[rank:].square().sum() / s.square().sum()).item(), rel=1e-6)


def test_full_rank_is_the_identity(rng):
    cut = twins.cut_twin(gram(rng, HEADS, 50, SIZE), gram(rng, HEADS, 50, SIZE), SIZE)
    torch.testing.assert_close(
        cut.left_HKR @ cut.right_HKR.mT, torch.eye(SIZE, dtype=torch.float64).expand(HEADS, -1, -1)
    )


def test_balance_keeps_the_product_and_equalises_the_factors(rng):
    left, right = (torch.randn(HEADS, 4, WIDTH, generator=rng, dtype=torch.float64) for _ in range(2))
    left = left * torch.tensor([1e4, 1.0, 1e-4, 1e-6], dtype=torch.float64)[:, None]
    new_left, new_right = twins.balance(left, right)
    torch.testing.assert_close(new_left.mT @ new_right, left.mT @ right)
    torch.testing.assert_close(new_left @ new_left.mT, new_right @ new_right.mT)


@pytest.mark.parametrize(("outputs", "inputs"), [(12, 8), (8, 12)])
def test_cut_linear_attains_the_best_possible_error(rng, outputs, inputs):
    weight, bias = torch.randn(outputs, inputs, generator=rng), torch.randn(outputs, generator=rng)
    x = torch.randn(4000, inputs, generator=rng, dtype=torch.float64) @ gram(rng, 50, inputs) + 2.0
    mean, covariance = x.mean(0), torch.cov(x.T, correction=0)
    rank = 3
    y = x @ weight.double().T + bias
    for cut in (
        twins.cut_linear(weight, bias, covariance, mean, rank),
        twins.cut_linear_by_outputs(weight, bias, torch.cov(y.T, correction=0), mean, rank),
    ):
        ours = (x @ cut.down_RI.mT) @ cut.up_OR.mT + cut.bias_O
        centred = y - y.mean(0)
        attained = (y - ours).square().sum() / centred.square().sum()
        sigma = torch.linalg.svdvals(centred)
        assert attained.item() == pytest.approx(cut.error, rel=1e-6)
        assert attained.item() == pytest.approx((sigma[rank:].square().sum() / sigma.square().sum()).item(), rel=1e-6)


def test_full_rank_linear_is_exact(rng):
    weight, bias = torch.randn(12, 8, generator=rng), torch.randn(12, generator=rng)
    cut = twins.cut_linear(weight, bias, gram(rng, 50, 8), torch.randn(8, generator=rng), 8)
    torch.testing.assert_close(cut.up_OR @ cut.down_RI, weight.double())
    torch.testing.assert_close(cut.bias_O, bias.double())


def test_refit_is_least_squares(rng):
    z = torch.randn(500, 10, generator=rng, dtype=torch.float64) @ gram(rng, 50, 10)
    kept, weight = (
        torch.randn(10, 4, generator=rng, dtype=torch.float64),
        torch.randn(6, 10, generator=rng, dtype=torch.float64),
    )
    ours = twins.refit(z.mT @ z, kept, weight)
    truth = torch.linalg.lstsq(z @ kept, z @ weight.mT).solution.mT
    torch.testing.assert_close(ours, truth, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("rank", [0, SIZE + 1])
def test_a_rank_outside_the_head_is_refused(rng, rank):
    with pytest.raises(ValueError, match="rank"):
        twins.cut_twin(gram(rng, HEADS, 50, SIZE), gram(rng, HEADS, 50, SIZE), rank)

"""Formulas on dense matrices and over all permutations; where both sides of Eq. (7) are known."""

from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core import explicit

from sgdescape import decoupling
from sgdescape.core.networks import models
from sgdescape.core.spectra import products
from sgdescape.core.training.sgd import square_loss


def rng(seed=0):
    return np.random.Generator(np.random.Philox(key=seed))


def dense(n=12, seed=0):
    """Losses, output gradients F (n, P) and both P x P matrices of a small network."""
    model = models.mlp((6, 5, 1), seed=seed, dtype=torch.float64)
    inputs = torch.from_numpy(rng(seed).standard_normal((n, 6)))
    losses = square_loss(model(inputs), torch.ones(n, dtype=torch.float64)).detach()
    slopes = explicit.output_jacobian(model, inputs)[:, 0].numpy()
    loss = losses.numpy()
    exact = (slopes * loss[:, None]).T @ slopes / n
    return loss, slopes, exact, loss.mean() * slopes.T @ slopes / n


def test_gram_matrix_has_the_spectrum_of_both_dense_matrices():
    loss, slopes, exact, decoupled = dense()
    pair = products.noise_spectra(torch.from_numpy(slopes @ slopes.T), torch.from_numpy(loss))
    np.testing.assert_allclose(pair.exact, np.linalg.eigvalsh(exact)[::-1][:12], atol=1e-13)
    np.testing.assert_allclose(pair.decoupled, np.linalg.eigvalsh(decoupled)[::-1][:12], atol=1e-13)


def test_trace_ratio_is_that_of_the_dense_matrices():
    loss, slopes, exact, decoupled = dense()
    expected = np.trace(exact) / np.trace(decoupled)
    assert decoupling.trace_ratio(loss, np.sum(slopes**2, axis=1)) == pytest.approx(expected)


def test_determinant_identity():
    loss, slopes, exact, decoupled = dense()
    values = [np.linalg.eigvalsh(m)[::-1][:12] for m in (exact, decoupled)]
    assert np.mean(np.log(values[0] / values[1])) == pytest.approx(decoupling.mean_log_ratio(loss))


def test_direction_ratio_is_the_rayleigh_quotient():
    loss, slopes, exact, _ = dense()
    curvature, vectors = np.linalg.eigh(slopes.T @ slopes / 12)
    vectors, curvature = vectors[:, ::-1][:, :5], curvature[::-1][:5]
    weights = np.linalg.eigh(slopes @ slopes.T)[1].T[::-1][:5] ** 2
    expected = np.einsum("pk,pq,qk->k", vectors, exact, vectors) / (loss.mean() * curvature)
    np.testing.assert_allclose(decoupling.direction_ratio(loss, weights), expected, rtol=1e-9)


def test_null_means_and_deviations_over_all_permutations():
    loss, slopes, _, _ = dense(6)
    norms = np.sum(slopes**2, axis=1)
    weights = np.linalg.eigh(slopes @ slopes.T)[1].T[::-1][:3] ** 2
    orders = [list(order) for order in permutations(range(6))]
    traces = np.array([decoupling.trace_ratio(loss[order], norms) for order in orders])
    ratios = np.array([decoupling.direction_ratio(loss[order], weights) for order in orders])
    assert traces.mean() == pytest.approx(1)
    assert traces.std() == pytest.approx(decoupling.trace_error(loss, norms))
    np.testing.assert_allclose(ratios.mean(0), 1, rtol=1e-12)
    np.testing.assert_allclose(ratios.std(0), decoupling.direction_error(loss, weights), rtol=1e-10)


def test_equal_losses_are_decoupled():
    loss, norms = np.full(9, 0.3), rng().random(9)
    assert decoupling.trace_ratio(loss, norms) == 1
    assert decoupling.trace_error(loss, norms) == pytest.approx(0)
    assert decoupling.mean_log_ratio(loss) == pytest.approx(0)
    np.testing.assert_allclose(decoupling.scale_shift(loss, decoupling.FRACTIONS), 1, rtol=1e-12)


@settings(max_examples=40, deadline=None)
@given(
    losses=st.lists(st.floats(1e-6, 1e3), min_size=2, max_size=30),
    scale=st.floats(1e-3, 1e3),
    fraction=st.floats(0.02, 0.95),
)
def test_scale_shift_is_at_least_one_and_knows_no_unit(losses, scale, fraction):
    losses = np.array(losses)
    shift = decoupling.scale_shift(losses, fraction)
    assert shift >= 1 - 1e-9
    assert decoupling.scale_shift(scale * losses, fraction) == pytest.approx(shift, rel=1e-9)
    assert decoupling.scale_shift(losses[::-1], fraction) == pytest.approx(shift, rel=1e-9)
    assert decoupling.mean_log_ratio(losses) <= 1e-12


def test_scale_shift_closed_form_and_small_dimension():
    losses, d = np.repeat([5.0, 0.0], [20, 80]), np.array([0.01, 0.05, 0.1, 0.19])
    np.testing.assert_allclose(
        decoupling.scale_shift(losses, d), 0.2 * (1 - d) / (0.2 - d), rtol=1e-9
    )
    losses = rng(1).exponential(size=1000)
    spread = losses.var() / losses.mean() ** 2
    slope = (decoupling.scale_shift(losses, 1e-4) - 1) / 1e-4
    assert slope == pytest.approx(spread, rel=1e-2)


def test_scale_shift_of_free_matrices():
    # Gaussian samples are invariant under rotations: here the assumption holds, N -> infinity.
    n = 600
    slopes, losses = rng(2).standard_normal((n, 900)), rng(3).exponential(size=n)
    gram = torch.from_numpy(slopes @ slopes.T)
    pair = products.noise_spectra(gram, torch.from_numpy(losses))
    d = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
    measured = decoupling.scale_of(pair.exact, d) / decoupling.scale_of(pair.decoupled, d)
    predicted = decoupling.scale_shift(losses, d)
    np.testing.assert_allclose(np.log(measured), np.log(predicted), rtol=0.01)
    assert np.all(np.abs(np.log(measured)) > 5 * np.abs(np.log(measured / predicted)))


NAN, INF = float("nan"), float("inf")
BAD = {
    "zero loss": (lambda: decoupling.mean_log_ratio([0.0, 1.0]), "losses must be positive: got 0"),
    "NaN loss": (lambda: decoupling.trace_ratio([NAN, 1.0], [1.0, 1.0]), "losses must be fini"),
    "negative norm": (lambda: decoupling.trace_ratio([1.0, 1.0], [1.0, -1.0]), "norms must be at"),
    "no loss": (lambda: decoupling.trace_ratio([0.0, 0.0], [1.0, 1.0]), "mean of losses"),
    "unpaired": (lambda: decoupling.trace_ratio([1.0, 2.0], [1.0]), r"paired: got \(2,\), \(1,\)"),
    "one sample": (lambda: decoupling.trace_error([1.0], [1.0]), "at least 2 samples: got 1"),
    "infinite norm": (lambda: decoupling.trace_error([1.0, 2.0], [1.0, INF]), "norms must be fin"),
    "weights": (lambda: decoupling.direction_error([1.0, 2.0], [0.5, 0.5]), r"\(directions, 2\)"),
    "negative weight": (
        lambda: decoupling.direction_error([1.0, 2.0], [[-0.5, 1.5]]),
        "weights must be at least 0: got -0.5",
    ),
    "negative loss": (lambda: decoupling.scale_shift([-1.0, 2.0], 0.3), "losses must be at least"),
    "fraction": (lambda: decoupling.scale_shift([1.0, 2.0], 1.5), r"\(0, 1\): got 1.5"),
    "NaN fraction": (lambda: decoupling.scale_shift([1.0, 2.0], NAN), "fraction must be finite"),
}


@pytest.mark.parametrize("name", BAD)
def test_refuses(name):
    call, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        call()

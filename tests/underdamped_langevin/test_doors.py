"""Every public formula of chapter `underdamped_langevin` refuses what it is not for, by name."""

import numpy as np
import pytest

import sgdescape.underdamped_langevin as ul

PACE = {"learning_rate": 0.1, "momentum": 0.5}
SIZE = {**PACE, "batch_size": 4}
DECAY = {"weight_decay": 0.1}
X = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
MATRIX = np.diag([1.0, 2.0])
CALLS = {
    "angular_frequency": {"curvature": 1.0, **PACE, **DECAY},
    "autocorrelation": {"steps": 3, "curvature": 1.0, **PACE, **DECAY},
    "common_factor": {"curvature": 1.0, **PACE, **DECAY},
    "continuous_response": {"times": 1.0, "damping": 0.5, "square_frequency": 2.0},
    "covariance": {"steps": 3, "curvature": 1.0, "noise": 1.0, **SIZE, **DECAY},
    "critical_curvature": PACE,
    "critical_momentum": {"curvature": 1.0, "learning_rate": 0.1, **DECAY},
    "damping_rate": PACE,
    "damping_ratio": {"curvature": 1.0, **PACE, **DECAY},
    "diffusion_matrix": {"noise_covariance": MATRIX, **PACE},
    "drift_matrix": {"hessian": MATRIX, **PACE, **DECAY},
    "effective_directions": {"variances": [1.0, 2.0]},
    "impulse_response": {"length": 3, "curvature": 1.0, **PACE, **DECAY},
    "kick_energy": {"steps": 3, "rate": 0.1, "momentum": 0.5},
    "langevin_coefficients": SIZE,
    "mean": {"steps": 3, "curvature": 1.0, "start": 1.0, "start_velocity": 0.0, **PACE, **DECAY},
    "mean_frequency": {"correlation": [1.0, 0.5, 0.25]},
    "noise_covariance_at": {"inputs": X, "residuals": np.ones(4), "position": np.ones(2)},
    "oscillating_band": PACE,
    "path_errors": {"learning_rates": [0.1], "momentum": 0.5, "time": 1.0, "start": 1.0},
    "propagator": {"time": 0.3, "curvature": 1.0, **PACE, **DECAY},
    "regression_covariance": {"inputs": X, "residuals": np.ones(4), **SIZE, **DECAY},
    "response": {"steps": 3, "rate": 0.1, "momentum": 0.5},
    "square_step": {"curvature": [1.0], "noise": [1.0], **SIZE, **DECAY},
    "stationary_covariance": {"curvature": 1.0, "noise": 1.0, **SIZE, **DECAY},
    "update_matrix": {"hessian": MATRIX, **PACE, **DECAY},
    "velocity_autocorrelation": {"steps": 3, "curvature": 1.0, **PACE, **DECAY},
}
NOT_NUMBERS = [float("nan"), float("inf"), "text", 1j, True, None]
RANGES = {
    "learning_rate": [0.0, -0.1],
    "learning_rates": [[0.0], [-0.1]],
    "momentum": [-0.1, 1.0, 1.5],
    "weight_decay": [-0.1],
    "batch_size": [0, -1, 1.5],
    "curvature": [-1.0],
    "noise": [-1.0],
    "steps": [-1, 1.5],
    "length": [0, -1, 1.5],
    "time": [-1.0],
    "times": [-1.0],
    "damping": [0.0, -1.0],
    "square_frequency": [-1.0],
    "rate": [-0.1],
    "variances": [[-1.0, 2.0], [0.0, 0.0]],
}
CASES = [
    (name, argument, value)
    for name, valid in CALLS.items()
    for argument in valid
    for value in [*NOT_NUMBERS, *RANGES.get(argument, [])]
]


def test_every_formula_is_in_the_table():
    functions = {name for name in ul.__all__ if callable(getattr(ul, name))}
    assert functions - {"Config", "predict", "run", "summary"} == set(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_what_is_allowed_gives_numbers(name):
    found = getattr(ul, name)(**CALLS[name])
    assert all(np.isfinite(part).all() for part in (found if isinstance(found, tuple) else [found]))


@pytest.mark.parametrize(("name", "argument", "value"), CASES)
def test_what_is_not_allowed_is_refused_by_name(name, argument, value):
    with pytest.raises((ValueError, TypeError), match=rf"\b{argument}\b"):
        getattr(ul, name)(**(CALLS[name] | {argument: value}))


def test_an_update_is_that_of_the_optimiser():
    import torch

    hessian, at = np.array([[2.0, 0.3], [0.3, 0.5]]), {**PACE, **DECAY}
    step = ul.update_matrix(hessian, **at)
    theta = torch.tensor([1.0, -2.0], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.SGD([theta], lr=0.1, momentum=0.5, weight_decay=0.1)
    state = np.array([1.0, -2.0, 0.0, 0.0])
    for _ in range(7):
        before = theta.detach().numpy().copy()
        optimiser.zero_grad()
        (theta @ torch.tensor(hessian) @ theta / 2).backward()
        optimiser.step()
        state = step @ state
        now = theta.detach().numpy()
        np.testing.assert_allclose(state, [*now, *(now - before) / 0.1], rtol=1e-12)

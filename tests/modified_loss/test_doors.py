"""Every public formula of chapter `modified_loss` refuses what it is not for, by name."""

import numpy as np
import pytest

import sgdescape.modified_loss as ml

PACE = {"learning_rate": 0.1, "momentum": 0.5}
DECAY = {"weight_decay": 0.1}
RHO, NOISE = np.array([1.0, 2.0]), np.array([[1.0, 0.5], [0.5, 2.0]])
MODES = {"curvature": RHO, "noise": NOISE, **PACE, "batch_size": 4, **DECAY}
PARTS = ml.decompose(np.diag([1.0, 2.0]), NOISE)
PAIR = {"drift": np.diag([1.0, 2.0]), "diffusion": NOISE}
CALLS = {
    "areal_rate": {"square_step": 1.0, "curvature": 1.0, **PACE, **DECAY},
    "areal_rates": {"parts": PARTS, "temperature": 1.0},
    "circulation": MODES,
    "covariance": MODES,
    "current_strength": {"curvature": RHO, **PACE, **DECAY},
    "decay_factor": {"curvature": 1.0, **DECAY},
    "decompose": PAIR,
    "discrete_covariance": MODES,
    "eigenbasis_circulation": PAIR,
    "entropy_by_lyapunov": MODES,
    "entropy_by_spectrum": MODES,
    "entropy_production": MODES,
    "entropy_rate": {"parts": PARTS},
    "equipartition_curvature": {"square_step": 1.0, "variance": 1.0, **PACE},
    "excess_loss": {"square_step": 1.0, **PACE},
    "gibbs_kurtosis": {"curvatures": RHO},
    "gibbs_share": {"curvatures": RHO, "bound": 1.0},
    "half_step": {"full": ml.covariance(**MODES), "learning_rate": 0.1},
    "midpoint_variance": {"curvature": 1.0, "noise": 1.0, **PACE, "batch_size": 4, **DECAY},
    "modified_loss": {"displacement": RHO, "parts": PARTS},
    "phase_loss": {"position": RHO, "velocity": RHO, "curvature": RHO, **PACE, **DECAY},
    "probability_velocity": {"displacement": RHO, "parts": PARTS},
    "process": MODES,
    "shape": PAIR,
    "shape_by_kronecker": PAIR,
    "shuffled_equipartition": {"curvature": 1.0, **PACE, "steps_per_epoch": 10},
    "time_asymmetry": {"curvature": 1.0, **PACE, "batch_size": 4},
}
OBJECTS = {"parts", "full"}
NOT_NUMBERS = [float("nan"), float("inf"), "text", 1j, True, None]
RANGES = {
    "learning_rate": [0.0, -0.1],
    "momentum": [-0.1, 1.0, 1.5],
    "weight_decay": [-0.1],
    "batch_size": [0, -1, 1.5],
    "curvature": [-1.0],
    "curvatures": [[-1.0, 2.0]],
    "noise": [-1.0],
    "square_step": [-1.0],
    "variance": [-1.0, 0.0],
    "temperature": [0.0, -1.0],
    "bound": [0.0, -1.0],
    "steps_per_epoch": [1, 1.5],
}
CASES = [
    (name, argument, value)
    for name, valid in CALLS.items()
    for argument in valid
    if argument not in OBJECTS
    for value in [*NOT_NUMBERS, *RANGES.get(argument, [])]
]


def test_every_formula_is_in_the_table():
    functions = {name for name in ml.__all__ if callable(getattr(ml, name))}
    others = {"Config", "Covariance", "Decomposition", "predict", "run", "summary"}
    others |= {"single_mode_identities", "pair_identities"}  # without arguments
    assert functions - others == set(CALLS)


@pytest.mark.parametrize("name", CALLS)
def test_what_is_allowed_gives_an_answer(name):
    assert getattr(ml, name)(**CALLS[name]) is not None


@pytest.mark.parametrize(("name", "argument", "value"), CASES)
def test_what_is_not_allowed_is_refused_by_name(name, argument, value):
    with pytest.raises((ValueError, TypeError), match=rf"\b{argument}\b"):
        getattr(ml, name)(**(CALLS[name] | {argument: value}))

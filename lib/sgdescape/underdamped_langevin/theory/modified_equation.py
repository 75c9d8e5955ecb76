"""How well differential equations follow the steps of SGD with momentum, without noise."""

import numpy as np
from scipy import integrate

from sgdescape.core import validate
from sgdescape.core.doors import door

MODELS = ("flow", "start", "half_step")


@door
def path_errors(learning_rates, *, momentum, time=2.0, start=1.0) -> np.ndarray:
    """Return the errors of three differential equations at a fixed time, Eq. (phase-langevin).

    On the loss theta^2 / 2 + theta^4 / 4, from rest (b_0 = 0). "flow": (1 - beta) theta' = -g, no
    mass. "start": with the mass eta (1 + beta) / 2, from (theta_0, 0) at t = 0. "half_step": the
    same from (theta_0, 0) at t = -eta / 2, Eq. (phase-half-step), because v_k is a backward
    difference.

    Args:
        learning_rates: eta > 0 (n,); ``time`` must be a whole number of steps of each.
        momentum: beta in [0, 1): one number, or one for each learning rate.
        time: t = eta k > 0 at which they are compared.
        start: theta_0 in [-1000, 1000].

    Returns:
        |theta(t) - theta_k| (n, 3).

    Raises:
        ValueError: if ``time`` is not a whole number of steps.
    """
    eta = validate.each_positive("learning_rates", learning_rates)
    eta, beta = np.broadcast_arrays(eta, validate.within("momentum", momentum, low=0, high=1))
    time, start = validate.positive("time", time), validate.between("start", start, -1e3, 1e3)
    steps = np.round(time / eta).astype(int)
    if np.abs(steps * eta - time).max() > 1e-9 * time:
        raise ValueError(f"time must be a whole number of steps: got {time} / {eta.tolist()}")
    return np.array(
        [
            np.abs(_models(e, b, k, start) - _iterate(e, b, k, start))
            for e, b, k in zip(eta.ravel(), beta.ravel(), steps.ravel(), strict=True)
        ]
    )


def _gradient(theta):
    return theta + theta**3


def _iterate(eta, beta, steps, theta):
    """theta_k of Eqs. (phase-heavy-ball), (phase-second-order)."""
    buffer = 0.0
    for _ in range(steps):
        buffer = beta * buffer + _gradient(theta)
        theta -= eta * buffer
    return theta


def _models(eta, beta, steps, start):
    mass, friction = eta * (1 + beta) / 2, 1 - beta

    def heavy(_, z):
        return [z[1], -(friction * z[1] + _gradient(z[0])) / mass]

    def at_end(model, first, state):
        options = {"method": "DOP853", "rtol": 1e-10, "atol": 1e-13}
        return integrate.solve_ivp(model, (first, eta * steps), state, **options).y[0, -1]

    return np.array(
        [
            at_end(lambda _, x: -_gradient(x) / friction, 0.0, [start]),
            at_end(heavy, 0.0, [start, 0.0]),
            at_end(heavy, -eta / 2, [start, 0.0]),
        ]
    )

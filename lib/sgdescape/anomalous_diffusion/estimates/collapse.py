"""Do exponents of many settings fall on one curve, and which variable makes them?"""

import numpy as np

from sgdescape.anomalous_diffusion.theory.fixed_start import epoch_time
from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.stats.intervals import LEVEL, Interval

DEGREE = 4
"""Of the polynomial in the logarithm of the variable."""


@door
def variables(data):
    """Return the candidates of one variable behind all exponents, name -> (runs,).

    Args:
        data: with learning_rate, batch_size, momentum (runs,) and samples.
    """
    eta, size, beta = data.learning_rate, data.batch_size, data.momentum
    return {
        "eta N / (S (1 - beta))": epoch_time(
            learning_rate=eta, batch_size=size, momentum=beta, samples=data.samples
        ),
        "eta / (1 - beta)": eta / (1 - beta),
        "eta / S": eta / size,
        "gamma": (1 - beta) / (eta * (1 + beta)),
        "eta": eta + 0 * beta,
    }


@door
def explained(variable, exponents, *, degree=DEGREE, groups=None):
    """Return the share of the exponents' variance that a curve in ln(variable) predicts.

    Cross-validated: each group of runs is predicted from the others, so that a flexible curve
    gets no credit for following its own noise. Curves are not extrapolated: a left-out run
    outside the others' range takes the value of the curve at its end.

    Args:
        variable: positive (runs,).
        exponents: (runs,).
        degree: of the polynomial.
        groups: labels (runs,); runs of one label are left out together. None: one by one.

    Returns:
        1 - prediction error/variance: 1 is perfect, 0 no better than the mean.
    """
    u = _scaled(np.log(validate.within("variable", variable, low=0, open_low=True)))
    y = validate.within("exponents", exponents)
    validate.count("degree", degree)
    labels = np.arange(y.size) if groups is None else np.asarray(groups)
    error = 0.0
    for label in np.unique(labels):
        out = labels == label
        degree_here = min(degree, np.unique(u[~out].round(9)).size - 1)
        fit = np.polynomial.Polynomial.fit(u[~out], y[~out], degree_here)
        inside = np.clip(u[out], u[~out].min(), u[~out].max())
        error += np.sum((fit(inside) - y[out]) ** 2)
    return 1 - error / np.sum((y - y.mean()) ** 2)


@door
def free_powers(data, *, degree=DEGREE, level=LEVEL, resamples=2000, seed=0):
    """Return p and q of the best variable eta S^-p (1 - beta)^-q, Eq. (free-powers).

    Least squares of a polynomial in the logarithm; intervals from runs drawn again with
    replacement (pairs), each fitted anew: value +- t x bootstrap standard error.

    Args:
        data: with learning_rate, batch_size, momentum, exponent (runs,).
        degree: of the polynomial.
        level: of the intervals.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Returns:
        Two intervals.
    """
    validate.count("degree", degree)
    validate.count("resamples", resamples, low=100)
    seed = validate.count("seed", seed, low=0)
    logs = np.stack(
        [np.log(data.learning_rate), -np.log(data.batch_size), -np.log1p(-data.momentum)]
    )
    logs = logs - logs.mean(axis=1, keepdims=True)
    y = validate.within("exponents", data.exponent)
    own = _gauss_newton(logs, y, np.ones((1, y.size)), degree)[0]
    random = np.random.Generator(np.random.Philox(key=seed))
    counts = random.multinomial(y.size, np.full(y.size, 1 / y.size), size=resamples)
    found = _gauss_newton(logs, y, counts, degree)
    found = found[np.isfinite(found).all(axis=1) & (np.abs(found - 1) < 5).all(axis=1)]
    half = _quantile(level, y.size - degree - 3) * found.std(axis=0, ddof=1)
    method = f"pairs bootstrap, {len(found)} of {resamples} resamples"
    return tuple(Interval(v, v - h, v + h, level, method) for v, h in zip(own, half, strict=True))


def _quantile(level, freedom):
    from scipy import stats

    return stats.t.isf((1 - level) / 2, freedom)


def _gauss_newton(logs, y, weights, degree, rounds=15):
    """Fit c = P(x0 + p x1 + q x2) for many weightings at once, from p = q = 1."""
    powers = np.ones((len(weights), 2))
    scale = np.std(logs.sum(axis=0))
    w = np.sqrt(weights)[:, :, None]
    for _ in range(rounds):
        u = (logs[0] + powers @ logs[1:]) / scale
        basis = u[:, :, None] ** np.arange(degree + 1)
        ridge = 1e-10 * np.eye(degree + 1)
        normal = np.swapaxes(w * basis, 1, 2) @ (w * basis) + ridge
        right = np.swapaxes(w * basis, 1, 2) @ (w[:, :, 0] * y)[:, :, None]
        curve = np.linalg.solve(normal, right)[:, :, 0]
        residual = y - np.einsum("brd,bd->br", basis, curve)
        slope = np.einsum("brd,bd->br", basis[:, :, :-1], curve[:, 1:] * np.arange(1, degree + 1))
        jacobian = np.concatenate([basis, slope[:, :, None] * logs[1:].T[None] / scale], axis=2)
        normal = np.swapaxes(w * jacobian, 1, 2) @ (w * jacobian) + 1e-9 * np.eye(degree + 3)
        right = np.swapaxes(w * jacobian, 1, 2) @ (w[:, :, 0] * residual)[:, :, None]
        change = np.linalg.solve(normal, right)[:, -2:, 0]
        powers = powers + np.clip(change, -0.3, 0.3)
    return powers


def _scaled(u):
    return (u - u.mean()) / u.std()

"""The noise of SGD: its covariance, exactly and as Mori et al. approximate it, Eqs. (1)-(11).

Chapter `noise_covariance`. Theory first (float64 NumPy, one function an equation), then the
configuration, `run` and the claims. The measurements and the figures live in the private package
`sgdescape._noise_covariance`; they import no theory, so a claim compares two separate routes.
"""

import time
from dataclasses import dataclass

import numpy as np
import xarray as xr

from sgdescape._noise_covariance import experiments, network
from sgdescape._noise_covariance.claims import *  # noqa: F403  (CLAIMS and claim_*)
from sgdescape._noise_covariance.escape_direction import (  # noqa: F401  (offered here)
    decoupling_ratio,
    diffusion_barrier,
    kurtosis,
    kurtosis_noise,
    line_noise,
    mean_share,
    path_barrier,
    residual_block,
    sde_moments,
    sgd_moments,
    trace_ratio,
)
from sgdescape._noise_covariance.figures import *  # noqa: F403  (plot_*)
from sgdescape._noise_covariance.network import summary  # noqa: F401  (offered here)
from sgdescape.core import provenance, validate


@dataclass(frozen=True)
class Config:
    """Sizes of the chapter's five experiments; every count is a number of samples unless named.

    Args:
        samples: N images whose batches are drawn for Eq. (8).
        hidden: units of the 49-hidden-1 network that gives their gradients.
        batch_sizes: B at which the noise's trace is measured, each in [1, samples].
        tested: the B of these whose full covariance is measured.
        groups: independent repetitions behind every sampled interval.
        batches: batches of the tested size in each group; a quarter of it at the other sizes.
        loss_ratios: c = L/L* at which the linear models are sampled, equally spaced from 1.
        draws: samples of a linear model in each group.
        law_batch_size: B of the linear models.
        directions: numbers d of input coordinates.
        loss_ratio_d: c of the runs over d.
        line_images: N of the one-parameter regression on real data.
        learning_rates: eta (time a step) of the comparison of SGD with its SDE, 1/eta whole.
        images: N of the real network 784-units-1.
        units: its hidden units.
        learning_rate: eta of its training (time a step).
        batch_size: B of its training.
        steps: of SGD.
        polish: full-batch steps after it.
        eigenvectors: number of its curvature directions.
        paths: number of these along which it is displaced.
        loss_ratios_n: c (parabola) of the displacements.
        seed: of everything.
    """

    samples: int = 10
    hidden: int = 3
    batch_sizes: tuple[int, ...] = (1, 2, 5, 8, 10)
    tested: int = 5
    groups: int = 40
    batches: int = 160
    loss_ratios: tuple[float, ...] = tuple(np.arange(1.0, 4.01, 0.25).tolist())
    draws: int = 20_000
    law_batch_size: int = 4
    directions: tuple[int, ...] = (1, 2, 5, 10, 20, 50)
    loss_ratio_d: float = 3.0
    line_images: int = 500
    learning_rates: tuple[float, ...] = tuple(2.0**-k for k in range(2, 11))
    images: int = 2000
    units: int = 10
    learning_rate: float = 0.02
    batch_size: int = 100
    steps: int = 5000
    polish: int = 100
    eigenvectors: int = 40
    paths: int = 10
    loss_ratios_n: tuple[float, ...] = (1.5, 2.0, 2.5, 3.0)
    seed: int = 0

    def __post_init__(self):
        """Refuse sizes that do not fit together."""
        for size in self.batch_sizes:
            validate.count("batch_sizes", size, high=self.samples)
        validate.one_of("tested", self.tested, self.batch_sizes)
        validate.count("groups", self.groups, low=4)
        validate.count("paths", self.paths, high=self.eigenvectors)
        validate.count("eigenvectors", self.eigenvectors, high=self.images)


QUICK = Config()
PAPER = Config(
    batches=1000, draws=200_000, images=10_000, learning_rate=0.01, steps=100_000, polish=2000
)
"""First 10^4 MNIST images and 784-10-1, as Section 5.3.2 of the paper. How that network was trained
is not available to us; learning rate 0.01 and batch 100 are those of its Section 5.1."""


def run(config: Config = QUICK, *, device: str = "cpu") -> xr.Dataset:
    """Make all measurements of the chapter and put the predictions beside them.

    Args:
        config: the sizes.
        device: where the network is trained.

    Returns:
        A dataset with the measurements (see `experiments` and `network`), what `predict` adds,
        and provenance in the attributes.
    """
    start = time.perf_counter()
    g, r = experiments.first_component(config.line_images)
    parts = (
        experiments.batch_covariance(config),
        experiments.linear_models(config),
        experiments.many_directions(config),
        xr.Dataset({"line_slope": ("line", g), "line_residual": ("line", r)}),
        network.alignment(*network.trained(config, device=device), config),
    )
    measured = xr.merge(parts).assign_coords(learning_rate=list(config.learning_rates))
    measured.attrs |= {"tested": config.tested, "loss_ratio_d": config.loss_ratio_d}
    dataset = predict(measured)
    dataset.attrs |= provenance.record(config, seconds=time.perf_counter() - start, device=device)
    return dataset


def predict(dataset: xr.Dataset) -> xr.Dataset:
    """Return the measurements with what the formulas of this module say about each.

    Args:
        dataset: what `run` measured.

    Returns:
        A new dataset with the variables ``*_theory``, ``kurtosis`` (law), ``variance_exact``
        (law, loss_ratio) by quadrature of Eq. (line-noise), and ``sgd_moment``, ``sde_moment``
        (learning_rate): E[z^2] at time 1 by Eqs. (3) and (4).
    """
    ds = dataset.copy()
    per_sample = ds.gradient.values
    where, ratios = ("law", "loss_ratio"), ds.loss_ratio.values
    factors = [
        [batch_factor(len(per_sample), int(b), sampler=str(s)) for b in ds.batch_size.values]
        for s in ds.sampler.values
    ]
    ds["factor_theory"] = ("sampler", "batch_size"), np.array(factors)
    sigma = noise_covariance(per_sample, batch_size=int(ds.attrs["tested"]))
    ds["covariance_theory"] = ("parameter", "parameter_2"), sigma
    normal, weight = experiments.nodes("gaussian")
    exact, kappas = [], []
    for law in ds.law.values:
        g, w = experiments.nodes(str(law))
        slopes, residuals = (a.ravel() for a in np.meshgrid(g, normal, indexing="ij"))
        s0, s1, s2 = line_noise(slopes, residuals, weights=np.outer(w, weight).ravel())
        z = np.sqrt(ratios - 1)
        exact.append(s0 + s1 * z + s2 * z**2)
        kappas.append(kurtosis(g, weights=w))
    ds["variance_exact"], ds["kurtosis"] = (where, np.array(exact)), ("law", np.array(kappas))
    for name, formula in (
        ("variance_theory", kurtosis_noise),
        ("barrier_theory", diffusion_barrier),
        ("decoupling_theory", decoupling_ratio),
    ):
        ds[name] = where, np.array([formula(ratios, kurtosis=round(k, 9)) for k in kappas])
    ds["trace_theory"] = (
        "directions",
        trace_ratio(ds.attrs["loss_ratio_d"], kurtosis=3.0, directions=ds.directions.values),
    )
    noise = line_noise(ds.line_slope.values, ds.line_residual.values)
    common = {"curvature": 1.0, "noise": noise, "batch_size": 1}
    moments = [
        (
            sgd_moments(1.0, steps=round(1 / eta), learning_rate=eta, **common)[1],
            sde_moments(1.0, duration=1.0, learning_rate=eta, **common)[1],
        )
        for eta in ds.learning_rate.values
    ]
    ds["sgd_moment"], ds["sde_moment"] = (("learning_rate", m) for m in np.transpose(moments))
    loss = mean_square_loss(ds.residual.values, 0 * ds.residual.values)
    ds["noise_theory"] = (
        "direction",
        covariance_near_minimum(loss, ds.curvature.values, batch_size=1),
    )
    ds["noise_trace_theory"] = covariance_near_minimum(
        loss, float(ds.output_norm.mean()), batch_size=1
    )
    ds["noise_overlap_theory"] = covariance_near_minimum(
        loss, float(ds.overlap.mean()), batch_size=1
    )
    path_kurtosis = kurtosis(ds.slope.values[:, : ds.sizes["path"]])
    ds["path_slope_theory"] = (
        "path",
        np.array(
            [
                kurtosis_noise(2.0, kurtosis=k) - kurtosis_noise(1.0, kurtosis=k)
                for k in path_kurtosis
            ]
        ),
    )
    return ds


def mean_square_loss(outputs, targets) -> float:
    r"""Return the loss :math:`L = \frac1{2N}\sum_\mu (f_\mu - y_\mu)^2`, Eq. (1) of Mori et al.

    Args:
        outputs: network outputs f (N,).
        targets: labels y (N,).

    Raises:
        ValueError: for empty or non-finite values.

    Example:
        >>> mean_square_loss([1.0, 3.0], [0.0, 0.0])
        2.5
    """
    residuals = validate.finite("outputs", outputs) - validate.finite("targets", targets)
    return float(np.mean(residuals**2) / 2)


def sgd_step(parameters, gradients, *, learning_rate):
    r"""Return :math:`\theta - \eta\nabla L_B`, Eq. (2), the mean over the batch included.

    Args:
        parameters: theta (P,).
        gradients: per-sample gradients of the batch (B, P).
        learning_rate: eta, positive.

    Example:
        >>> sgd_step(np.zeros(1), np.array([[1.0], [3.0]]), learning_rate=0.5)
        array([-1.])
    """
    return parameters - validate.positive("learning_rate", learning_rate) * gradients.mean(axis=0)


def batch_noise(gradients, batches):
    r"""Return :math:`\xi = -(\nabla L_B - \nabla L)`, the noise of Eq. (3).

    Args:
        gradients: per-sample gradients of the whole data set (N, P).
        batches: indices (..., B).

    Returns:
        The noise of each batch (..., P).

    Example:
        >>> batch_noise(np.array([[1.0], [3.0]]), np.array([[0], [1]]))
        array([[ 1.],
               [-1.]])
    """
    return gradients.mean(axis=0) - gradients[batches].mean(axis=-2)


def isotropic_diffusion(covariance, *, learning_rate) -> float:
    r"""Return the D of Eq. (5) with SGD's total noise: :math:`2PD = \eta\,{\rm Tr}\,\Sigma`.

    Args:
        covariance: Sigma (P, P).
        learning_rate: eta, positive.

    Example:
        >>> isotropic_diffusion(np.diag([3.0, 1.0]), learning_rate=0.1)
        0.1
    """
    eta = validate.positive("learning_rate", learning_rate)
    return float(eta * np.trace(covariance) / (2 * len(covariance)))


def covariance_near_minimum(loss, hessian, *, batch_size):
    r"""Return :math:`\Sigma(\theta) \approx \frac{2L(\theta)}{B}H(\theta^*)`, Eq. (6).

    Args:
        loss: L(theta), non-negative, any shape that broadcasts with ``hessian``.
        hessian: H(theta*) (P, P), or its eigenvalues.
        batch_size: B, at least 1.

    Example:
        >>> covariance_near_minimum(0.5, np.array([4.0, 1.0]), batch_size=10)
        array([0.4, 0.1])
    """
    return 2 * np.asarray(loss) * hessian / validate.count("batch_size", batch_size)


def decoupled_moment(losses, output_gradients):
    r"""Return :math:`L\cdot\frac1N\sum_\mu C_f^{(\mu)}`, the right side of Eq. (7).

    Args:
        losses: l_mu (N,).
        output_gradients: nabla f (N, P); :math:`C_f = \nabla f\nabla f^T`.

    Example:
        >>> decoupled_moment(np.array([1.0, 3.0]), np.array([[1.0], [2.0]]))
        array([[5.]])
    """
    return np.mean(losses) * gauss_newton(output_gradients)


def batch_factor(samples, batch_size, *, sampler="without_replacement"):
    r"""Return the number before the bracket of Eq. (8), or 1/B for draws with replacement.

    Args:
        samples: N, at least 2.
        batch_size: B in [1, N].
        sampler: "without_replacement" (Eq. (8)) or "iid" (Eq. (iid)).

    Raises:
        ValueError: for another sampler or B outside [1, N].

    Example:
        >>> batch_factor(5, 5), batch_factor(5, 5, sampler="iid")
        (0.0, 0.2)
    """
    n = validate.count("samples", samples, low=2)
    b = validate.count("batch_size", batch_size, high=n)
    validate.one_of("sampler", sampler, ("without_replacement", "iid"))
    return (n - b) / (n - 1) / b if sampler == "without_replacement" else 1 / b


def noise_covariance(gradients, *, batch_size, sampler="without_replacement"):
    r"""Return the exact covariance of the noise of Eq. (3), Eq. (8).

    .. math:: \Sigma = \frac1B\frac{N-B}{N-1}
              \Big(\frac1N\sum_\mu\nabla\ell_\mu\nabla\ell_\mu^T-\nabla L\nabla L^T\Big)

    Args:
        gradients: per-sample gradients (N, P).
        batch_size: B in [1, N].
        sampler: "without_replacement", or "iid" for Eq. (iid).

    Returns:
        Sigma (P, P), positive semidefinite; zero for B = N without replacement.

    Example:
        >>> noise_covariance(np.array([[1.0], [3.0]]), batch_size=1)
        array([[1.]])
    """
    gradients = validate.finite("gradients", gradients)
    centred = gradients - gradients.mean(axis=0)
    factor = batch_factor(len(gradients), batch_size, sampler=sampler)
    return factor * centred.T @ centred / len(gradients)


def second_moment(residuals, output_gradients, *, batch_size):
    r"""Return :math:`\frac{2}{BN}\sum_\mu\ell_\mu C_f^{(\mu)}`, the middle of Eq. (9).

    Args:
        residuals: f - y (N,).
        output_gradients: nabla f (N, P).
        batch_size: B, at least 1.

    Example:
        >>> second_moment(np.array([1.0, 2.0]), np.array([[1.0], [1.0]]), batch_size=1)
        array([[2.5]])
    """
    weighted = np.asarray(residuals)[:, None] * output_gradients
    return weighted.T @ weighted / len(weighted) / validate.count("batch_size", batch_size)


def hessian(residuals, output_gradients, output_hessians):
    r"""Return :math:`\frac1N\sum_\mu C_f^{(\mu)}+\frac1N\sum_\mu[f-y]\nabla^2f`, Eq. (10).

    Args:
        residuals: f - y (N,).
        output_gradients: nabla f (N, P).
        output_hessians: second derivatives of f (N, P, P).

    Example:
        >>> hessian(np.array([-2.0]), np.array([[0.0]]), np.array([[[1.0]]]))
        array([[-2.]])
    """
    residual_part = np.einsum("n,nij->ij", residuals, output_hessians) / len(residuals)
    return gauss_newton(output_gradients) + residual_part


def gauss_newton(output_gradients):
    r"""Return :math:`\frac1N\sum_\mu\nabla f\nabla f^T`, Eq. (11): the Hessian without residuals.

    Args:
        output_gradients: nabla f (N, P).

    Example:
        >>> gauss_newton(np.array([[1.0], [3.0]]))
        array([[5.]])
    """
    return output_gradients.T @ output_gradients / len(output_gradients)

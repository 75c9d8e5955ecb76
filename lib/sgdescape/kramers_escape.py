"""The escape rate of Mori et al.: Theorem 4.7 with its proof, Eqs. (15), (16) and (18)-(40).

Chapter `kramers_escape`. The theorem's formulas, the configuration, `run` and the claims. Each
step of the proof is a function of the private package `sgdescape._kramers_escape`, offered here;
its measurements (quadrature, Fokker-Planck operator, paths) use none of these formulas.
"""

import time
from dataclasses import dataclass

import numpy as np
import xarray as xr

from sgdescape._kramers_escape import doors, experiments, explorer
from sgdescape._kramers_escape.claims import *  # noqa: F403  (CLAIMS and claim_*)
from sgdescape._kramers_escape.dimension import (  # noqa: F401  (offered here)
    amplitude_slope,
    circle_slope,
    path_amplitude,
    path_dimension,
    path_widths,
    riccati,
    tail_dimension,
)
from sgdescape._kramers_escape.figures import *  # noqa: F403  (plot_*)
from sgdescape._kramers_escape.landscape import (  # noqa: F401
    Landscape,
    path_loss,
    path_slope,
    separable_log_loss,
    separable_loss,
)
from sgdescape._kramers_escape.passage import log_passage_time  # noqa: F401
from sgdescape._kramers_escape.saddle import (  # noqa: F401
    axis_current,
    axis_density,
    outflow,
    product_current,
    rate_with_curvatures,
    saddle_integral,
    transverse_factor,
    transverse_width,
    weak_axis_current,
)
from sgdescape._kramers_escape.steps import steps, table  # noqa: F401
from sgdescape._kramers_escape.summary import summary  # noqa: F401
from sgdescape._kramers_escape.valley import (  # noqa: F401
    displacement,
    factor_integral,
    flux_free_slope,
    log_curvature,
    mixed_log_curvature,
    probability_current,
    quasi_stationary,
    rate_from_currents,
    valley_mass,
    well_mass,
)
from sgdescape.core import provenance, validate


@dataclass(frozen=True)
class Config:
    """Sizes of the chapter's experiments. Curvatures are in units of h_e*, times in 1/h_e*.

    Args:
        loss_ratio: c = L(saddle)/L(minimum) of the valleys, above 1.
        minimum_loss: L*, positive.
        curvature_saddle: h_e^s, in [-1, -1/2].
        noises: B/(eta h_e*) of the quadratures in one dimension, each twice the one before.
        line_cells: of the one-dimensional Fokker-Planck operator.
        loss_ratios: c at which the power law is read off.
        plane_noises: B/(eta h_e*) of the two-dimensional operator, each twice the one before.
        plane_cells: of its coarse grid, along and across the escape axis.
        ratios: rho = h_j*/h_e* of the transverse direction.
        circle_noises: B/(eta h_e*) of the bowl's far field, each twice the one before.
        bias_noise: B/eta of the comparison of minima of different curvature.
        learning_rate: eta of the simulated paths (time a step of SGD, the paths' own step is dt).
        batch_size: B of the simulated paths.
        path_loss_ratio: c of their valley.
        dt: their step of t.
        max_time: after which a path without escape is censored, in t.
        replicas: number of paths.
        bowl_noise: B/(eta h) of isotropic bowls, h = 1.
        dimensions: their n, on either side of the critical one.
        levels: loss ratios to which paths climb in them.
        seed: of all paths.
    """

    loss_ratio: float = 4.0
    minimum_loss: float = 0.5
    curvature_saddle: float = -0.5
    noises: tuple[float, ...] = (5.0, 10.0, 20.0, 40.0, 80.0, 160.0)
    line_cells: int = 600
    loss_ratios: tuple[float, ...] = (1.5, 2.0, 3.0, 4.0, 6.0, 10.0)
    plane_noises: tuple[float, ...] = (20.0, 40.0, 80.0)
    plane_cells: tuple[int, int] = (100, 30)
    ratios: tuple[float, ...] = (0.1, 0.3, 0.5, 0.7, 0.9, 1.0, 1.5, 2.0)
    circle_noises: tuple[float, ...] = (50.0, 100.0, 200.0)
    bias_noise: float = 20.0
    learning_rate: float = 0.4
    batch_size: int = 1
    path_loss_ratio: float = 3.0
    dt: float = 0.05
    max_time: float = 300.0
    replicas: int = 1000
    bowl_noise: float = 2.0
    dimensions: tuple[int, ...] = (1, 2, 4, 5, 7, 8)
    levels: tuple[float, ...] = (1.5, 2.0, 3.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6)
    seed: int = 0

    def __post_init__(self):
        """Refuse sizes that do not fit together."""
        for name in ("noises", "plane_noises", "circle_noises"):
            values = doors.positive(name, getattr(self, name))
            if len(values) < 3 or np.any(values[1:] != 2 * values[:-1]):
                raise ValueError(f"{name} must double at least twice: got {tuple(values)}")
        if 0.5 not in self.ratios or 1.0 not in self.ratios:
            raise ValueError(f"ratios must hold 0.5 and 1: got {self.ratios}")
        validate.count("replicas", self.replicas, low=20)
        if not {4, 8} <= set(self.dimensions):
            raise ValueError(f"dimensions must hold 4 and 8: got {self.dimensions}")


QUICK = Config()
PAPER = Config(
    line_cells=2400,
    plane_cells=(240, 64),
    dt=0.02,
    max_time=600.0,
    replicas=4000,
)
"""The paper has no numbers for this theorem; these are finer grids and longer, more paths."""


def run(config: Config = QUICK, *, device: str = "cpu") -> xr.Dataset:
    """Make all measurements of the chapter and put the predictions beside them.

    Args:
        config: the sizes.
        device: only for the record: everything runs on the CPU.

    Returns:
        The measurements of `experiments`, what `predict` adds, and provenance.
    """
    start = time.perf_counter()
    dataset = predict(experiments.measure(config))
    dataset.attrs |= provenance.record(config, seconds=time.perf_counter() - start, device=device)
    return dataset


def predict(dataset: xr.Dataset) -> xr.Dataset:
    """Return the measurements with what the theorem, and its correction, say about each.

    Args:
        dataset: of `experiments.measure`.

    Returns:
        A new dataset: ``rate_theory`` (noise), ``power_theory`` (noise, loss_ratio),
        ``plane_theory`` (ratio, plane_noise) with n = 2, ``bias_theory`` (curvature) by Eq. (15);
        ``dimension_theory`` (ratio) by Eq. (path-dimension), ``tail_theory`` (ratio, NaN above 1)
        by Eq. (tail-dimension); ``growth_theory`` (dimension)
        by Eq. (growth); in the attributes ``critical_theory`` by Eq. (16), ``path_theory``
        by Eq. (15) for the simulated paths.
    """
    ds, about = dataset.copy(), dataset.attrs
    c, saddle_curvature = about["loss_ratio"], about["curvature_saddle"]
    one = dict(batch_size=1, curvature_minimum=1.0, curvature_saddle=saddle_curvature)
    ds["rate_theory"] = (
        "noise",
        escape_rate(c, learning_rate=1 / ds.noise.values, effective_dimension=1, **one),
    )
    ds["power_theory"] = (
        ("noise", "loss_ratio"),
        escape_rate(
            ds.loss_ratio.values,
            learning_rate=1 / ds.noise.values[:, None],
            effective_dimension=1,
            **one,
        ),
    )
    eta = 1 / ds.plane_noise.values
    ds["plane_theory"] = (
        "plane_noise",
        escape_rate(c, learning_rate=eta, effective_dimension=2, **one),
    )
    ds["bias_theory"] = (
        "curvature",
        escape_rate(
            c,
            learning_rate=1 / about["bias_noise"],
            batch_size=1,
            curvature_minimum=ds.curvature.values,
            curvature_saddle=saddle_curvature,
            effective_dimension=1,
        ),
    )
    shapes = [experiments.plane_valley(about, float(rho)) for rho in ds.ratio.values]
    ds["dimension_theory"] = "ratio", [path_dimension(s) for s in shapes]
    ds["tail_theory"] = (
        "ratio",
        [float(tail_dimension([rho])) if rho <= 1 else np.nan for rho in ds.ratio.values],
    )
    ds["growth_theory"] = (
        "dimension",
        growth_rate(
            ds.dimension.values,
            learning_rate=1 / about["bowl_noise"],
            batch_size=1,
            curvature=1.0,
        ),
    )
    ds.attrs["critical_theory"] = float(
        critical_effective_dimension(
            learning_rate=1 / about["bowl_noise"], batch_size=1, curvature=1.0
        )
    )
    ds.attrs["path_theory"] = float(
        escape_rate(
            about["path_loss_ratio"],
            learning_rate=about["learning_rate"],
            effective_dimension=2,
            **one | {"batch_size": about["batch_size"]},
        )
    )
    return ds


def escape_rate(
    loss_ratio,
    *,
    learning_rate,
    batch_size,
    curvature_minimum,
    curvature_saddle,
    effective_dimension,
):
    r"""Return the escape rate of Theorem 4.7 per unit of t = eta x steps, Eq. (15).

    .. math:: \kappa = \frac{\sqrt{h_e^*|h_e^s|}}{2\pi}\left[\frac{L(\theta^s)}{L(\theta^*)}
              \right]^{-\left(\frac{B}{\eta h_e^*}+1-\frac n2\right)}

    The mean time until a path is beyond the saddle is 1/kappa, until it first reaches the saddle
    1/(2 kappa). All arguments broadcast. It holds for weak noise, eta h_e*/B small, and for
    transverse curvatures equal to h_e*; for others put `path_dimension` in place of n. With
    n >= `critical_effective_dimension` it no longer falls with the loss ratio.

    Args:
        loss_ratio: c = L(saddle)/L(minimum), at least 1.
        learning_rate: eta, positive, time a step.
        batch_size: B, a whole number, at least 1.
        curvature_minimum: h_e*, positive: Hessian eigenvalue at the minimum along the path.
        curvature_saddle: h_e^s, negative: the negative Hessian eigenvalue at the saddle.
        effective_dimension: n, at least 1: the escape direction counts.

    Returns:
        kappa, shape of the arguments broadcast together, unit of the curvatures.

    Raises:
        TypeError: if an argument holds no real numbers.
        ValueError: if one is outside its range or not finite; the message gives value and range.

    Example:
        >>> rate = escape_rate(2.0, learning_rate=0.1, batch_size=1, curvature_minimum=1.0,
        ...                    curvature_saddle=-1.0, effective_dimension=[1, 2])
        >>> (2 * np.pi * rate * 2**10).round(6)
        array([0.707107, 1.      ])
    """
    c = doors.at_least("loss_ratio", loss_ratio, 1)
    h = doors.positive("curvature_minimum", curvature_minimum)
    down = -doors.negative("curvature_saddle", curvature_saddle)
    n = doors.at_least("effective_dimension", effective_dimension, 1)
    batch_size = doors.whole("batch_size", batch_size)
    exponent = batch_size / (doors.positive("learning_rate", learning_rate) * h) + 1 - n / 2
    return np.sqrt(h * down) / (2 * np.pi) * c**-exponent


def critical_effective_dimension(*, learning_rate, batch_size, curvature):
    r"""Return :math:`n_c = 2\big(\frac{B}{\eta h_e^*}+1\big)`, Eq. (16).

    With n below it the stationary law of an isotropic valley is normalisable; with n above it
    nothing holds the parameters near the minimum. All arguments broadcast.

    Args:
        learning_rate: eta, positive.
        batch_size: B, a whole number, at least 1.
        curvature: h_e*, positive.

    Returns:
        n_c, above 2.

    Raises:
        TypeError: if an argument holds no real numbers.
        ValueError: if one is outside its range or not finite.

    Example:
        >>> float(critical_effective_dimension(learning_rate=0.1, batch_size=1, curvature=1.0))
        22.0
    """
    eta = doors.positive("learning_rate", learning_rate)
    h = doors.positive("curvature", curvature)
    return 2 * (doors.whole("batch_size", batch_size) / (eta * h) + 1)


def growth_rate(dimension, *, learning_rate, batch_size, curvature):
    r"""Return the mean growth of log |z| per t far out in an isotropic bowl, Eq. (growth).

    .. math:: \lambda = \frac{\eta h^2}{2B}\,(n-n_c)

    Args:
        dimension: n, at least 1, any shape.
        learning_rate: eta, positive.
        batch_size: B, a whole number, at least 1.
        curvature: h, positive.

    Example:
        >>> float(growth_rate(4, learning_rate=0.5, batch_size=1, curvature=1.0))
        -0.5
    """
    n = doors.at_least("dimension", dimension, 1)
    critical = critical_effective_dimension(
        learning_rate=learning_rate, batch_size=batch_size, curvature=curvature
    )
    return np.asarray(learning_rate) * np.square(curvature) / (2 * batch_size) * (n - critical)


def rate_explorer() -> str:
    """Return the HTML of the interactive figure: escape time against curvature by Eq. (15)."""
    return explorer.rate_explorer(escape_rate, critical_effective_dimension)

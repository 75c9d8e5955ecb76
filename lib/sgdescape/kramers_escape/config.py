"""Sizes of the experiments of chapter `kramers_escape`: `Config`, `QUICK` and `PAPER`."""

from dataclasses import dataclass

import numpy as np

from sgdescape.core import validate
from sgdescape.core.field_types import check_types


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
        hot_ratio: rho of a direction so stiff that the path leaves the axis.
        hot_noises: B/(eta h_e*) there, each twice the one before.
        hot_cells: of its middle grid, along and across the escape axis.
        detour_ratios: rho at which the end of the axis as the cheapest path is computed.
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
        choice_rate: eta of SGD between two valleys, B = 1.
        choice_variance: sigma^2 of its labels.
        choice_flat: curvature of the flatter valley, the other's is 1; below 1.
        choice_width: of the change between the valleys at a saddle, in the angle.
        choice_directions: further stiff directions of the valley with more of them.
        choice_time: t before the count of where it is, and t of the count.
        choice_replicas: runs.
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
    hot_ratio: float = 4.0
    hot_noises: tuple[float, ...] = (12.0, 24.0, 48.0)
    hot_cells: tuple[int, int] = (120, 60)
    detour_ratios: tuple[float, ...] = (2.0, 4.0, 6.0)
    circle_noises: tuple[float, ...] = (50.0, 100.0, 200.0)
    bias_noise: float = 20.0
    learning_rate: float = 0.4
    batch_size: int = 1
    path_loss_ratio: float = 3.0
    dt: float = 0.05
    max_time: float = 300.0
    replicas: int = 2000
    bowl_noise: float = 2.0
    dimensions: tuple[int, ...] = (1, 2, 4, 5, 7, 8)
    levels: tuple[float, ...] = (1.5, 2.0, 3.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6)
    choice_rate: float = 0.4
    choice_variance: float = 2.0
    choice_flat: float = 0.6
    choice_width: float = 0.25
    choice_directions: int = 3
    choice_time: float = 2000.0
    choice_replicas: int = 400
    seed: int = 0

    def __post_init__(self):
        """Refuse sizes that are outside their range or do not fit together."""
        check_types(self)
        for name in ("noises", "plane_noises", "circle_noises", "hot_noises"):
            values = validate.each_positive(name, getattr(self, name))
            if len(values) < 3 or np.any(values[1:] != 2 * values[:-1]):
                raise ValueError(f"{name} must double at least twice: got {tuple(values)}")
        validate.each_at_least("circle_noises", self.circle_noises, 0.5)
        for name in ("minimum_loss", "bias_noise", "learning_rate", "dt", "max_time", "bowl_noise",
                     "choice_rate", "choice_variance", "choice_flat", "choice_width",
                     "choice_time"):  # fmt: skip
            validate.positive(name, getattr(self, name))
        for name in ("loss_ratio", "path_loss_ratio", "loss_ratios", "levels"):
            validate.within(name, getattr(self, name), low=1, open_low=True)
        for name in ("hot_ratio", "detour_ratios"):
            validate.within(name, getattr(self, name), low=1, open_low=True)
        validate.each_between("curvature_saddle", self.curvature_saddle, -1, -0.5)
        validate.each_positive("ratios", self.ratios)
        if not {0.5, 1.0, 2.0} <= set(self.ratios):
            raise ValueError(f"ratios must hold 0.5, 1 and 2: got {self.ratios}")
        if not {2.0, 4.0} <= set(self.detour_ratios):
            raise ValueError(f"detour_ratios must hold 2 and 4: got {self.detour_ratios}")
        if not {3.0, 6.0} <= set(self.loss_ratios):
            raise ValueError(f"loss_ratios must hold 3 and 6: got {self.loss_ratios}")
        if len(self.levels) < 4 or np.any(np.diff(self.levels) <= 0):
            raise ValueError(f"levels must be 4 or more and increase: got {self.levels}")
        for name in ("plane_cells", "hot_cells"):
            cells = getattr(self, name)
            if len(cells) != 2:
                raise ValueError(f"{name} must be two numbers: got {cells}")
            for number in cells:
                validate.count(name, number, low=8)
        validate.count("line_cells", self.line_cells, low=16)
        validate.count("batch_size", self.batch_size)
        validate.count("replicas", self.replicas, low=20)
        validate.within("choice_flat", self.choice_flat, high=1)
        validate.within("choice_rate", self.choice_rate, high=1)
        validate.count("choice_directions", self.choice_directions)
        validate.count("choice_replicas", self.choice_replicas, low=20)
        validate.count("seed", self.seed, low=0, high=2**64 - 1)
        for n in self.dimensions:
            validate.count("dimensions", n)
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

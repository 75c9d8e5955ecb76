"""Sizes of the experiments of chapter `momentum_escape`: `Config`, `QUICK` and `PAPER`."""

from dataclasses import dataclass

from sgdescape.core import validate
from sgdescape.core.field_types import check_types


@dataclass(frozen=True)
class Config:
    """Sizes of the chapter's experiments: batches of one sample, one direction.

    Args:
        dampings: zeta of the passages with normal inputs.
        loss_ratios: c of each.
        hot: 1/T of each, the smaller one.
        cold: 1/T of each, the larger one; at most 2 zeta^2, beyond which momentum would be
            negative, is not allowed.
        law_damping: zeta of the passages with other laws of inputs.
        law_ratio: c of them.
        law_hot: 1/T.
        law_cold: 1/T, the larger one.
        replicas: runs of each cell.
        tail_damping: zeta of the stationary law.
        tail_temperature: T of it.
        tail_energies: T kappa Psi at which it is looked at.
        chains: independent runs of it.
        chain_steps: of each.
        index_damping: zeta at which the exact tail index is followed to small T.
        index_temperatures: T of it, each half of the one before.
        seed: of everything.
    """

    dampings: tuple[float, ...] = (0.1, 0.3, 1.0, 3.0)
    loss_ratios: tuple[float, ...] = (3.0, 3.0, 3.0, 1.4)
    hot: tuple[float, ...] = (3.5, 4.0, 3.5, 19.0)
    cold: tuple[float, ...] = (5.5, 5.75, 6.0, 23.0)
    law_damping: float = 0.5
    law_ratio: float = 2.0
    law_hot: float = 4.5
    law_cold: float = 7.5
    replicas: int = 1200
    tail_damping: float = 0.1
    tail_temperature: float = 0.25
    tail_energies: tuple[float, ...] = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0)
    chains: int = 48
    chain_steps: int = 250_000
    index_damping: float = 1.0
    index_temperatures: tuple[float, ...] = (0.2, 0.1, 0.05)
    seed: int = 0

    def __post_init__(self):
        """Refuse sizes that do not fit together."""
        check_types(self)
        for name in ("dampings", "loss_ratios", "hot", "cold", "tail_energies",
                     "index_temperatures"):  # fmt: skip
            values = getattr(self, name)
            if not isinstance(values, tuple) or not values:
                raise TypeError(f"{name} must be a tuple of numbers: got {values!r}")
            for value in values:
                validate.positive(name, value)
        for name in ("loss_ratios", "hot", "cold"):
            if len(getattr(self, name)) != len(self.dampings):
                raise ValueError(f"{name} must be as many as dampings: got {getattr(self, name)!r}")
        for name in ("law_damping", "law_ratio", "law_hot", "law_cold"):
            validate.positive(name, getattr(self, name))
        ratios = (*self.loss_ratios, self.law_ratio)
        if min(ratios) <= 1:
            raise ValueError(f"loss_ratios and law_ratio must be above 1: got {min(ratios)}")
        for z, low, high, names in (
            *((*c, ("hot", "cold", "dampings")) for c in zip(self.dampings, self.hot, self.cold,
                                                            strict=True)),
            (self.law_damping, self.law_hot, self.law_cold, ("law_hot", "law_cold", "law_damping")),
        ):  # fmt: skip
            if not 2 * z**2 <= low < high:
                raise ValueError(
                    f"{names[0]} must lie in [2 {names[2]}^2, {names[1]}) = "
                    f"[{2 * z**2:g}, {high:g}): got {low}"
                )
        validate.positive("tail_damping", self.tail_damping)
        t = validate.positive("tail_temperature", self.tail_temperature)
        if 2 * t * self.tail_damping**2 > 1:
            raise ValueError(f"tail_temperature must be at most 1/(2 tail_damping^2): got {t}")
        z, halves = validate.positive("index_damping", self.index_damping), self.index_temperatures
        if len(halves) < 3 or any(a != 2 * b for a, b in zip(halves, halves[1:], strict=False)):
            raise ValueError(
                "index_temperatures must be three or more, each half of the one before: "
                f"got {halves}"
            )
        if not 0 < 2 * halves[0] * z**2 < 1:
            raise ValueError(
                f"index_temperatures must lie in (0, 1/(2 index_damping^2)) = (0, {0.5 / z**2:g}): "
                f"got {halves[0]}"
            )
        validate.count("replicas", self.replicas, low=20)
        validate.count("chains", self.chains, low=8)
        validate.count("chain_steps", self.chain_steps, low=1000)
        validate.count("seed", self.seed, low=0, high=2**63 - 1)


QUICK = Config()

PAPER = Config(
    hot=(4.5, 5.0, 5.0, 22.0),
    cold=(7.0, 8.5, 8.5, 32.0),
    law_hot=7.0,
    law_cold=12.0,
    replicas=4000,
    chains=200,
    chain_steps=1_000_000,
)
"""Colder, so that less of the prefactor is left in the slopes, and with a tenth of the error."""

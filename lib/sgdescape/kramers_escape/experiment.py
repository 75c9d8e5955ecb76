"""The escape rate of Mori et al.: Theorem 4.7 with its proof, Eqs. (15), (16) and (18)-(40).

Chapter `kramers_escape`. The theorem's formulas, the configuration, `run` and the claims. Each
step of the proof is a function of the private package `sgdescape._kramers_escape`, offered here;
its measurements (quadrature, Fokker-Planck operator, paths) use none of these formulas.
"""

import time

import xarray as xr

from sgdescape.core.runs import provenance
from sgdescape.kramers_escape import explorer
from sgdescape.kramers_escape.config import QUICK, Config
from sgdescape.kramers_escape.measure import escapes
from sgdescape.kramers_escape.predictions import predict
from sgdescape.kramers_escape.theory.rate import critical_effective_dimension, escape_rate


def run(config: Config = QUICK, *, device: str = "cpu") -> xr.Dataset:
    """Make all measurements of the chapter and put the predictions beside them.

    Args:
        config: the sizes.
        device: only for the record: everything runs on the CPU.

    Returns:
        The measurements of `experiments`, what `predict` adds, and provenance.
    """
    start = time.perf_counter()
    dataset = predict(escapes.measure(config))
    dataset.attrs |= provenance.record(config, seconds=time.perf_counter() - start, device=device)
    return dataset


def rate_explorer() -> str:
    """Return the HTML of the interactive figure: escape time against curvature by Eq. (15)."""
    return explorer.rate_explorer(escape_rate, critical_effective_dimension)

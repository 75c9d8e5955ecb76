"""Random time change: SGD's noise made additive by a clock, Eqs. (12)-(14) and (17), App. C.

Chapter `random_time_change`. The formulas, the simulations, the claims and the figures live in the
private package `sgdescape._random_time_change`; simulations use no formula under test.
"""

import time

import xarray as xr

from sgdescape.core.runs import provenance
from sgdescape.random_time_change.config import QUICK, UNITS, Config
from sgdescape.random_time_change.measure import ensembles, operators, paths
from sgdescape.random_time_change.predictions import predict


def run(config: Config = QUICK, *, device: str = "cpu") -> xr.Dataset:
    """Make all simulations of the chapter and put the predictions beside them.

    Args:
        config: the sizes.
        device: only recorded: everything here runs on the processor.

    Returns:
        A dataset with what `paths`, `experiments` and `operators` return, what `predict` adds, and
        provenance in the attributes.
    """
    start = time.perf_counter()
    parts = (
        paths.strong_errors(config),
        paths.law_at_time(config),
        ensembles.passages(config),
        ensembles.stationary_samples(config),
        ensembles.infinite_mean(config),
        ensembles.growth(config),
        ensembles.frozen(config),
        operators.stationary_laws(config),
        operators.laws_at_time(config),
        operators.regularised(config),
    )
    dataset = predict(xr.merge(parts), config)
    for name, units in UNITS.items():
        dataset[name].attrs["units"] = units
    dataset.attrs |= provenance.record(config, seconds=time.perf_counter() - start, device=device)
    return dataset

"""Are loss and gradient of a sample decoupled? Both sides of Mori et al., Eq. (7), and a null.

Chapter `decoupling`, Fig. 1 of the paper. Theory first (float64 NumPy, one function an equation),
then the configuration, `run` and the claims. Measurements and figures live in the private package
`sgdescape._decoupling`; they import no theory, so a claim compares two separate routes.
"""

import time

import xarray as xr

from sgdescape.core.runs import provenance
from sgdescape.decoupling import measure
from sgdescape.decoupling.config import QUICK, Config
from sgdescape.decoupling.predictions import predict


def run(config: Config = QUICK, *, device: str = "cpu") -> xr.Dataset:
    """Train the network, measure both spectra and their null, and put the predictions beside them.

    Args:
        config: the sizes.
        device: torch device, for example "cpu" or "cuda".

    Returns:
        At each ``epoch``: ``loss`` and ``output_norm`` = |grad f|^2 (image), ``exact``,
        ``decoupled`` and ``shuffled`` spectra (rank), ``direction_ratio`` (direction),
        ``subset_rank`` (subset_size, subset), and what `predict` adds; ``training_loss``;
        provenance in the attributes.
    """
    start = time.perf_counter()
    dataset = predict(measure.measure(config, device=device))
    dataset.attrs |= provenance.record(config, seconds=time.perf_counter() - start, device=device)
    return dataset

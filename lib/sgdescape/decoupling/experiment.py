"""The experiment of chapter `decoupling`: Fig. 1 of Mori et al., measured and predicted."""

import time

import xarray as xr

from sgdescape.core.doors import door
from sgdescape.core.runs import provenance
from sgdescape.decoupling.config import QUICK, Config
from sgdescape.decoupling.predictions import predict


@door
def run(config: Config = QUICK, *, device: str = "cpu") -> xr.Dataset:
    """Train the network, measure both spectra and their null, and put the predictions beside them.

    Args:
        config: the sizes.
        device: torch device, for example "cpu" or "cuda".

    Returns:
        At each ``epoch``: ``loss`` and ``output_norm`` = |grad f|^2 (image), ``exact``,
        ``decoupled`` and ``shuffled`` spectra (rank), ``direction_ratio``, ``gauss_newton`` and
        ``curvature`` (direction), ``subset_rank`` (subset_size, subset), and what `predict` adds;
        ``training_loss``; provenance in the attributes.

    Raises:
        RuntimeError: if the training diverges; the message names the step.
    """
    from sgdescape.decoupling import measure  # torch: only where it computes

    start = time.perf_counter()
    dataset = predict(measure.measure(config, device=device))
    dataset.attrs |= provenance.record(config, seconds=time.perf_counter() - start, device=device)
    return dataset

"""Numbers of chapter `noise_covariance` that its prose prints."""

import numpy as np

from sgdescape.core.runs.reading import reads_dataset
from sgdescape.noise_covariance.estimates import noise_slopes


@reads_dataset
def summary(dataset) -> dict[str, tuple[float, str]]:
    """Return the numbers of the trained network that the chapter's prose quotes.

    Args:
        dataset: of `alignment`.

    Returns:
        Name in the prose -> (value, format).
    """
    paths = dataset.sizes["path"]
    residual, slope = dataset.residual.values, dataset.slope.values
    h, norms = dataset.eigenvalue.values, dataset.output_norm.values
    loss = np.mean(residual**2) / 2
    ratios = np.var(residual[:, None] * slope, axis=0) / (2 * loss * h)
    shares = np.mean(residual[:, None] * slope, axis=0) ** 2 / (2 * loss * h)
    kappas = np.mean(slope**4, axis=0) / np.mean(slope**2, axis=0) ** 2
    moved = dataset.path_residual.values, dataset.path_slope.values
    rates, _, _ = noise_slopes(residual, slope[:, :paths], *moved, h[:paths])
    return {
        "covariance-loss": (loss, ".4f"),
        "covariance-curvature": (h[0], ".0f"),
        "covariance-ratio-low": (ratios.min(), ".2f"),
        "covariance-ratio-high": (ratios.max(), ".2f"),
        "covariance-ratio-trace": (np.mean(residual**2 * norms) / (2 * loss * norms.mean()), ".2f"),
        "covariance-share": (shares.max(), ".1e"),
        "covariance-kappa-first": (kappas[0], ".2f"),
        "covariance-kappa-low": (kappas[1:paths].min(), ".1f"),
        "covariance-kappa-high": (kappas[1:paths].max(), ".1f"),
        "covariance-rate-first": (rates[0], ".2f"),
    }

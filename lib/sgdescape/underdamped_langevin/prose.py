"""Numbers that the prose of chapter `underdamped_langevin` quotes."""

import numpy as np

from sgdescape.core.runs.reading import reads_dataset
from sgdescape.underdamped_langevin.estimates import scatter, settled
from sgdescape.underdamped_langevin.measure.images import MAIN


@reads_dataset
def summary(dataset) -> dict[str, tuple[float, str]]:
    """Return the numbers that the chapter's prose quotes.

    Args:
        dataset: of `underdamped_langevin.run`.

    Returns:
        Name in the prose -> (value, format).
    """
    ds = dataset
    noise = ds.gradients.values.T @ ds.gradients.values / ds.sizes["sample"]
    scale = np.sqrt(np.diag(noise))
    off = (noise / np.outer(scale, scale))[~np.eye(len(noise), dtype=bool)]
    rho = ds.image_curvature.values
    ratio = ds.image_noise.values[:60] / rho[:60] / (2 * float(ds.image_loss))
    smallest = int(np.argmin(ds.setting_batch_size.values))
    late = ds.spiral_exact.isel(output=MAIN).sel(coordinate="position").values
    bias = np.abs(late[:, -100:].mean(axis=1) / late[:, 0])
    small = float(settled(ds.speed.values[smallest]).mean() / ds.speed_law[smallest])
    trace, top = 1.2e4, 52.8  # of the paper's ResNet-18, from its notebooks' numbers
    return {
        "phase-noise-off": (np.sqrt(np.mean(off**2)), ".3f"),
        "phase-image-low": (ratio.min(), ".2f"),
        "phase-image-high": (ratio.max(), ".2f"),
        "phase-image-top": (rho[0], ".0f"),
        "phase-speed-small": (small, ".2f"),
        "phase-scatter": (scatter(ds).value, ".2f"),
        "phase-scatter-bound": (100 * np.sqrt(2 * top / trace), ".0f"),
        "phase-mean-bias-high": (100 * bias[-1], ".1f"),
    }

"""Numbers that the prose of chapter `modified_loss` quotes."""

import numpy as np
from scipy import stats

from sgdescape.core.runs import provenance
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.modified_loss import estimates


@reads_dataset
def summary(dataset) -> dict[str, tuple[float, str]]:
    """Return the numbers that the chapter's prose quotes.

    Args:
        dataset: of `modified_loss.run`.

    Returns:
        Name in the prose -> (value, format).
    """
    a, config = dataset.attrs, provenance.settings(dataset)
    strong = dataset.square_position.sel(run="strong").mean("replica").values
    unit = dataset.level.values * config.batch_size / config.strong_batch
    excess = 100 * (strong / unit - 1)
    quiet = dataset.minibatch_variance.sel(run="quiet").values / dataset.level.values
    found = [estimates.curvatures(dataset, run=run)[0] for run in ("quiet", "strong")]
    errors = [np.abs(h / dataset.curvature.values - 1).max() for h in found]
    beyond = float(np.mean(2 * dataset.kept_psi.values > 35))
    entropy = dataset.entropy_exact
    return {
        "modified-strong-flat": (float(excess[0]), ".0f"),
        "modified-strong-steep": (float(excess[-1]), ".0f"),
        "modified-quiet-excess": (100 * float(quiet.mean() - 1), ".1f"),
        "modified-curvature-quiet": (100 * float(errors[0]), ".1f"),
        "modified-curvature-strong": (100 * float(errors[1]), ".1f"),
        "modified-tail": (beyond / stats.chi2.sf(35, 2 * dataset.sizes["mode"]), ".1f"),
        "modified-correlation": (_correlation(dataset.swirl_noise.values), ".2f"),
        "modified-entropy-top": (float(entropy.max()), ".3f"),
        "modified-swirl-inertia": (
            a["swirl_circulation_overdamped"] / a["swirl_circulation"],
            ".1f",
        ),
        "modified-image-entropy": (a["image_production"], ".2f"),
        "modified-image-correlation": (_largest(dataset.image_noise.values), ".2f"),
        "modified-image-low": (float(_shares(dataset).min()), ".2f"),
        "modified-image-high": (float(_shares(dataset).max()), ".2f"),
        "modified-relaxation": (
            (1 - config.momentum) / (config.learning_rate * float(dataset.flat_mode[0])),
            ".0f",
        ),
    }


def _correlation(noise):
    return float(noise[0, 1] / np.sqrt(noise[0, 0] * noise[1, 1]))


def _largest(noise):
    spread = np.sqrt(np.diag(noise))
    return float(np.abs(noise / np.outer(spread, spread) - np.eye(len(noise))).max())


def _shares(dataset):
    """Sigma_ii / rho_i in units of its mean: 1 if Sigma = sigma^2 H."""
    share = np.diag(dataset.image_noise.values) / dataset.image_curvature.values
    return share / share.mean()

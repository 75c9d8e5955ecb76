"""Numbers of chapter `random_time_change` that its prose prints."""

import numpy as np
from scipy import stats

from sgdescape.core.runs.reading import reads_dataset


@reads_dataset
def summary(dataset) -> dict:
    """Return name -> (value, format) of the measured numbers for the text.

    Args:
        dataset: of `random_time_change.run`.
    """
    t, tau = (dataset.passage.sel(equation="Eq. (14)", clock=c) for c in ("t", "tau"))
    direct = dataset.passage.sel(equation="Eq. (12)", clock="t")
    same = stats.ks_2samp(dataset.direct.values, dataset.mapped.values)
    passed = stats.ks_2samp(direct.values, t.values)
    unread = stats.ks_2samp(direct.values, tau.values)
    stopped = dataset.frozen_tau.values
    return {
        "time-change-ks-law": (same.pvalue, ".2g"),
        "time-change-ks-passage": (passed.pvalue, ".2g"),
        "time-change-ks-unread": (unread.statistic, ".2f"),
        "time-change-kurtosis": (3 * float(dataset.kurtosis_theory), ".1f"),
        "time-change-operator": (float(dataset.operator_error.max()), ".0e"),
        "time-change-frozen-share": (float(np.mean(stopped > 0.25)), ".2f"),
    }

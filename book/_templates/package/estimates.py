"""From the runs of chapter `template_trial` to values with intervals."""

from sgdescape.core.stats.intervals import Interval, mean_interval


def mean_square(positions) -> Interval:
    """Return E[theta^2] with its interval.

    Args:
        positions: (replicas,), independent.
    """
    return mean_interval(positions**2)

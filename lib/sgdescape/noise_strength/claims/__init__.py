"""Claims of chapter `noise_strength`: `square_loss` and `cross_entropy`.

Every measured number is one number a run, and its interval that of the median run, at a level that
holds whatever the law of the runs (`estimates.median_interval`); none is estimated here.
"""

from sgdescape.noise_strength.claims.cross_entropy import (
    cnn_entropy_late,
    cnn_entropy_middle,
    entropy_early,
    entropy_late,
    entropy_middle,
    entropy_prediction,
    entropy_residual,
    margin_growth,
)
from sgdescape.noise_strength.claims.square_loss import (
    cnn_late_slope,
    cnn_outputs,
    direction,
    early_slope,
    factor,
    late_prediction,
    late_slope,
    late_slope_one_output,
    late_slope_undirected,
    one_output,
    outputs,
    paper_curves,
    whole_training,
)

__all__ = [
    "cnn_entropy_late",
    "cnn_entropy_middle",
    "cnn_late_slope",
    "cnn_outputs",
    "direction",
    "early_slope",
    "entropy_early",
    "entropy_late",
    "entropy_middle",
    "entropy_prediction",
    "entropy_residual",
    "factor",
    "late_prediction",
    "late_slope",
    "late_slope_one_output",
    "late_slope_undirected",
    "margin_growth",
    "one_output",
    "outputs",
    "paper_curves",
    "whole_training",
]

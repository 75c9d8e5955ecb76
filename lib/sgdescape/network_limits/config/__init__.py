"""Sizes of chapter `network_limits`: of its experiments, and of the run that is followed and kept.

Nothing is computed here but whether values fit their ranges and each other.
"""

from sgdescape.network_limits.config.experiments import PAPER, QUICK, Config
from sgdescape.network_limits.config.followed import Follow

__all__ = ["PAPER", "QUICK", "Config", "Follow"]

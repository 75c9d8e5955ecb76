"""Claims of chapter `underdamped_langevin`: on single modes (`oscillator`) and on the `speed`.

No fits and intervals here: those are in `estimates`.
"""

from sgdescape.underdamped_langevin.claims.oscillator import (
    cifar_spiral,
    common_factor,
    full_step,
    growth,
    image_noise,
    mean_frequency,
    mean_path,
    midpoint,
    negative_lobe,
    noise,
    order,
    paper_first,
    paper_last,
    ring_down,
    spiral,
)
from sgdescape.underdamped_langevin.claims.speed import (
    constant_speed,
    free_speed,
    image_speed,
    real_noise,
    single_step,
    speed_law,
    speed_small_batch,
)

__all__ = [
    "cifar_spiral",
    "common_factor",
    "constant_speed",
    "free_speed",
    "full_step",
    "growth",
    "image_noise",
    "image_speed",
    "mean_frequency",
    "mean_path",
    "midpoint",
    "negative_lobe",
    "noise",
    "order",
    "paper_first",
    "paper_last",
    "real_noise",
    "ring_down",
    "single_step",
    "speed_law",
    "speed_small_batch",
    "spiral",
]

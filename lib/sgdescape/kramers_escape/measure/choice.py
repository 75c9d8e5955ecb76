r"""Two valleys between which SGD can choose, in a regression that is known in every detail.

f = x_1 cos(phi) + x_2 sin(phi) + g sum_j z_j x_(2+j), y = x_1 + sigma eps, all x and eps standard
normal, and the weight theta moves the angle phi at the speed dphi/dtheta = s. A turn of phi leads
from one valley to the next, two turns back to the first. Both have the loss sigma^2/2 at the
minimum, both saddles 2 more; the curvatures are s^2 along the path and g^2 for each z_j. What
differs between the valleys is s, or g, which change at the saddles.
"""

import numpy as np
import xarray as xr

from sgdescape.core.random import philox, seeds
from sgdescape.kramers_escape.measure import _choice_numba as kernels

CHOICES = ("flat", "few")


def choices(config) -> xr.Dataset:
    """Measure how often SGD is in the second of two valleys.

    Args:
        config: the chapter's `Config`.

    Returns:
        ``choice_share`` (choice, choice_replica): share of time in the flatter valley ("flat"),
        and in the one with fewer stiff directions ("few").
    """
    cases = (((1.0, config.choice_flat), 0), ((1.0, 1.0), config.choice_directions))
    found = [
        valley_shares(
            curvatures,
            directions=more,
            learning_rate=config.choice_rate,
            variance=config.choice_variance,
            width=config.choice_width,
            time=config.choice_time,
            replicas=config.choice_replicas,
            seed=seeds.derive(config.seed, "kramers_escape", f"choice {choice}"),
        )
        for choice, (curvatures, more) in zip(CHOICES, cases, strict=True)
    ]
    return xr.Dataset(
        {"choice_share": (("choice", "choice_replica"), np.array(found))},
        coords={"choice": list(CHOICES)},
    )


def valley_shares(
    curvatures, *, directions, learning_rate, variance, width, time, replicas, seed
) -> np.ndarray:
    """Return the share of the time after ``time`` that each run spends in the second valley.

    Args:
        curvatures: h along the path in the two valleys.
        directions: number of z_j, of curvature 1 in the first valley and 0 in the second.
        learning_rate: eta, at B = 1.
        variance: sigma^2 of the labels.
        width: of the change of speed and factor at the saddles, in phi.
        time: t before the count, and t of the count.
        replicas: runs, every other started in the second valley.
        seed: of the samples.
    """
    out, steps = np.empty(replicas), int(np.ceil(time / learning_rate))
    speeds = np.sqrt(np.array(curvatures, dtype=float))
    keys = [np.uint32(k) for k in philox.key(seed)]
    size = learning_rate, speeds, 1.0, variance, width, directions, steps, steps
    kernels.shares(*size, *keys, out)
    return out

"""The interactive figure: which minimum is left first."""

import numpy as np

from sgdescape.core.explorer import Axes, explorer_html
from sgdescape.kramers_escape.theory.rate import critical_effective_dimension, escape_rate


def rate_explorer() -> str:
    """Return the HTML of the explorer: escape time against the curvature of the minimum, Eq. (15).

    The slider is the batch size.
    """
    eta, c, n, top = 0.2, 1.5, 2, 11.0
    h = np.linspace(0.75, 4.0, 66)

    def decades(batch_size):
        rate = escape_rate(
            c,
            learning_rate=eta,
            batch_size=batch_size,
            curvature_minimum=h,
            curvature_saddle=-1.0,
            effective_dimension=n,
        )
        return np.clip(-np.log10(rate), 0, top)

    def reading(batch_size):
        sharp, flat = (
            float(
                escape_rate(
                    c,
                    learning_rate=eta,
                    batch_size=batch_size,
                    curvature_minimum=curvature,
                    curvature_saddle=-1.0,
                    effective_dimension=n,
                )
            )
            for curvature in (2.0, 1.0)
        )
        limit = critical_effective_dimension(
            learning_rate=eta, batch_size=batch_size, curvature=2.0
        )
        return (
            f"B = {batch_size}: a minimum of curvature 2 is left {sharp / flat:.3g} times sooner "
            f"than one of curvature 1, with the same loss and the same saddle; it holds on to at "
            f"most {float(limit):.0f} such directions."
        )

    batches = range(1, 9)
    isotropic = decades(4)[5] - np.log10(h / h[5]) / 2  # h[5] = 1
    return explorer_html(
        Axes(
            h.tolist(),
            top,
            "curvature h* of the minimum",
            "log₁₀ of the mean escape time",
            "Escape time against the curvature of the minimum. The moving curve falls steeply: "
            "sharp minima are left first. The fixed curve of isotropic noise is almost level.",
        ),
        {float(b): decades(b) for b in batches},
        slider="Batch size B",
        start=4.0,
        readings={float(b): reading(b) for b in batches},
        references={"isotropic noise": isotropic},
    )

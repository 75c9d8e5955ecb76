"""The mean Fourier frequency of a stationary path: what it is, oscillator or not."""

import numpy as np

from sgdescape.core import validate
from sgdescape.core.doors import door


@door
def mean_frequency(correlation):
    """Return the mean frequency, weighted by amplitudes, of a stationary normal path of n steps.

    E|X_f|^2 = sum_(|l| < n) (n - |l|) r_l e^(-2 pi i f l), and E|X_f| is its root but for one
    factor, the same at all frequencies but the last, Eq. (phase-mean-frequency).

    Args:
        correlation: r_l of the path at lags l = 0 ... n - 1 (..., n).

    Returns:
        Cycles a step (...), in (0, 1/2).

    Raises:
        ValueError: if a value is not finite, there are fewer than two lags, or no frequency has an
            amplitude.

    Example:
        >>> white = np.zeros(1000)
        >>> white[0] = 1.0
        >>> round(float(mean_frequency(white)), 2)
        0.25
    """
    r = validate.finite("correlation", correlation)
    if np.ndim(r) == 0 or r.shape[-1] < 2:
        raise ValueError(f"correlation must hold at least two lags: got shape {np.shape(r)}")
    n = r.shape[-1]
    weighted = (n - np.arange(n)) * r
    # lags l and n - l give the same phase at the frequencies j/n
    folded = weighted.copy()
    folded[..., 1:] += weighted[..., :0:-1]
    square = np.fft.rfft(folded, axis=-1).real[..., 1:]
    amplitude = np.sqrt(np.maximum(square, 0.0))
    frequency = np.arange(1, amplitude.shape[-1] + 1) / n
    total = amplitude.sum(axis=-1)
    if not np.all(total > 0):
        raise ValueError("correlation must be that of a path that moves: it has no amplitude")
    return amplitude @ frequency / total

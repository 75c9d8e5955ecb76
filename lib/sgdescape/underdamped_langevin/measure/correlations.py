"""Autocorrelations and groups of replicas: what is averaged before it is kept."""

import numpy as np

from sgdescape.core.doors import door

GROUPS = 40
"""Independent groups of replicas that an average is kept for: its interval is that between them."""


def grouped(values, axis=0) -> np.ndarray:
    """Return means over `GROUPS` groups of replicas, along the replicas' axis.

    Args:
        values: of any shape, at least `GROUPS` replicas along the axis.
        axis: of the replicas; it holds the groups afterwards.
    """
    parts = np.array_split(values, GROUPS, axis=axis)
    return np.concatenate([part.mean(axis=axis, keepdims=True) for part in parts], axis=axis)


def autocovariances(x, lags) -> np.ndarray:
    """Return mean products of stationary paths of mean 0 with themselves, by Fourier transform.

    Args:
        x: (steps, replicas, modes).
        lags: largest lag, below the number of steps.

    Returns:
        (lags + 1, replicas, modes).
    """
    from scipy import fft  # chooses a fast length

    steps = len(x)
    size = fft.next_fast_len(steps + lags + 1, real=True)
    spectrum = np.abs(fft.rfft(x, size, axis=0)) ** 2
    raw = fft.irfft(spectrum, size, axis=0)[: lags + 1]
    return raw / (steps - np.arange(lags + 1))[:, None, None]


def normalised(products) -> np.ndarray:
    """Return autocorrelations of groups of replicas, (groups, modes, lags + 1).

    Args:
        products: of `autocovariances`; the unit is the mean square of all replicas.
    """
    means = grouped(products, axis=1)
    scale = means[0].mean(axis=0)  # of all replicas: a ratio of means, not a mean of ratios
    return (means / scale).transpose(1, 2, 0)


@door
def mean_frequency(paths) -> np.ndarray:
    """Return the mean frequency of paths, weighted by the amplitudes of their Fourier transform.

    sum_f f |X_f| / sum_f |X_f| over f = 1/n, 2/n, ... 1/2 cycles a step, as the authors' notebook
    takes it of positions.

    Args:
        paths: (steps, ...).

    Returns:
        (...), in cycles a step.
    """
    amplitudes = np.abs(np.fft.rfft(paths, axis=0))[1:]
    frequencies = np.arange(1, len(amplitudes) + 1) / len(paths)
    return np.tensordot(frequencies, amplitudes, 1) / amplitudes.sum(axis=0)

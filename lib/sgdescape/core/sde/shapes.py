"""What the callbacks of an SDE return, asked once on the start: arrays must not broadcast unseen.

A row too few or a column too many would go through NumPy's broadcasting and give another process:
a diagonal noise taken for a full one, one noise added for every coordinate.
"""

from sgdescape.core.sde.models import Sde

__all__ = ["of_rows", "of_sde", "of_watch"]


def of_sde(sde: Sde, theta, *, milstein: bool = False) -> None:
    """Refuse an SDE whose drift or noise does not have the shape that it must have.

    Where there are as many replicas as coordinates the shapes are looked at with one replica more:
    a noise (d, d) is not one of (replicas, d).

    Args:
        sde: the process.
        theta: states (replicas, d), the start.
        milstein: whether its correction is looked at too.

    Raises:
        TypeError: if a callback returns no array.
        ValueError: naming the callback, its shape and the shape that it must have.

    Example:
        >>> import numpy as np
        >>> turning = Sde(lambda x: 0 * x, lambda x: np.eye(2))
        >>> of_sde(turning, np.zeros((2, 2)))
        Traceback (most recent call last):
        ...
        ValueError: noise must return (replicas, 2) or (replicas, 2, 2), replicas = 3: got (2, 2)
    """
    n, d = theta.shape
    if n == d:
        theta, n = theta[[*range(n), 0]], n + 1
    of_rows("drift", sde.drift(theta), (n, d))
    noise, noises = sde.noise(theta), sde.noises or d
    allowed = [(n, d)] if noises == d else []
    if _shape("noise", noise) not in [*allowed, (n, d, noises)]:
        words = [f"(replicas, {d})"] * len(allowed) + [f"(replicas, {d}, {noises})"]
        raise ValueError(
            f"noise must return {' or '.join(words)}, replicas = {n}: got {tuple(noise.shape)}"
        )
    if milstein:
        column = 0 * theta[:, :1]
        found = sde.milstein(theta, column + 0 * theta if noises == d else column, 1.0)
        if getattr(found, "ndim", 0):  # additive noise needs none, and may say 0
            of_rows("milstein", found, (n, d))


def of_watch(watch, theta, *, bridge: bool) -> None:
    """Refuse a watch whose functions do not give one number, or one gradient, a replica.

    Args:
        watch: a `passage.Watch`.
        theta: states (replicas, d), the start.
        bridge: whether the gradient is used.

    Raises:
        TypeError: if a function returns no array.
        ValueError: naming the function, its shape and the shape that it must have.
    """
    n, d = theta.shape
    of_rows("watch.observable", watch.observable(theta), (n,))
    if bridge:
        of_rows("watch.gradient", watch.gradient(theta), (n, d))
    if watch.clock_rate is not None:
        of_rows("watch.clock_rate", watch.clock_rate(theta), (n,))


def of_rows(name: str, found, shape: tuple) -> None:
    """Refuse what a callback returned if it has another shape.

    Args:
        name: of the callback, for the message.
        found: what it returned.
        shape: what it must have.

    Raises:
        TypeError: if it is no array.
        ValueError: if its shape is another.
    """
    if _shape(name, found) != shape:
        raise ValueError(f"{name} must return shape {shape}: got {tuple(found.shape)}")


def _shape(name, found):
    if not hasattr(found, "shape"):
        raise TypeError(f"{name} must return an array: got {type(found).__name__}")
    return tuple(found.shape)

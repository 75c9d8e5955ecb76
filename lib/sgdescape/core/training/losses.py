"""The two losses of training, by sample, and their names."""

import torch
from torch import Tensor

from sgdescape.core.doors import door

__all__ = [
    "cross_entropy",
    "square_loss",
]


@door
def square_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return the squared error of each sample, with the factor 1/2 (unlike `torch.nn.MSELoss`).

    l_mu = 1/2 * sum_c (f_c - y_c)^2, Mori et al., Eq. (1).

    Args:
        outputs: network outputs f (n, c).
        targets: y (n, c), or (n,) when c is 1.

    Returns:
        Losses (n,).

    Raises:
        ValueError: if targets do not have one value an output.

    Example:
        >>> square_loss(torch.tensor([[1.0], [3.0]]), torch.tensor([1.0, 1.0]))
        tensor([0., 2.])
    """
    return 0.5 * (outputs - _like(targets, outputs)).square().flatten(1).sum(1)


@door
def cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return the cross-entropy of each sample, in nats: l_mu = -sum_c y_c log softmax(f)_c.

    Args:
        outputs: network outputs f (n, c), the logits.
        targets: probabilities y (n, c), one-hot for labelled data.

    Returns:
        Losses (n,).

    Raises:
        ValueError: if targets do not have one value an output, or there is only one output.

    Example:
        >>> cross_entropy(torch.zeros(1, 2), torch.tensor([[0.0, 1.0]]))
        tensor([0.6931])
    """
    if outputs.ndim != 2 or outputs.shape[1] < 2:
        raise ValueError(f"cross_entropy needs at least 2 outputs: got {outputs.shape[1]}")
    return -(_like(targets, outputs) * torch.log_softmax(outputs, 1)).sum(1)


LOSSES = {"square": square_loss, "cross_entropy": cross_entropy}


def _like(targets, outputs):
    if outputs.is_complex() or targets.is_complex():
        raise TypeError(f"outputs and targets must be real: got {outputs.dtype}, {targets.dtype}")
    if targets.numel() != outputs.numel() or targets.shape[0] != outputs.shape[0]:
        raise ValueError(
            f"targets must have one value for each output, shape {tuple(outputs.shape)}: "
            f"got {tuple(targets.shape)}"
        )
    return targets.reshape(outputs.shape)

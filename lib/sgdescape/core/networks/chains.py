"""Which networks have derivatives in closed form here, and which batches they take.

Supported are `torch.nn.Sequential` chains of Linear, Conv2d, ReLU, MaxPool2d and Flatten, whose
products with the Jacobian are in `layers`.
"""

import torch
from torch import Tensor, nn

from sgdescape.core.doors import door
from sgdescape.core.networks.plain import check_model, foreign

__all__ = [
    "chain",
    "check_inputs",
    "parameter_count",
]

PARAMETRIC = (nn.Linear, nn.Conv2d)

SUPPORTED = (*PARAMETRIC, nn.ReLU, nn.MaxPool2d, nn.Flatten)


def chain(model: nn.Module) -> tuple[nn.Module, ...]:
    """Return the layers of a supported network.

    Args:
        model: an `nn.Sequential` of Linear, Conv2d (zero padding given as integers, one group),
            ReLU, MaxPool2d and Flatten, and nothing else: no layer or parameter used twice, no
            hooks, no pruning, no parametrisation, no forward of its own (see `plain.foreign`).

    Raises:
        TypeError: if the model or one of its layers is of another kind; the message says how.
        ValueError: if a layer has an unsupported option, or there is no layer with parameters.

    Example:
        >>> [type(m).__name__ for m in chain(nn.Sequential(nn.Linear(3, 2), nn.ReLU()))]
        ['Linear', 'ReLU']
        >>> chain(nn.Sequential(nn.Linear(3, 2), nn.Tanh()))
        Traceback (most recent call last):
        ...
        TypeError: layer 1 must be Linear, Conv2d, ReLU, MaxPool2d or Flatten: got Tanh
    """
    if not isinstance(model, nn.Sequential):
        raise TypeError(f"model must be a torch.nn.Sequential: got {type(model).__name__}")
    modules = tuple(model)
    for index, module in enumerate(modules):
        if type(module) not in SUPPORTED:
            raise TypeError(
                f"layer {index} must be Linear, Conv2d, ReLU, MaxPool2d or Flatten: "
                f"got {type(module).__name__}"
            )
        if isinstance(module, nn.Conv2d):
            if module.groups != 1:
                raise ValueError(f"layer {index}: groups must be 1: got {module.groups}")
            if module.padding_mode != "zeros" or isinstance(module.padding, str):
                raise ValueError(
                    f"layer {index}: padding must be integers with padding_mode 'zeros': "
                    f"got {module.padding!r}, {module.padding_mode!r}"
                )
        if isinstance(module, nn.Flatten) and (module.start_dim, module.end_dim) != (1, -1):
            raise ValueError(
                f"layer {index}: Flatten must run over dimensions 1 to -1: "
                f"got {module.start_dim} to {module.end_dim}"
            )
    if not any(isinstance(m, PARAMETRIC) for m in modules):
        raise ValueError("model must have at least one Linear or Conv2d layer: got none")
    if reason := foreign(model, SUPPORTED):
        raise TypeError(f"model must be a plain torch.nn.Sequential: {reason}")
    return modules


@door
def parameter_count(model: nn.Module) -> int:
    """Return P, the number of parameters of the model."""
    return sum(p.numel() for p in model.parameters())


def check_inputs(model: nn.Module, inputs: Tensor) -> None:
    """Refuse batches that are empty, not finite, of another dtype or on another device.

    Raises:
        TypeError: if the inputs are no tensor, or not of the parameters' dtype.
        ValueError: if they are empty, not finite, or on another device.
    """
    check_model(model)
    parameter = next(model.parameters())
    if not isinstance(inputs, Tensor):
        raise TypeError(f"inputs must be a torch.Tensor: got {type(inputs).__name__}")
    if inputs.dtype != parameter.dtype:
        raise TypeError(f"inputs must be {parameter.dtype} as the model: got {inputs.dtype}")
    if inputs.device != parameter.device:
        raise ValueError(f"inputs must be on {parameter.device}: got {inputs.device}")
    if inputs.numel() == 0:
        raise ValueError(f"inputs must not be empty: got shape {tuple(inputs.shape)}")
    # The extremes are NaN or infinite if an entry is; unlike isfinite this makes no array.
    if not bool(torch.isfinite(torch.stack(torch.aminmax(inputs.detach()))).all()):
        raise ValueError("inputs must be finite: they hold NaN or infinite values")

"""The papers' networks: multilayer perceptrons and the convolutional network, Glorot initialised.

Both are plain `torch.nn.Sequential` of Linear, Conv2d, ReLU, MaxPool2d and Flatten, so that the
layer-by-layer routes of `core.networks.gradients` and `core.training.updates` can read off their
structure.
"""

from collections.abc import Sequence

import torch
from torch import nn

from sgdescape.core import validate
from sgdescape.core.doors import door

__all__ = ["cnn", "mlp"]

PAPER_MLP_PARITY = (784, 100, 100, 1)  # Mori et al., Section 5.1: even/odd MNIST, Fig. 1
PAPER_MLP_FASHION = (784, 2000, 2000, 2000, 10)  # Section 5.2: Figs 2 and 5
PAPER_CNN = ((64, 3), (128, 3), (256, 3))  # Section 5.2: (filters, convolutions) of each stack


@door
def mlp(widths: Sequence[int], *, seed: int, dtype=torch.float32, device="cpu") -> nn.Sequential:
    """Return a fully connected ReLU network with a linear output, Glorot initialised.

    Weights are uniform on ±sqrt(6 / (fan_in + fan_out)), biases zero. They are drawn in float64 on
    the CPU and then converted, so one seed is one network in every dtype and on every device.

    Args:
        widths: units of each layer (layers + 1,), from inputs to outputs, each >= 1.
        seed: integer >= 0; the draws are a function of it alone.
        dtype: floating-point type of the parameters.
        device: where they live; "auto" takes a GPU if there is one.

    Returns:
        Linear, ReLU, ..., Linear; it maps (n, widths[0]) to (n, widths[-1]).

    Raises:
        TypeError: if a width or the seed is not an integer, or dtype is not floating point.
        ValueError: if there are fewer than two widths, or one is below 1.

    Example:
        >>> net = mlp((784, 10, 1), seed=0)
        >>> sum(p.numel() for p in net.parameters())
        7861
    """
    widths = _widths("widths", widths, shortest=2)
    layers = []
    for i, (fan_in, fan_out) in enumerate(zip(widths[:-1], widths[1:], strict=True)):
        if i:
            layers.append(nn.ReLU())
        layers.append(_empty(nn.Linear, fan_in, fan_out, dtype=dtype))
    return _initialised(nn.Sequential(*layers), seed=seed, dtype=dtype, device=device)


@door
def cnn(
    channels: int,
    *,
    seed: int,
    stacks: Sequence[tuple[int, int]] = PAPER_CNN,
    outputs: int = 10,
    image_size: int = 28,
    dtype=torch.float32,
    device="cpu",
) -> nn.Sequential:
    """Return the convolutional network of Mori et al., Section 5.2, Glorot initialised.

    Each stack (filters, depth) is ``depth`` convolutions 3x3 of stride 1, each followed by ReLU,
    then max pooling over 2x2; a linear layer maps what is left to the outputs. The paper does not
    state the padding; we use 1, which keeps the image size inside a stack.

    Args:
        channels: of the images: 1 for MNIST and Fashion-MNIST, 3 for CIFAR-10.
        seed: integer >= 0, as in `mlp`.
        stacks: (filters, depth) of each stack, each >= 1.
        outputs: number of outputs, >= 1.
        image_size: height and width in pixels, >= 2 ** len(stacks).
        dtype: floating-point type of the parameters.
        device: where they live; "auto" takes a GPU if there is one.

    Returns:
        A network that maps (n, channels, image_size, image_size) to (n, outputs).

    Raises:
        TypeError: if a size or the seed is not an integer, or dtype is not floating point.
        ValueError: if a size is below its smallest value.

    Example:
        >>> net = cnn(1, stacks=((4, 1), (8, 1)), seed=0)
        >>> net(torch.zeros(5, 1, 28, 28)).shape
        torch.Size([5, 10])
    """
    channels = validate.count("channels", channels)
    outputs = validate.count("outputs", outputs)
    if not isinstance(stacks, Sequence) or not stacks:
        raise ValueError(f"stacks must hold at least one (filters, depth) pair: got {stacks!r}")
    size = validate.count("image_size", image_size, low=2 ** len(stacks))
    layers = []
    for stack in stacks:
        filters, depth = _widths("stacks", stack, shortest=2, longest=2)
        for _ in range(depth):
            layers += [_empty(nn.Conv2d, channels, filters, 3, padding=1, dtype=dtype), nn.ReLU()]
            channels = filters
        layers.append(nn.MaxPool2d(2))
        size //= 2
    layers += [nn.Flatten(), _empty(nn.Linear, channels * size * size, outputs, dtype=dtype)]
    return _initialised(nn.Sequential(*layers), seed=seed, dtype=dtype, device=device)


def _empty(layer, *sizes, dtype, **settings):
    # a layer's own constructor would draw from (and so disturb) torch's global generator
    if not (isinstance(dtype, torch.dtype) and dtype.is_floating_point):
        raise TypeError(f"dtype must be a floating-point torch.dtype: got {dtype!r}")
    return nn.utils.skip_init(layer, *sizes, dtype=dtype, **settings)


def _initialised(model, *, seed, dtype, device):
    generator = torch.Generator().manual_seed(validate.count("seed", seed, low=0, high=2**63 - 1))
    with torch.no_grad():
        for layer in model:
            if isinstance(layer, (nn.Linear, nn.Conv2d)):
                weight = torch.empty(layer.weight.shape, dtype=torch.float64)
                layer.weight.copy_(nn.init.xavier_uniform_(weight, generator=generator))
                layer.bias.zero_()
    return model.to(device=validate.device(device), dtype=dtype)


def _widths(name, values, *, shortest, longest=None):
    if isinstance(values, str) or not isinstance(values, Sequence):
        raise TypeError(f"{name} must be a sequence of integers: got {values!r}")
    if len(values) < shortest or (longest is not None and len(values) > longest):
        wanted = f"{shortest}" if longest == shortest else f"at least {shortest}"
        raise ValueError(f"{name} must hold {wanted} integers: got {values!r}")
    return tuple(validate.count(f"{name}[{i}]", v) for i, v in enumerate(values))

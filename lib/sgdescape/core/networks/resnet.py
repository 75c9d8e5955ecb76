"""ResNet-18 (He et al. 2016, arXiv 1512.03385), with the stem for ImageNet or for small images.

Parameters and buffers bear torchvision's names, in its order, so that a file of its weights fits
the full-width network: ``model.load_state_dict(torch.load(path, weights_only=True))``.
"""

import math
from collections import OrderedDict

import torch
from torch import Tensor, nn

from sgdescape.core import validate
from sgdescape.core.doors import door

__all__ = ["Block", "resnet18"]

STEMS = ("cifar", "imagenet")


class Block(nn.Module):
    """Two 3x3 convolutions and the identity, or a 1x1 convolution where the shape changes."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        """Take the numbers of channels, and the stride of the first convolution."""
        super().__init__()
        self.conv1, self.bn1 = _convolution(inputs, outputs, 3, stride), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = _convolution(outputs, outputs, 3), nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride > 1 or inputs != outputs:
            shortcut = _convolution(inputs, outputs, 1, stride)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, inputs, h, w) to (n, outputs, h / stride, w / stride)."""
        branch = torch.relu(self.bn1(self.conv1(x)))
        branch = self.bn2(self.conv2(branch))
        return torch.relu(branch + (x if self.downsample is None else self.downsample(x)))


@door
def resnet18(
    stem: str = "cifar",
    *,
    seed: int,
    width: int = 64,
    classes: int = 10,
    in_channels: int = 3,
    dtype=torch.float32,
    device="cpu",
) -> nn.Sequential:
    """Return a ResNet-18: stem, four stages of two blocks, mean over positions, linear layer.

    Convolutions are drawn from N(0, 2 / (fan_out)) (He et al. 2015, arXiv 1502.01852), BatchNorm
    starts as the identity, and the linear layer is uniform on ±1 / sqrt(fan_in). As in
    `models.mlp`, one seed is one network in every dtype and on every device.

    Args:
        stem: "imagenet": 7x7 convolution of stride 2 and 3x3 max pooling of stride 2; "cifar": one
            3x3 convolution of stride 1, for images of about 32x32.
        seed: integer >= 0; the draws are a function of it alone.
        width: channels of the first stage, doubled in each later one; 64 in the paper.
        classes: number of outputs, >= 1.
        in_channels: of the images: 1 for Fashion-MNIST, 3 for CIFAR-10 and ImageNet.
        dtype: floating-point type of the parameters.
        device: where they live; "auto" takes a GPU if there is one.

    Returns:
        A network that maps (n, in_channels, height, width) to logits (n, classes).

    Raises:
        TypeError: if a size or the seed is not an integer, or dtype is not floating point.
        ValueError: if a size is below 1, or the stem is unknown.

    Example:
        >>> sum(p.numel() for p in resnet18("imagenet", classes=1000, seed=0).parameters())
        11689512
    """
    validate.one_of("stem", stem, STEMS)
    for name, value in (("width", width), ("classes", classes), ("in_channels", in_channels)):
        validate.count(name, value)
    if not (isinstance(dtype, torch.dtype) and dtype.is_floating_point):
        raise TypeError(f"dtype must be a floating-point torch.dtype: got {dtype!r}")
    large = stem == "imagenet"
    layers = OrderedDict(
        conv1=_convolution(in_channels, width, 7 if large else 3, 2 if large else 1),
        bn1=nn.BatchNorm2d(width),
        relu=nn.ReLU(),
    )
    if large:
        layers["maxpool"] = nn.MaxPool2d(3, stride=2, padding=1)
    inputs = width
    for stage in range(4):
        outputs = width * 2**stage
        first = Block(inputs, outputs, 2 if stage else 1)
        layers[f"layer{stage + 1}"] = nn.Sequential(first, Block(outputs, outputs, 1))
        inputs = outputs
    layers |= OrderedDict(avgpool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten())
    layers["fc"] = nn.utils.skip_init(nn.Linear, inputs, classes)
    return _initialised(nn.Sequential(layers).to(dtype), seed).to(validate.device(device))


def _convolution(inputs, outputs, size, stride=1):
    # skip_init: the layer's own initialisation would draw from torch's global generator
    options = {"stride": stride, "padding": size // 2, "bias": False}
    return nn.utils.skip_init(nn.Conv2d, inputs, outputs, size, **options)


@torch.no_grad()
def _initialised(model, seed):
    generator = torch.Generator().manual_seed(validate.count("seed", seed, low=0, high=2**63 - 1))
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            fan_out = layer.weight[:, 0].numel()
            draw = torch.randn(layer.weight.shape, generator=generator, dtype=torch.float64)
            layer.weight.copy_(draw * math.sqrt(2 / fan_out))
        elif isinstance(layer, nn.Linear):
            bound = layer.in_features**-0.5
            for parameter in (layer.weight, layer.bias):
                draw = torch.rand(parameter.shape, generator=generator, dtype=torch.float64)
                parameter.copy_(bound * (2 * draw - 1))
    return model

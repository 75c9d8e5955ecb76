"""A network as a chain of layers: one forward pass kept, then cheap products with its Jacobian.

All layers of a supported network (see `chains`) are linear or piecewise linear, so a stored forward
pass *is* its linearisation: a Jacobian product is another pass through the same chain, and the
input layer, which is the widest, costs one matrix product a pass instead of the three of automatic
differentiation. Derivatives follow PyTorch's conventions (the slope of ReLU at 0 is 0).
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.grad import conv2d_input, conv2d_weight

from sgdescape.core.networks.chains import PARAMETRIC, chain, check_inputs

__all__ = [
    "Linearisation",
    "deltas",
    "inputs_of",
    "kept_bytes",
    "linearise",
    "pull",
    "push",
    "push_gradient",
    "split",
]


@dataclass(frozen=True)
class Linearisation:
    """One forward pass: everything later passes need.

    Attributes:
        modules: the layers of the chain, in order.
        saved: per layer, its input (Linear, Conv2d), its output (ReLU), the argmax indices and
            the input's shape (MaxPool2d), or the input's shape (Flatten).
        outputs: the network's outputs (n, outputs).
    """

    modules: tuple[nn.Module, ...]
    saved: tuple
    outputs: Tensor


@torch.no_grad()
def linearise(model: nn.Module, inputs: Tensor) -> Linearisation:
    """Run the network forward and keep what Jacobian products need.

    Args:
        model: a supported network, see `chain`.
        inputs: a batch (n, ...) in the parameters' dtype, on their device.

    Raises:
        TypeError: if the model or the dtype of the inputs does not fit.
        ValueError: if the batch is empty, not finite, of another shape or on another device.

    Example:
        >>> net = nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 1))
        >>> linearise(net, torch.ones(5, 3)).outputs.shape
        torch.Size([5, 1])
    """
    modules = chain(model)
    check_inputs(model, inputs)
    hidden, saved = inputs.detach(), []
    for index, module in enumerate(modules):
        if isinstance(module, PARAMETRIC):
            _check_fit(index, module, hidden, inputs)
            saved.append(hidden)
            hidden = _affine(module, hidden, module.weight, module.bias)
        elif isinstance(module, nn.ReLU):
            # What a layer with parameters gave is ours to overwrite; the caller's inputs are not.
            ours = index > 0 and isinstance(modules[index - 1], PARAMETRIC)
            hidden = F.relu(hidden, inplace=ours)
            saved.append(hidden)
        elif isinstance(module, nn.MaxPool2d):
            pooled, indices = F.max_pool2d(hidden, *_window(module), return_indices=True)
            saved.append((indices, hidden.shape))
            hidden = pooled
        else:
            saved.append(hidden.shape)
            hidden = hidden.flatten(1)
    if hidden.dim() != 2:
        raise ValueError(f"model must give outputs of shape (n, outputs): got {hidden.shape}")
    return Linearisation(modules, tuple(saved), hidden)


@torch.no_grad()
def push(lin: Linearisation, vector: Tensor) -> tuple[Tensor, tuple]:
    """Jacobian product J v by a tangent forward pass.

    Args:
        lin: the stored forward pass.
        vector: direction in parameter space (P,), ordered as `model.parameters()`.

    Returns:
        The change of the outputs (n, outputs) and, per layer with parameters, the change of its
        input (None where that is zero, as at the first one).
    """
    pieces, tangent, entering = iter(split(lin.modules, vector)), None, []
    for module, saved in zip(lin.modules, lin.saved, strict=True):
        if isinstance(module, PARAMETRIC):
            weight, bias = next(pieces)
            entering.append(tangent)
            moved = _affine(module, saved, weight, bias)
            if tangent is not None:
                moved += _affine(module, tangent, module.weight, None)
            tangent = moved
        elif tangent is not None:
            tangent = _through(module, saved, tangent)
    return tangent, tuple(entering)


@torch.no_grad()
def deltas(lin: Linearisation, cotangent: Tensor) -> list[Tensor]:
    """Backward pass: derivative with respect to the output of each layer with parameters.

    Args:
        lin: the stored forward pass.
        cotangent: weights of the outputs (n, outputs).

    Returns:
        One tensor per layer with parameters, in order, of the shape of its output.
    """
    return _backward(lin, cotangent, None, None)[0]


@torch.no_grad()
def pull(lin: Linearisation, cotangent: Tensor) -> Tensor:
    """Transposed Jacobian product Jᵀ u, summed over the batch: a flat vector (P,)."""
    return _gather(lin, inputs_of(lin), deltas(lin, cotangent))


@torch.no_grad()
def push_gradient(
    lin: Linearisation, vector: Tensor, cotangent: Tensor, moved: Tensor, entering: tuple
) -> Tensor:
    """Directional derivative of Jᵀ u along v: the product of a Hessian with a vector.

    The chain is piecewise linear, so the only second derivatives come from products of weights
    of different layers: ∂(Jᵀu)[v] = Jᵀ u̇ + (∂J)ᵀ u, by the product rule in every layer.

    Args:
        lin: the stored forward pass.
        vector: direction v (P,).
        cotangent: u, derivative of the loss with respect to the outputs (n, outputs).
        moved: u̇, its change along v (n, outputs).
        entering: changes of the layers' inputs, second result of `push`.

    Returns:
        A flat vector (P,).
    """
    first, second = _backward(lin, cotangent, moved, split(lin.modules, vector))
    return _gather(lin, inputs_of(lin), second, (entering, first))


def inputs_of(lin: Linearisation) -> tuple[Tensor, ...]:
    """Return the inputs of the layers with parameters."""
    pairs = zip(lin.modules, lin.saved, strict=True)
    return tuple(saved for module, saved in pairs if isinstance(module, PARAMETRIC))


def kept_bytes(lin: Linearisation) -> int:
    """Return the bytes of what a forward pass keeps, counting a tensor kept twice once."""
    parts = [lin.outputs]
    for saved in lin.saved:
        parts += [saved] if isinstance(saved, Tensor) else [s for s in saved if torch.is_tensor(s)]
    return sum({part.data_ptr(): part.nbytes for part in parts}.values())


def split(modules: tuple[nn.Module, ...], vector: Tensor) -> list[tuple[Tensor, Tensor | None]]:
    """Cut a flat vector (P,) into (weight, bias) views, one pair per layer with parameters.

    Raises:
        ValueError: if the vector's length is not the number of parameters.
    """
    owners = [m for m in modules if isinstance(m, PARAMETRIC)]
    size = sum(p.numel() for m in owners for p in m.parameters())
    if vector.shape != (size,):
        raise ValueError(f"vector must have shape ({size},): got {tuple(vector.shape)}")
    pieces, start = [], 0
    for module in owners:
        pair = []
        for parameter in (module.weight, module.bias):
            if parameter is None:
                pair.append(None)
                continue
            pair.append(vector[start : start + parameter.numel()].view(parameter.shape))
            start += parameter.numel()
        pieces.append(tuple(pair))
    return pieces


def _check_fit(index, module, hidden, inputs):
    if isinstance(module, nn.Linear):
        fits = hidden.dim() == 2 and hidden.shape[1] == module.in_features
        takes = f"({module.in_features},)"
    else:
        fits = hidden.dim() == 4 and hidden.shape[1] == module.in_channels
        takes = f"({module.in_channels}, height, width)"
    if not fits:
        raise ValueError(
            f"inputs do not fit the model: layer {index} takes shape {takes} a sample, samples of "
            f"shape {tuple(inputs.shape[1:])} give it {tuple(hidden.shape[1:])}"
        )


def _affine(module, hidden, weight, bias):
    if isinstance(module, nn.Linear):
        return F.linear(hidden, weight, bias)
    return F.conv2d(hidden, weight, bias, module.stride, module.padding, module.dilation)


def _window(module):
    return module.kernel_size, module.stride, module.padding, module.dilation, module.ceil_mode


def _through(module, saved, tangent):
    if isinstance(module, nn.ReLU):
        return torch.ops.aten.threshold_backward(tangent, saved, 0)
    if isinstance(module, nn.MaxPool2d):
        indices, _ = saved
        return tangent.flatten(2).gather(2, indices.flatten(2)).view(indices.shape)
    return tangent.flatten(1)


def _back(module, saved, delta, weight=None):
    if isinstance(module, nn.Linear):
        return delta @ weight
    if isinstance(module, nn.Conv2d):
        options = module.stride, module.padding, module.dilation
        return conv2d_input(saved.shape, weight, delta, *options)
    if isinstance(module, nn.ReLU):  # one pass; a product with a mask takes ten times as long
        return torch.ops.aten.threshold_backward(delta, saved, 0)
    if isinstance(module, nn.MaxPool2d):
        indices, shape = saved
        full = delta.new_zeros(shape).flatten(2)
        # Windows may overlap: add, do not overwrite.
        return full.scatter_add_(2, indices.flatten(2), delta.flatten(2)).view(shape)
    return delta.view(saved)


def _backward(lin, cotangent, moved, directions):
    """Deltas of every layer with parameters and, if asked, their changes along a direction."""
    first, second = [], []
    owners = [i for i, m in enumerate(lin.modules) if isinstance(m, PARAMETRIC)]
    delta = cotangent
    for index in range(len(lin.modules) - 1, owners[0] - 1, -1):
        module, saved = lin.modules[index], lin.saved[index]
        if not isinstance(module, PARAMETRIC):
            delta = _back(module, saved, delta)
            moved = None if moved is None else _back(module, saved, moved)
            continue
        first.append(delta)
        second.append(moved)
        if index == owners[0]:
            break
        if moved is not None:
            weight, _ = directions[owners.index(index)]
            moved = _back(module, saved, moved, module.weight)
            moved += _back(module, saved, delta, weight)
        delta = _back(module, saved, delta, module.weight)
    return first[::-1], second[::-1]


def _gather(lin, entering, leaving, moving=None):
    """Sum over the batch of delta times input, layer by layer, as one flat vector (P,).

    ``moving`` = (changes of the inputs, unchanged deltas) adds the other half of a product rule,
    in which a bias, whose input is the constant 1, has no share.
    """
    owners = [m for m in lin.modules if isinstance(m, PARAMETRIC)]
    pieces = []
    for index, module in enumerate(owners):
        weight = _weight_gradient(module, entering[index], leaving[index])
        if moving is not None and moving[0][index] is not None:
            weight += _weight_gradient(module, moving[0][index], moving[1][index])
        pieces.append(weight.flatten())
        if module.bias is not None:
            delta = leaving[index]
            pieces.append(delta.sum(0) if delta.dim() == 2 else delta.sum((0, 2, 3)))
    return torch.cat(pieces)


def _weight_gradient(module, hidden, delta):
    if isinstance(module, nn.Linear):
        return delta.T @ hidden
    options = module.stride, module.padding, module.dilation
    return conv2d_weight(hidden, module.weight.shape, delta, *options)

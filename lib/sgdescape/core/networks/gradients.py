"""Per-sample gradient norms without per-sample gradients.

A layer's per-sample gradient is an outer product of what enters it and what comes back to it, so
its norm follows from the two factors: ‖a‖²‖δ‖² for a Linear layer ("ghost norm"; Goodfellow 2015,
arXiv 1510.01799), and for a convolution either from two T x T Gram matrices over its T positions
or from the layer's small kernel gradient, whichever needs fewer operations. One forward and one
backward pass serve all samples; nothing of size n x P is formed.

`batch_gradients` does form it, by `torch.func`: for few samples, and the reference of the tests.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.networks.chains import PARAMETRIC, check_inputs
from sgdescape.core.networks.layers import Linearisation, deltas, inputs_of, kept_bytes, linearise
from sgdescape.core.networks.plain import check_losses, clean_modes

__all__ = [
    "batch_gradients",
    "check_targets",
    "chunks",
    "cotangent_norms",
    "output_curvature",
    "output_gradient_norms",
    "output_gradients",
    "per_sample_gradient_norms",
    "unit_cotangents",
]

Loss = Callable[[Tensor, Tensor], Tensor]

PASS_BYTES = 2**24  # kept by one chunk's forward pass: larger chunks are no faster, only larger
SMALLEST_CHUNK = 16  # below it a pass is dominated by its fixed costs
PATCH_BYTES = 2**23  # unfolded patches of a convolution: fits a cache


@door
@clean_modes
def per_sample_gradient_norms(
    model: nn.Module, inputs: Tensor, targets: Tensor, *, loss: Loss, chunk: int | None = None
) -> Tensor:
    """Squared norms ||∇ℓ_μ||² of the per-sample gradients, in one backward pass.

    Args:
        model: a supported network (see `chains.chain`) with P parameters; frozen ones count too.
        inputs: samples (n, ...).
        targets: their targets (n,) or (n, outputs).
        loss: per-sample loss, (outputs, targets) -> (n,), as in `sgd.LOSSES`.
        chunk: samples a pass; None chooses by memory. It does not change the result.

    Returns:
        Squared norms (n,), float64.

    Raises:
        TypeError: if the model, the inputs or the loss is of the wrong kind.
        ValueError: if sizes do not match or the inputs are not finite.

    Example:
        >>> net = nn.Sequential(nn.Linear(2, 1, bias=False))
        >>> _ = nn.init.zeros_(net[0].weight)
        >>> half_square = lambda f, y: 0.5 * (f[:, 0] - y) ** 2
        >>> x, y = torch.tensor([[3.0, 4.0], [1.0, 0.0]]), torch.tensor([1.0, 2.0])
        >>> per_sample_gradient_norms(net, x, y, loss=half_square)  # |y x|²
        tensor([25.,  4.], dtype=torch.float64)
    """
    check_targets(inputs, targets)
    norms = []
    for rows in chunks(model, inputs, chunk):
        lin = linearise(model, inputs[rows])
        cotangent = output_gradients(lin.outputs, targets[rows], loss)
        norms.append(_norms(lin, [[cotangent]])[0])
    return torch.cat(norms)


@door
@clean_modes
def output_gradient_norms(model: nn.Module, inputs: Tensor, *, chunk: int | None = None) -> Tensor:
    """Squared norms of the outputs' gradients, ||J_μ||² = Σ_c ||∇f_c(x_μ)||².

    For one output this is ∇fᵀ∇f, the trace of C_f of Mori et al., Eq. (7). Exact: one backward
    pass for each output.

    Args:
        model: a supported network (see `chains.chain`); frozen parameters count too.
        inputs: samples (n, ...).
        chunk: samples a pass; None chooses by memory. It does not change the result.

    Returns:
        Squared norms (n,), float64.

    Raises:
        TypeError: if the model or the inputs are of the wrong kind.
        ValueError: if the inputs are empty or not finite.

    Example:
        >>> net = nn.Sequential(nn.Linear(2, 3))
        >>> norms = output_gradient_norms(net, torch.tensor([[3.0, 4.0]]))
        >>> norms.round()  # 3 outputs of |x|² + 1
        tensor([78.], dtype=torch.float64)
    """
    norms = []
    for rows in chunks(model, inputs, chunk):
        lin = linearise(model, inputs[rows])
        norms.append(_norms(lin, [unit_cotangents(lin.outputs)])[0])
    return torch.cat(norms)


@door
@clean_modes
def cotangent_norms(
    model: nn.Module, inputs: Tensor, cotangents, *, chunk: int | None = None
) -> Tensor:
    """Return the squared norms ||J_μᵀu_μ||² for several u and ||J_μ||², from one forward pass.

    The same as `per_sample_gradient_norms` of the losses u·f and `output_gradient_norms`.

    Args:
        model: a supported network (see `chains.chain`).
        inputs: samples (n, ...).
        cotangents: weights u of the outputs, each (n, outputs).
        chunk: samples a pass; None chooses by memory. It does not change the result.

    Returns:
        Squared norms (cotangents + 1, n), float64; the last row is ||J_μ||².

    Raises:
        TypeError: if the model or the inputs are of the wrong kind.
        ValueError: if sizes do not match or the inputs are not finite.

    Example:
        >>> net = nn.Sequential(nn.Linear(2, 3))
        >>> norms = cotangent_norms(net, torch.tensor([[3.0, 4.0]]), [torch.tensor([[1.0, 1, 0]])])
        >>> norms.round().squeeze(1)  # |u|² and 3, times |x|² + 1
        tensor([52., 78.], dtype=torch.float64)
    """
    for cotangent in cotangents:
        check_targets(inputs, cotangent)
    norms = []
    for rows in chunks(model, inputs, chunk):
        lin = linearise(model, inputs[rows])
        groups = [[cotangent[rows]] for cotangent in cotangents]
        norms.append(_norms(lin, [*groups, unit_cotangents(lin.outputs)]))
    return torch.cat(norms, dim=1)


@door
@clean_modes
def batch_gradients(model: nn.Module, inputs: Tensor, targets: Tensor, *, loss: Loss) -> Tensor:
    """Per-sample gradients ∇ℓ_μ, explicitly, by `torch.func.vmap(grad)`: the reference.

    Args:
        model: any module `torch.func` can differentiate, with P parameters.
        inputs: samples (n, ...).
        targets: their targets (n,) or (n, outputs).
        loss: per-sample loss, (outputs, targets) -> (n,).

    Returns:
        Gradients (n, P) in the parameters' dtype, ordered as `model.parameters()`. Memory n P.

    Raises:
        ValueError: if inputs and targets differ in length.

    Example:
        >>> net = nn.Sequential(nn.Linear(2, 1))
        >>> half_square = lambda f, y: 0.5 * (f[:, 0] - y) ** 2
        >>> batch_gradients(net, torch.ones(5, 2), torch.ones(5), loss=half_square).shape
        torch.Size([5, 3])
    """
    check_inputs(model, inputs)
    check_targets(inputs, targets)

    def one(parameters, x, y):
        outputs = torch.func.functional_call(model, parameters, (x[None],))
        return check_losses(loss(outputs, y[None]), 1).squeeze(0)

    return _flatten(_vmapped(torch.func.grad(one), model, inputs, targets), inputs.shape[:1])


@door
@clean_modes
def output_gradients(outputs: Tensor, targets: Tensor, loss: Loss) -> Tensor:
    """Derivatives of the per-sample losses with respect to the outputs, (n, outputs).

    Raises:
        TypeError: if ``loss`` does not return a tensor.
        ValueError: if it does not return one value a sample, shape (n,).
    """
    with torch.enable_grad():
        leaf = outputs.detach().requires_grad_()
        return torch.autograd.grad(_summed(leaf, targets, loss), leaf)[0]


@door
@clean_modes
def output_curvature(
    outputs: Tensor, targets: Tensor, loss: Loss, moved: Tensor
) -> tuple[Tensor, Tensor]:
    """Slopes ∂ℓ/∂f as `output_gradients`, and their change ∂²ℓ/∂f² ḟ for a change ḟ of f.

    Args:
        outputs: f (n, outputs).
        targets: their targets.
        loss: per-sample loss, (outputs, targets) -> (n,), twice differentiable.
        moved: change of the outputs (n, outputs).

    Returns:
        Two tensors (n, outputs).
    """
    with torch.enable_grad():
        leaf = outputs.detach().requires_grad_()
        (slope,) = torch.autograd.grad(_summed(leaf, targets, loss), leaf, create_graph=True)
        if not slope.requires_grad:  # a loss linear in the outputs
            return slope, torch.zeros_like(slope)
        curved = torch.autograd.grad(slope, leaf, moved, materialize_grads=True)[0]
    return slope.detach(), curved


def unit_cotangents(outputs: Tensor) -> Iterator[Tensor]:
    """Yield, for each output in turn, the cotangent (n, outputs) that selects it."""
    for index in range(outputs.shape[1]):
        cotangent = torch.zeros_like(outputs)
        cotangent[:, index] = 1
        yield cotangent


def chunks(
    model: nn.Module, inputs: Tensor, chunk: int | None, *, budget: int = PASS_BYTES
) -> Iterator[slice]:
    """Yield slices over the samples; None sizes them so that a pass keeps ``budget`` bytes."""
    if chunk is None:
        kept = kept_bytes(linearise(model, inputs[:1]))
        chunk = max(SMALLEST_CHUNK, budget // kept)
    chunk = validate.count("chunk", chunk)
    for start in range(0, len(inputs), chunk):
        yield slice(start, start + chunk)


@door
def check_targets(inputs: Tensor, targets: Tensor) -> None:
    """Refuse targets of another length than the inputs, or not finite.

    Raises:
        TypeError: if they are complex.
        ValueError: if the lengths differ, or a target is NaN or infinite.
    """
    if targets.is_complex():
        raise TypeError(f"targets must be real: got {targets.dtype}")
    if len(inputs) != len(targets):
        raise ValueError(
            f"inputs and targets must have the same length: got {len(inputs)} and {len(targets)}"
        )
    if targets.is_floating_point() and not bool(torch.isfinite(targets.detach()).all()):
        raise ValueError("targets must be finite: they hold NaN or infinite values")


def _summed(leaf, targets, loss):
    return check_losses(loss(leaf, targets), len(leaf)).sum()


def _norms(lin: Linearisation, groups) -> Tensor:
    """Squared norms of the pulled-back cotangents, summed over the cotangents of each group."""
    owners = [m for m in lin.modules if isinstance(m, PARAMETRIC)]
    passes = [[deltas(lin, cotangent) for cotangent in group] for group in groups]
    total = lin.outputs.new_zeros(len(passes), len(lin.outputs), dtype=torch.float64)
    for index, (module, hidden) in enumerate(zip(owners, inputs_of(lin), strict=True)):
        # The cotangents of one sample side by side: the input's share is computed once.
        sides = [torch.cat([leaving[index] for leaving in group], dim=1) for group in passes]
        if isinstance(module, nn.Linear):
            size = _squares(hidden) + (module.bias is not None)
            for norms, delta in zip(total, sides, strict=True):
                norms += _squares(delta) * size
        else:
            total += _convolution_norms(module, hidden, [delta.flatten(2) for delta in sides])
    return total


def _convolution_norms(module, hidden, sides):
    patch, positions = module.weight[0].numel(), sides[0].shape[2]
    rows = max(1, PATCH_BYTES // (patch * positions * hidden.element_size()))
    options = module.kernel_size, module.dilation, module.padding, module.stride
    pieces = []
    for start in range(0, len(hidden), rows):
        part = slice(start, start + rows)
        patches, gram, found = (
            F.unfold(hidden[part], *options),
            None,
            [],
        )  # (rows, patch, positions)
        for delta in sides:
            back, channels = delta[part], delta.shape[1]
            if channels * patch * positions < positions**2 * (channels + patch):
                norms = _squares(back @ patches.mT)
            else:
                gram = patches.mT @ patches if gram is None else gram
                norms = (back.mT @ back).mul_(gram).sum((1, 2), dtype=torch.float64)
            found.append(norms + _squares(back.sum(2)) if module.bias is not None else norms)
        pieces.append(torch.stack(found))
    return torch.cat(pieces, dim=1)


def _squares(array):
    """Sum of squares of each sample, accumulated in float64."""
    return torch.linalg.vector_norm(array.flatten(1), dim=1, dtype=torch.float64).square()


def _vmapped(function, model, *arrays):
    parameters = {name: p.detach() for name, p in model.named_parameters()}
    in_dims = (None, *(0 for _ in arrays))
    return torch.func.vmap(function, in_dims=in_dims)(parameters, *arrays)


def _flatten(leaves, lead):
    return torch.cat([leaf.reshape(*lead, -1) for leaf in leaves.values()], dim=-1)

"""Hessian and Gauss-Newton products of any module, through BatchNorm in a stated mode.

BatchNorm makes the loss of a sample depend on the others of its batch, so "the Hessian" is of a
function that has to be named: with the statistics of the batch ("train"), the mean loss of a
fixed set taken as one batch, or as several; with the running statistics ("eval"), the mean of the
samples' own losses. Products are exact derivatives of that function and leave the module as it
is: they work on a copy, whose running statistics nobody reads.
"""

import copy

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.networks.chains import check_inputs, parameter_count
from sgdescape.core.networks.gradients import Loss, check_targets, output_curvature
from sgdescape.core.networks.plain import check_losses, clean_modes
from sgdescape.core.spectra._krylov import MatVec

__all__ = ["frozen", "gauss_newton_product", "gradient", "has_batch_norm", "hessian_product"]

MODES = ("train", "eval")
KEPT_BYTES = 2**29  # of graphs kept between products
CHUNK = 256  # samples a pass where they do not depend on each other

_BATCH_NORM = nn.modules.batchnorm._BatchNorm


@door
def has_batch_norm(model: nn.Module) -> bool:
    """Return whether a layer of the model normalises by statistics of its batch.

    Example:
        >>> has_batch_norm(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)))
        True
    """
    return any(isinstance(module, _BATCH_NORM) for module in model.modules())


@door
def frozen(model: nn.Module, mode: str | None) -> nn.Module:
    """Return a copy of the model with BatchNorm in the given mode and all else in evaluation.

    Args:
        model: any module.
        mode: "train" or "eval"; None only for models without BatchNorm.

    Raises:
        ValueError: if the mode is unknown, or not stated for a model with BatchNorm.

    Example:
        >>> frozen(nn.Sequential(nn.BatchNorm1d(3)), None)
        Traceback (most recent call last):
        ...
        ValueError: batch_norm must be 'train' or 'eval' for a model with BatchNorm: got None
    """
    if mode is not None:
        validate.one_of("batch_norm", mode, MODES)
    elif has_batch_norm(model):
        raise ValueError(
            "batch_norm must be 'train' or 'eval' for a model with BatchNorm: got None"
        )
    for name, module in model.named_modules():
        if "forward" in vars(module):  # the copy's would still use the original's parameters
            raise TypeError(f"model must not have a forward set on a module by hand: {name} has")
    try:
        twin = copy.deepcopy(model)
    except RuntimeError as error:  # computed weights, such as those of pruning, cannot be copied
        raise TypeError(
            "model must be one that can be copied (after pruning call "
            f"torch.nn.utils.prune.remove): {error}"
        ) from error
    twin.eval()  # Dropout would make every product another one
    for module in twin.modules():
        if isinstance(module, _BATCH_NORM):
            module.train(mode == "train")
    return twin


@door
@clean_modes
def hessian_product(
    model: nn.Module,
    inputs: Tensor,
    targets: Tensor,
    *,
    loss: Loss,
    batch_norm: str | None = None,
    chunk: int | None = None,
) -> MatVec:
    """Return v -> H v with the Hessian of the mean loss, by two backward passes.

    Args:
        model: any module made of twice differentiable operations, with P parameters.
        inputs: samples (n, ...).
        targets: their targets.
        loss: per-sample loss, (outputs, targets) -> (n,), made of differentiable operations.
        batch_norm: "train": statistics of the batch; "eval": the running ones; None: the model
            has no BatchNorm.
        chunk: samples a pass. With batch_norm="train" it is part of the question: so many
            samples share their statistics, as in training with that batch size, and the loss is
            the mean over these batches; None takes all n as one batch. Otherwise it only bounds
            the memory.

    Returns:
        A function of a vector (P,), float64 out, of the parameters at the time of this call.

    Raises:
        TypeError: if the inputs are of the wrong kind.
        ValueError: if sizes do not match, the mode is not stated, or batches of ``chunk`` samples
            do not divide n.
    """
    slices, twin = _slices(model, inputs, targets, batch_norm, chunk)
    parameters = list(twin.parameters())

    def slope(rows):
        with torch.enable_grad():
            outputs = twin(inputs[rows])
            value = check_losses(loss(outputs, targets[rows]), len(outputs)).sum()
            pieces = torch.autograd.grad(
                value, parameters, create_graph=True, materialize_grads=True
            )
            return torch.cat([piece.flatten() for piece in pieces])

    # The first backward pass is the same in every product: its graph is kept where there is room.
    kept = [slope(rows) for rows in slices[: _affordable(slope, slices)]]

    @clean_modes
    def product(vector: Tensor) -> Tensor:
        _check_vector(vector, parameters)
        total = torch.zeros_like(vector, dtype=torch.float64)
        for index, rows in enumerate(slices):
            keep = index < len(kept)
            flat = kept[index] if keep else slope(rows)
            options = {"retain_graph": keep, "materialize_grads": True}
            total += _flat(torch.autograd.grad(flat, parameters, vector.to(flat), **options))
        return total / len(inputs)

    return product


@door
@clean_modes
def gauss_newton_product(
    model: nn.Module,
    inputs: Tensor,
    targets: Tensor,
    *,
    loss: Loss,
    batch_norm: str | None = None,
    chunk: int | None = None,
) -> MatVec:
    """Return v -> G v with G = (1/N) Jᵀ (∂²ℓ/∂f²) J, J the Jacobian of all outputs of a pass.

    With batch_norm="train" J also holds how a sample moves the outputs of the others.

    Args:
        model: any module made of differentiable operations, with P parameters.
        inputs: samples (n, ...).
        targets: their targets.
        loss: per-sample loss, (outputs, targets) -> (n,), made of differentiable operations.
        batch_norm: as in `hessian_product`.
        chunk: as in `hessian_product`.

    Returns:
        A function of a vector (P,), float64 out, of the parameters at the time of this call.

    Raises:
        TypeError: if the inputs are of the wrong kind.
        ValueError: as `hessian_product`.
    """
    slices, twin = _slices(model, inputs, targets, batch_norm, chunk)
    parameters = list(twin.parameters())

    @clean_modes
    def product(vector: Tensor) -> Tensor:
        total = torch.zeros_like(vector, dtype=torch.float64)
        for rows in slices:
            with forward_ad.dual_level(), torch.enable_grad():
                duals = _duals(twin, vector, inputs.dtype)
                dual = torch.func.functional_call(twin, duals, (inputs[rows],))
                outputs, moved = forward_ad.unpack_dual(dual)
                _, curved = output_curvature(outputs, targets[rows], loss, moved.detach())
            pulled = torch.autograd.grad(outputs, parameters, curved, materialize_grads=True)
            total += _flat(pulled)
        return total / len(inputs)

    return product


@door
@clean_modes
def gradient(
    model: nn.Module,
    inputs: Tensor,
    targets: Tensor,
    *,
    loss: Loss,
    batch_norm: str | None = None,
    chunk: int | None = None,
) -> Tensor:
    """Return the gradient (P,) of the mean loss, float64, as `hessian_product` takes it.

    Args:
        model: any module made of differentiable operations, with P parameters.
        inputs: samples (n, ...).
        targets: their targets.
        loss: per-sample loss, (outputs, targets) -> (n,), made of differentiable operations.
        batch_norm: as in `hessian_product`.
        chunk: as in `hessian_product`.

    Raises:
        TypeError: if the inputs are of the wrong kind.
        ValueError: as `hessian_product`.

    Example:
        >>> net = nn.Sequential(nn.Linear(1, 1, bias=False))
        >>> _ = nn.init.ones_(net[0].weight)
        >>> half_square = lambda f, y: 0.5 * (f[:, 0] - y) ** 2
        >>> gradient(net, torch.tensor([[2.0]]), torch.tensor([1.0]), loss=half_square)
        tensor([2.], dtype=torch.float64)
    """
    slices, twin = _slices(model, inputs, targets, batch_norm, chunk)
    parameters = list(twin.parameters())
    total = torch.zeros(parameter_count(twin), dtype=torch.float64, device=inputs.device)
    for rows in slices:
        with torch.enable_grad():
            outputs = twin(inputs[rows])
            value = check_losses(loss(outputs, targets[rows]), len(outputs)).sum()
            total += _flat(torch.autograd.grad(value, parameters, materialize_grads=True))
    return total / len(inputs)


def _slices(model, inputs, targets, batch_norm, chunk):
    check_targets(inputs, targets)
    check_inputs(model, inputs)
    twin, n = frozen(model, batch_norm), len(inputs)
    shared = any(_shares(module) for module in twin.modules())
    if chunk is None:
        chunk = n if shared else CHUNK
    validate.count("chunk", chunk)
    if shared and n % chunk:
        raise ValueError(
            f"chunk must divide the number of samples, {n}, where a batch shares its "
            f"statistics: got {chunk}"
        )
    for parameter in twin.parameters():
        parameter.requires_grad_()
    return [slice(start, start + chunk) for start in range(0, n, chunk)], twin


def _shares(module):
    """Whether the samples of a batch share statistics: in training, or where none are kept."""
    return isinstance(module, _BATCH_NORM) and (module.training or module.running_mean is None)


def _affordable(slope, slices):
    """How many slices' graphs to keep between products: all within KEPT_BYTES, or the only one."""
    if len(slices) == 1:
        return 1  # a product needs it whole anyway
    seen = {}

    def note(tensor):
        seen[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        graph = slope(slices[0])  # held until its bytes are counted
    del graph
    return KEPT_BYTES // max(1, sum(seen.values()))


def _duals(twin, vector, dtype):
    """Parameters that carry the direction as their tangent, by name."""
    named = dict(twin.named_parameters())
    _check_vector(vector, named.values())
    pieces = vector.to(dtype).split([p.numel() for p in named.values()])
    return {
        name: forward_ad.make_dual(p, piece.view(p.shape))
        for (name, p), piece in zip(named.items(), pieces, strict=True)
    }


def _check_vector(vector, parameters):
    size = sum(p.numel() for p in parameters)
    if vector.shape != (size,):
        raise ValueError(f"vector must have shape ({size},): got {tuple(vector.shape)}")


def _flat(pieces) -> Tensor:
    return torch.cat([piece.detach().flatten() for piece in pieces]).double()

"""Which networks the fast paths may take, and what every entry asks of a model and a loss.

A fast path computes with the weights of the layers and never calls ``forward``. That is right only
if forward is what the classes say: exact classes, nothing hooked, pruned, parametrised or shared.
One predicate decides it for all fast paths; who fails it takes the general route or is refused.
"""

import functools
from collections.abc import Callable
from contextlib import ExitStack

import torch
from torch import Tensor, nn

from sgdescape.core.doors import door

__all__ = ["check_losses", "check_model", "clean_modes", "foreign"]

_HOOKS = (
    "_forward_hooks",
    "_forward_pre_hooks",
    "_backward_hooks",
    "_backward_pre_hooks",
)
_GLOBAL_HOOKS = (
    "_global_forward_hooks",
    "_global_forward_pre_hooks",
    "_global_backward_hooks",
    "_global_backward_pre_hooks",
)
DTYPES = (torch.float32, torch.float64)


@door
def foreign(model: nn.Module, kinds: tuple[type, ...]) -> str | None:
    """Return why a model is not just its layers, None if it is.

    Args:
        model: any module.
        kinds: the exact classes that layers may have.

    Returns:
        A reason that completes "model must be a plain nn.Sequential: ...", or None.

    Example:
        >>> foreign(nn.Sequential(nn.Linear(2, 1)), (nn.Linear,)) is None
        True
        >>> layer = nn.Linear(2, 2)
        >>> foreign(nn.Sequential(layer, layer), (nn.Linear,))
        'layer 1 shares its parameters with an earlier one'
    """
    if type(model) is not nn.Sequential:
        return f"it is a {type(model).__name__}"
    if any(getattr(torch.nn.modules.module, name, None) for name in _GLOBAL_HOOKS):
        return "global hooks are registered for all modules"
    if reason := _changed(model):
        return f"the model {reason}"
    seen: list[tuple] = []
    for index, layer in enumerate(model):
        if type(layer) not in kinds:
            return f"layer {index} is a {type(layer).__name__}"
        if reason := _changed(layer):
            return f"layer {index} {reason}"
        own = dict(layer.named_parameters(recurse=False))
        wanted = {name for name in ("weight", "bias") if getattr(layer, name, None) is not None}
        if set(own) != wanted:
            return f"layer {index} computes its {' and '.join(sorted(wanted - set(own)))}"
        for name, parameter in own.items():
            if type(parameter) is not nn.Parameter:
                return f"the {name} of layer {index} is a {type(parameter).__name__}"
            if parameter._backward_hooks:
                return f"the {name} of layer {index} has a gradient hook"
            memory, first, last = _span(parameter)
            if last - first < parameter.numel():
                return f"the {name} of layer {index} is expanded: its entries share memory"
            if any(memory == m and first < b and a < last for m, a, b in seen):
                return f"layer {index} shares its parameters with an earlier one"
            seen.append((memory, first, last))
    return None


def _span(parameter):
    """Where a parameter lies: its storage, and the first and last place of it that it uses."""
    first = parameter.storage_offset()
    steps = zip(parameter.shape, parameter.stride(), strict=True)
    length = sum((size - 1) * stride for size, stride in steps) + 1 if parameter.numel() else 0
    return parameter.untyped_storage().data_ptr(), first, first + length


def _changed(module):
    """What stands between a module and the forward of its class."""
    if any(getattr(module, name, None) for name in _HOOKS):
        return "has hooks (pruning and weight_norm put some)"
    if "forward" in vars(module):
        return "has another forward than its class"
    return None


def check_model(model: nn.Module) -> None:
    """Refuse models that no formula here is right for.

    Raises:
        TypeError: if it is no module, or its parameters are not all float32 or all float64.
        ValueError: if it has no parameters, or they hold NaN or infinity.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model must be a torch.nn.Module: got {type(model).__name__}")
    parameters = list(model.parameters())
    if not parameters:
        raise ValueError("model must have parameters: got none")
    dtypes = sorted({str(p.dtype) for p in parameters})
    if len(dtypes) > 1 or parameters[0].dtype not in DTYPES:
        raise TypeError(
            "model must have parameters of one dtype, torch.float32 or torch.float64: got "
            + ", ".join(dtypes)
        )
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.numel() and not bool(
                torch.isfinite(torch.stack(torch.aminmax(parameter))).all()
            ):
                raise ValueError(f"model must have finite parameters: {name} holds NaN or infinity")


def check_losses(losses, count: int) -> Tensor:
    """Return what a loss gave if it is one value a sample; a mean or a broadcast is refused.

    Args:
        losses: of the caller's loss.
        count: number n of samples.

    Raises:
        TypeError: if it is no floating-point tensor.
        ValueError: if its shape is not (n,).
    """
    if not isinstance(losses, Tensor):
        raise TypeError(f"loss must return a torch.Tensor: got {type(losses).__name__}")
    if not losses.is_floating_point():
        raise TypeError(f"loss must return floating-point losses: got {losses.dtype}")
    if losses.shape != (count,):
        raise ValueError(
            f"loss must return per-sample values of shape ({count},): got {tuple(losses.shape)}; "
            "neither their mean nor a broadcast of outputs (n, 1) against targets (n,)"
        )
    return losses


def clean_modes(function: Callable) -> Callable:
    """Return the function outside of torch's ambient modes: they would change its numbers.

    Automatic mixed precision is switched off inside and gradients on, whatever the caller's
    surroundings; under ``torch.inference_mode`` nothing can be differentiated, so it is refused.
    """

    @functools.wraps(function)
    def clean(*arguments, **options):
        if torch.is_inference_mode_enabled():
            raise ValueError(
                f"{function.__name__} must be called outside of torch.inference_mode(): it "
                "differentiates"
            )
        with ExitStack() as stack:
            stack.enter_context(torch.enable_grad())
            for device in ("cpu", "cuda"):
                if torch.is_autocast_enabled(device):
                    stack.enter_context(torch.autocast(device, enabled=False))
            return function(*arguments, **options)

    return clean

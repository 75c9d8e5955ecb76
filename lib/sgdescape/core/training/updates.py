"""One step of stochastic gradient descent: by automatic differentiation, and fused for dense nets.

`update_rule` looks at the model and picks: a Linear/ReLU stack gets the hand-written backward pass
whose weight update is part of the last matrix product, anything else gets autograd.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from sgdescape.core.doors import door
from sgdescape.core.networks.plain import check_losses, foreign

__all__ = ["autograd_update", "dense_update", "is_dense", "update_rule"]

Update = Callable[[Tensor, Tensor], Tensor]  # (inputs, targets) of a batch -> its mean loss, before


def update_rule(
    model: nn.Module, buffers: list[Tensor], *, loss, learning_rate, momentum, weight_decay
) -> Update:
    """Return the function that takes one step of Eq. (2) on a batch, in place.

    The step is b <- momentum * b + g + weight_decay * theta; theta <- theta - learning_rate * b,
    Kunin et al. (2.1), with g the gradient of the batch's mean loss; without momentum and weight
    decay it is Mori et al., Eq. (2).

    Args:
        model: the network; its parameters are changed by each call.
        buffers: b, one tensor a parameter in the order of ``model.parameters()``; empty when
            momentum is 0, where b is g and need not be kept.
        loss: per-sample loss, (outputs, targets) -> (n,).
        learning_rate: eta > 0.
        momentum: in [0, 1).
        weight_decay: lambda >= 0.

    Returns:
        A function of (inputs, targets) that makes the step and returns the batch's mean loss
        before it, a 0-dimensional tensor.
    """
    rule = dense_update if is_dense(model) else autograd_update
    return rule(
        model,
        buffers,
        loss=loss,
        learning_rate=learning_rate,
        momentum=momentum,
        weight_decay=weight_decay,
    )


@door
def is_dense(model: nn.Module) -> bool:
    """Return whether the model is Linear, or Linear, ReLU, ..., Linear, all of it trainable.

    Example:
        >>> is_dense(nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 1)))
        True
        >>> is_dense(nn.Sequential(nn.Flatten(), nn.Linear(3, 2)))
        False
    """
    if foreign(model, (nn.Linear, nn.ReLU)) or len(model) % 2 == 0:
        return False
    linear = all(type(layer) is nn.Linear and layer.bias is not None for layer in model[::2])
    relu = all(type(layer) is nn.ReLU for layer in model[1::2])
    parameters = list(model.parameters())
    distinct = len({id(p) for p in parameters}) == len(parameters) == 2 * len(model[::2])
    return linear and relu and distinct and all(p.requires_grad for p in parameters)


def autograd_update(
    model: nn.Module, buffers: list[Tensor], *, loss, learning_rate, momentum, weight_decay
) -> Update:
    """Return the step by automatic differentiation, for any model; arguments as `update_rule`."""
    parameters = [p for p in model.parameters() if p.requires_grad]

    def update(inputs, targets):
        mean_loss = check_losses(loss(model(inputs), targets), len(inputs)).mean()
        gradients = list(torch.autograd.grad(mean_loss, parameters))
        with torch.no_grad():
            if weight_decay:
                torch._foreach_add_(gradients, parameters, alpha=weight_decay)
            if momentum:
                torch._foreach_mul_(buffers, momentum)
                torch._foreach_add_(buffers, gradients)
                gradients = buffers
            torch._foreach_add_(parameters, gradients, alpha=-learning_rate)
        return mean_loss.detach()

    return update


def dense_update(
    model: nn.Module, buffers: list[Tensor], *, loss, learning_rate, momentum, weight_decay
) -> Update:
    """Return the step of `autograd_update` for a Linear/ReLU stack, update fused into the product.

    With a_i the input of layer i and delta_i the gradient of the summed loss in its output, the
    gradient of the mean loss is delta_i^T a_i / B, and the step W_i <- W_i - (eta/B) delta_i^T a_i
    is one matrix product that accumulates into W_i: no gradient is stored, written or read back.
    """
    linears = list(model[::2])
    parameters = [p for layer in linears for p in (layer.weight, layer.bias)]
    depth = len(linears)

    def move(k, accumulate, delta, factor):
        # accumulate(target, A, x, beta, alpha): target <- beta * target + alpha * A x
        parameter, batch = parameters[k], delta.shape[1]
        if not momentum:
            keep = 1 - learning_rate * weight_decay
            accumulate(parameter, delta, factor, beta=keep, alpha=-learning_rate / batch)
            return
        accumulate(buffers[k], delta, factor, beta=momentum, alpha=1 / batch)
        if weight_decay:
            buffers[k].add_(parameter, alpha=weight_decay)
        parameter.add_(buffers[k], alpha=-learning_rate)

    @torch.no_grad()
    def update(inputs, targets):
        ones = inputs.new_ones(inputs.shape[0])
        activations = [inputs]  # a_i (batch, fan_in of layer i)
        for i, layer in enumerate(linears):
            output = torch.addmm(layer.bias, activations[-1], layer.weight.t())
            if i < depth - 1:
                activations.append(output.relu_())
        with torch.enable_grad():  # through the loss alone: (batch, outputs), no weights
            losses = check_losses(loss(output.requires_grad_(), targets), len(inputs))
            (delta,) = torch.autograd.grad(losses.sum(), output)
        for i in reversed(range(depth)):
            if i:  # before W_i moves; a_i > 0 exactly where the ReLU passed its input
                below = torch.mm(delta, linears[i].weight)
                torch.ops.aten.threshold_backward(below, activations[i], 0, grad_input=below)
            move(2 * i, Tensor.addmm_, delta.t(), activations[i])
            move(2 * i + 1, Tensor.addmv_, delta.t(), ones)
            if i:
                delta = below
        return losses.detach().mean()

    return update

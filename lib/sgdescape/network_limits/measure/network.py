"""A network small enough for its whole Hessian: 32-24-10, tanh, cross-entropy, 1042 parameters.

Everything is written out, with a leading axis of replicas where it is in the inner loop; the tests
compare it with autograd. A parameter vector is the first layer's (24, 33), then the second's
(10, 25), each with its biases as the last column.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sgdescape.core import validate
from sgdescape.core.random import seeds

INPUTS, HIDDEN, CLASSES = 32, 24, 10
FIRST = HIDDEN * (INPUTS + 1)
PARAMETERS = FIRST + CLASSES * (HIDDEN + 1)


@dataclass(frozen=True)
class Task:
    """Data of our own making: a teacher network's answers, some of them replaced.

    Args:
        inputs: (N, 33) standard normal, the last column 1.
        labels: (N,) int64.
        share: of labels that were drawn at random.
    """

    inputs: Tensor
    labels: Tensor
    share: float

    @property
    def size(self) -> int:
        """N."""
        return len(self.labels)


@dataclass(frozen=True)
class Local:
    """The data's loss around one point, without weight decay.

    Args:
        loss: mean cross-entropy L.
        gradient: (P,).
        hessian: (P, P).
        covariance: Sigma (P, P), of the gradients of single samples.
    """

    loss: float
    gradient: np.ndarray
    hessian: np.ndarray
    covariance: np.ndarray


def make_task(
    *, samples: int = 16384, noise: float = 0.2, seed: int = 0, fresh: bool = False
) -> Task:
    """Return normal inputs with a random teacher's labels, a share of them replaced.

    The teacher is a 32-24-10 tanh network with normal weights of variance 4 / fan-in (first layer)
    and 4 (second); a replaced label is uniform over the ten classes.

    Args:
        samples: N.
        noise: share of replaced labels, in [0, 1).
        seed: of inputs, teacher and replacements, the key itself and not one of `seeds.derive`: the
            bundled minimum is one of these data.
        fresh: draw other inputs, for a test of the same teacher.

    Example:
        >>> task = make_task(samples=100)
        >>> task.inputs.shape, int(task.labels.max()) <= 9
        (torch.Size([100, 33]), True)
    """
    samples = validate.count("samples", samples, low=10)
    noise = validate.fraction("noise", noise)
    rng = np.random.Generator(np.random.Philox(key=validate.count("seed", seed, low=0)))
    first = 2 * rng.standard_normal((HIDDEN, INPUTS)) / np.sqrt(INPUTS)
    second = 2 * rng.standard_normal((CLASSES, HIDDEN))
    if fresh:
        rng = np.random.default_rng(seeds.derive(seed, "network_limits", "fresh samples"))
    inputs = rng.standard_normal((samples, INPUTS))
    labels = np.argmax(np.tanh(inputs @ first.T) @ second.T, axis=1)
    replaced = rng.random(samples) < noise
    labels = np.where(replaced, rng.integers(0, CLASSES, samples), labels)
    bias = np.ones((samples, 1))
    return Task(torch.from_numpy(np.hstack([inputs, bias])), torch.from_numpy(labels), noise)


def initial(seed: int) -> Tensor:
    """Return Glorot-normal weights with zero biases, (P,) float64.

    Their stream is the second of the seed's, as when the bundled weights were trained from them.
    """
    rng = np.random.Generator(np.random.Philox(key=[seed, 1]))
    first = rng.standard_normal((HIDDEN, INPUTS + 1)) * np.sqrt(2 / (INPUTS + HIDDEN))
    second = rng.standard_normal((CLASSES, HIDDEN + 1)) * np.sqrt(2 / (HIDDEN + CLASSES))
    first[:, -1], second[:, -1] = 0, 0
    return torch.from_numpy(np.concatenate([first.ravel(), second.ravel()]))


def layers(theta: Tensor) -> tuple[Tensor, Tensor]:
    """Return views (R, 24, 33) and (R, 10, 25) of parameters (R, P)."""
    first = theta[:, :FIRST].view(-1, HIDDEN, INPUTS + 1)
    return first, theta[:, FIRST:].view(-1, CLASSES, HIDDEN + 1)


def gradients(theta: Tensor, inputs: Tensor, labels: Tensor) -> Tensor:
    """Return each replica's mean gradient over its own batch.

    Args:
        theta: (R, P).
        inputs: (R, S, 33).
        labels: (R, S).

    Returns:
        (R, P).
    """
    _, hidden, errors, back = passes(theta, inputs, labels)
    errors, back = errors / labels.shape[1], back / labels.shape[1]
    first = torch.bmm(back.transpose(1, 2), inputs)
    second = torch.bmm(errors.transpose(1, 2), hidden)
    second = torch.cat([second, errors.sum(1)[:, :, None]], 2)
    return torch.cat([first.flatten(1), second.flatten(1)], 1)


def loss(theta: Tensor, task: Task) -> Tensor:
    """Return the mean cross-entropy over the task at each of (R, P) points."""
    values = []
    for point in theta:
        first, second = layers(point[None])
        hidden = torch.tanh(task.inputs.to(point) @ first[0].T)
        logits = hidden @ second[0, :, :-1].T + second[0, :, -1]
        values.append(torch.nn.functional.cross_entropy(logits, task.labels))
    return torch.stack(values)


def accuracy(theta: Tensor, task: Task) -> float:
    """Return the share of samples whose label is the largest output, at one point (P,)."""
    first, second = layers(theta[None].to(task.inputs.dtype))
    hidden = torch.tanh(task.inputs @ first[0].T)
    logits = hidden @ second[0, :, :-1].T + second[0, :, -1]
    return float((logits.argmax(1) == task.labels).double().mean())


def loss_gradient(theta: Tensor, task: Task) -> tuple[float, Tensor]:
    """Return the mean loss over the task and its gradient (P,) at one point, in one pass."""
    at, x = theta[None].to(task.inputs.dtype), task.inputs[None]
    values, hidden, errors, back = passes(at, x, task.labels[None], with_loss=True)
    errors = errors[0] / task.size
    first = back[0].T @ task.inputs / task.size
    second = torch.cat([errors.T @ hidden[0], errors.sum(0)[:, None]], 1)
    gradient = torch.cat([first.flatten(), second.flatten()])
    return float(values.double().mean()), gradient.double()


def local(theta: Tensor, task: Task) -> Local:
    """Return loss, gradient, Hessian and gradient covariance at one point (P,), in closed form.

    Per sample both matrices are sums of Kronecker products of small ones (the second derivative
    of softmax, the layer's inputs), so the sum over samples is a few matrix products.
    """
    x = task.inputs
    theta = theta.to(x.dtype)
    n, m = task.size, HIDDEN + 1
    value, hidden, errors, back = (
        a[0] for a in passes(theta[None], x[None], task.labels[None], with_loss=True)
    )
    weights = layers(theta[None])[1][0, :, :-1]
    wide = torch.cat([hidden, torch.ones(n, 1, dtype=x.dtype)], 1)
    slope = 1 - hidden**2
    p = errors.scatter_add(1, task.labels[:, None], torch.ones(n, 1, dtype=x.dtype))
    soft = torch.diag_embed(p) - p[:, :, None] * p[:, None]

    through = weights[None] * slope[:, None]  # d logits / d pre-activations (N, 10, 24)
    inner = through.transpose(1, 2) @ soft @ through
    inner.diagonal(dim1=1, dim2=2).add_(-2 * hidden * back)  # the curvature of tanh
    cross = through.transpose(1, 2) @ soft  # (N, 24, 10)
    hessian = _blocks(inner, cross, soft, x, wide)
    mixed = torch.einsum("nc,nj,nk->jck", errors, slope, x) / n  # both layers' weights at once
    rows = torch.arange(FIRST).view(HIDDEN, INPUTS + 1)
    columns = torch.arange(FIRST, PARAMETERS).view(CLASSES, m)
    for j in range(HIDDEN):
        hessian[columns[:, j][:, None], rows[j][None]] += mixed[j]
        hessian[rows[j][:, None], columns[:, j][None]] += mixed[j].T
    square = _blocks(
        back[:, :, None] * back[:, None],
        back[:, :, None] * errors[:, None],
        errors[:, :, None] * errors[:, None],
        x,
        wide,
    )
    gradient = torch.cat([(back.T @ x).flatten(), (errors.T @ wide).flatten()]) / n
    covariance = square - torch.outer(gradient, gradient)
    return Local(
        float(value.mean()),
        gradient.double().numpy(),
        hessian.double().numpy(),
        covariance.double().numpy(),
    )


def passes(theta, inputs, labels, *, with_loss=False):
    """Per-sample losses, hidden units, d loss / d logits, d loss / d pre-activations."""
    first, second = layers(theta)
    hidden = torch.tanh(torch.bmm(inputs, first.transpose(1, 2)))
    bias = second[:, None, :, -1].expand(-1, inputs.shape[1], -1)
    logits = torch.baddbmm(bias, hidden, second[:, :, :-1].transpose(1, 2))
    minus = torch.full((*labels.shape, 1), -1.0, dtype=theta.dtype)
    errors = torch.softmax(logits, 2).scatter_add(2, labels[..., None], minus)
    back = torch.bmm(errors, second[:, :, :-1]) * (1 - hidden * hidden)
    values = None
    if with_loss:
        values = torch.logsumexp(logits, 2) - logits.gather(2, labels[..., None])[..., 0]
    return values, hidden, errors, back


def _blocks(inner, cross, outer, x, wide):
    """Mean over samples of [[inner x x^T, cross x w^T], [., outer w w^T]] (Kronecker products)."""
    n = len(x)
    side = cross.reshape(n, -1).T @ (x[:, :, None] * wide[:, None]).reshape(n, -1) / n
    (a, b), (c, d) = cross.shape[1:], (x.shape[1], wide.shape[1])
    side = side.view(a, b, c, d).transpose(1, 2).reshape(a * c, b * d)
    corner, other = _symmetric(inner, x), _symmetric(outer, wide)
    return torch.cat([torch.cat([corner, side], 1), torch.cat([side.T, other], 1)])


def _symmetric(small, vectors):
    """Mean over samples of small (N, a, a) times vectors vectors^T (N, c, c), both symmetric."""
    n, a, c = len(vectors), small.shape[1], vectors.shape[1]
    rows, columns = torch.triu_indices(a, a)
    one, two = torch.triu_indices(c, c)
    part = small[:, rows, columns].T @ (vectors[:, one] * vectors[:, two]) / n
    half = part.new_zeros(len(rows), c, c)
    half[:, one, two] = part
    half[:, two, one] = part
    whole = part.new_zeros(a, a, c, c)
    whole[rows, columns] = half
    whole[columns, rows] = half
    return whole.transpose(1, 2).reshape(a * c, a * c)

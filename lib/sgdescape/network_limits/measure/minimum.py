"""Where the runs start: exact minima of the small network, kept with the package.

"At a minimum" is measured: the gradient of loss and weight decay is below a bound, and the
smallest eigenvalue of the whole Hessian is positive.
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy import optimize

from sgdescape.core import validate
from sgdescape.core.networks import checkpoints
from sgdescape.network_limits.measure import network

BUNDLED = "network_limits.npz"
SHA256 = "2d5f2840140e442c6fd25b846c58331c51fc5bbaca0a3de219aff03c2bcf1a00"


@dataclass(frozen=True)
class Recipe:
    """How a minimum is made.

    Args:
        samples: N.
        noise: share of random labels.
        seed: of data, teacher and initial weights.
        weight_decay: lambda.
        gradient: largest norm of the gradient of L + (lambda/2) |theta|^2 at the end.
        iterations: most of L-BFGS, before Newton's method takes over.
    """

    samples: int = 16384
    noise: float = 0.2
    seed: int = 0
    weight_decay: float = 1e-3
    gradient: float = 1e-9
    iterations: int = 1500

    def __post_init__(self):
        """Refuse values outside their range."""
        validate.count("samples", self.samples, low=1000)
        validate.fraction("noise", self.noise)
        validate.positive("weight_decay", self.weight_decay)
        validate.positive("gradient", self.gradient)


class NotStationaryError(RuntimeError):
    """Training ended, but not at a minimum."""


def load(recipe: Recipe) -> np.ndarray:
    """Return the parameters (P,) of a recipe: the bundled ones, or made now if there are none."""
    kept = bundled().get(recipe)
    return pretrain(recipe) if kept is None else kept


def bundled() -> dict[Recipe, np.ndarray]:
    """Return the minima that are kept with the package, checked by their SHA-256."""
    kept = checkpoints.bundled(BUNDLED, sha256=SHA256, recipe=Recipe)
    return {recipe: arrays["theta"] for recipe, arrays in kept.items()}


def pretrain(recipe: Recipe) -> np.ndarray:
    """Minimise L + (lambda/2) |theta|^2 from Glorot weights: L-BFGS, then Newton's method.

    Raises:
        NotStationaryError: if the end is no minimum by the criterion of the recipe.
    """
    task = network.make_task(samples=recipe.samples, noise=recipe.noise, seed=recipe.seed)
    decay = recipe.weight_decay

    def objective(vector):
        theta = torch.from_numpy(vector)[None]
        force = network.gradients(theta, task.inputs[None], task.labels[None])[0]
        value = float(network.loss(theta, task)[0]) + decay / 2 * vector @ vector
        return value, force.numpy() + decay * vector

    found = optimize.minimize(
        objective,
        network.initial(recipe.seed).numpy(),
        jac=True,
        method="L-BFGS-B",
        options={
            "maxiter": recipe.iterations,
            "maxfun": 2 * recipe.iterations,
            "maxcor": 30,
            "ftol": 0,
            "gtol": 1e-7,
        },
    )
    theta = found.x
    for _ in range(5):
        here = network.local(torch.from_numpy(theta), task)
        force = here.gradient + decay * theta
        whole = here.hessian + decay * np.eye(len(theta))
        least = float(np.linalg.eigvalsh(whole)[0])
        if np.linalg.norm(force) <= recipe.gradient and least > 0:
            return theta
        if least <= 0:
            break
        theta = theta - np.linalg.solve(whole, force)
    raise NotStationaryError(
        f"gradient must be at most {recipe.gradient:g} and all curvatures positive: got "
        f"{np.linalg.norm(force):.2g} and {least:.2g}"
    )

"""Where the runs start: exact minima of the small network, kept with the package.

"At a minimum" is measured: the gradient of loss and weight decay is below a bound, and the
smallest eigenvalue of the whole Hessian is positive.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from importlib import resources

import numpy as np
import torch
from scipy import optimize

from sgdescape.core import validate
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
    file = resources.files("sgdescape") / "bundled" / BUNDLED
    found = hashlib.sha256(file.read_bytes()).hexdigest()
    if found != SHA256:
        raise ValueError(f"bundled {BUNDLED} is corrupt: SHA-256 must be {SHA256}, got {found}")
    with resources.as_file(file) as path, np.load(path, allow_pickle=False) as arrays:
        return {
            Recipe(**json.loads(str(arrays[f"recipe_{k}"]))): arrays[f"theta_{k}"]
            for k in range(int(arrays["count"]))
        }


def store(path, minima: dict[Recipe, np.ndarray]) -> str:
    """Write minima to one file without pickles; return its SHA-256."""
    arrays = {"count": np.array(len(minima))}
    for index, (recipe, theta) in enumerate(minima.items()):
        arrays[f"recipe_{index}"] = np.array(json.dumps(asdict(recipe)))
        arrays[f"theta_{index}"] = theta
    with open(path, "wb") as file:
        np.savez_compressed(file, **arrays)
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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

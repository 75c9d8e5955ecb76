"""What is measured on a path of positions (steps, replicas, d), and paths of single modes."""

import numpy as np

from sgdescape.core.random import seeds
from sgdescape.underdamped_langevin.measure.single_modes import mode_paths

STEM = "modified_loss"


def generator(config, purpose, index=0):
    """Return the random numbers of one part of the chapter."""
    return np.random.Generator(np.random.Philox(key=stream(config, purpose, index)))


def stream(config, purpose, index=0) -> int:
    """Return the seed of one part's ensemble."""
    return seeds.derive(config.seed, STEM, purpose, index)


def gaussian_path(config, rng, curvature, noise, momentum, chains) -> np.ndarray:
    """Return the modes' path (steps, chains, d) with normal noise of covariance Sigma/S."""
    steps, burn = config.mode_steps, round(20 * (1 + momentum) / (1 - momentum)) + 2000
    root = np.linalg.cholesky(np.asarray(noise) / config.batch_size)
    kicks = rng.normal(size=(burn + steps, chains, len(root))) @ root.T
    at = {"learning_rate": config.learning_rate, "momentum": momentum}
    return mode_paths(kicks, curvature, **at)[burn:]


def averages(path) -> dict[str, np.ndarray]:
    """Return time averages (replicas, d) of a path (steps, replicas, d)."""
    step = np.diff(path, axis=0)
    middle = path[1:] - step / 2
    area = path[1:-1] * step[1:] - path[2:] * step[:-1]
    return {
        "square_position": np.mean(path**2, axis=0),
        "square_midpoint": np.mean(middle**2, axis=0),
        "square_step": np.mean(step**2, axis=0),
        "area": np.mean(area, axis=0),
    }


def log_ratio(path, curvature, noise, config, *, momentum=None) -> np.ndarray:
    """Return log(chance of the path / chance of its reversal) a step, of each replica.

    The chances are those of normal noise of covariance Sigma / S, independent from step to step.
    """
    eta, beta = config.learning_rate, config.momentum if momentum is None else momentum
    keep = 1 + beta - eta * np.asarray(curvature)
    before, now, after = path[:-2], path[1:-1], path[2:]
    inverse = np.linalg.inv(eta**2 * np.asarray(noise) / config.batch_size)
    forward = after - keep * now + beta * before
    backward = before - keep * now + beta * after
    ratio = quadratic(backward, inverse) - quadratic(forward, inverse)
    return ratio.mean(axis=0) / 2


def kept(path, config):
    """Return positions at the middle of their last step, and velocities, of some states.

    Args:
        path: (steps, replicas, d).
        config: see `modified_loss.Config`.

    Returns:
        Two (instants, replicas, d).
    """
    every = config.keep_every
    now, before = path[every::every], path[every - 1 :: every][: len(path[every::every])]
    return (now + before) / 2, (now - before) / config.learning_rate


def quadratic(vectors, matrix):
    """Return v^T M v over the last axis."""
    return np.sum((vectors @ matrix) * vectors, axis=-1)

"""Experiments of chapter `heavy_tails`: SGD's own states, and samples of known laws."""

from dataclasses import replace

import numpy as np
import xarray as xr

from sgdescape.core.random import seeds

LAWS = ("pareto", "student", "sgd", "gaussian", "bounded", "zipf")
_STEM = "heavy_tails"


def generator(config, purpose, index=0):
    """Return the generator of one use of random numbers.

    Args:
        config: of the chapter.
        purpose: what the numbers are for.
        index: of the repetition.
    """
    key = seeds.derive(config.seed, _STEM, purpose, index)
    return np.random.Generator(np.random.Philox(key=key))


def fresh(rng, *, dimension=1, learning_rate, batch_size=1, momentum=0.0, replicas, steps):
    """Return |theta| (replicas,) after ``steps`` steps of SGD on fresh Gaussian samples.

    Only the length of theta matters without momentum, or in one dimension: what a batch does is
    drawn as such. y is normal of variance 1, h = 1, theta* = 0.

    Args:
        rng: generator.
        dimension: d; 1 with momentum.
        learning_rate: eta.
        batch_size: B.
        momentum: beta.
        replicas: independent runs.
        steps: of each.
    """
    theta, speed = np.zeros(replicas), np.zeros(replicas)
    a = learning_rate / batch_size
    for _ in range(steps):
        if dimension == 1:
            squares = rng.chisquare(batch_size, replicas)
            push = np.sqrt(squares) * rng.standard_normal(replicas)
            speed = momentum * speed - a * (squares * theta - push)
            theta = theta + speed
        else:
            # errors e_i = x_i theta - y_i; the batch moves theta by -a X^T e
            along = rng.standard_normal((batch_size, replicas))
            errors = along * theta - rng.standard_normal((batch_size, replicas))
            moved = theta - a * np.sum(along * errors, axis=0)
            across = a**2 * np.sum(errors**2, axis=0) * rng.chisquare(dimension - 1, replicas)
            theta = np.sqrt(moved**2 + across)
    return np.abs(theta)


def on_data(rng, inputs, targets, *, learning_rate, replicas, steps):
    """Return theta - theta* (replicas,) after ``steps`` steps of SGD, B = 1, on a finite data set.

    Args:
        rng: generator.
        inputs: x_i (N,).
        targets: y_i (N,).
        learning_rate: eta.
        replicas: independent runs.
        steps: of each.
    """
    x, best = np.asarray(inputs), np.dot(inputs, targets) / np.dot(inputs, inputs)
    factor, push = 1 - learning_rate * x**2, learning_rate * x * (targets - x * best)
    z = np.zeros(replicas)
    for _ in range(steps):
        i = rng.integers(0, x.size, replicas)
        z = factor[i] * z + push[i]
    return z


def tails(config) -> xr.Dataset:
    """Return the largest |theta| of SGD with many inputs, and with momentum.

    Args:
        config: of the chapter.
    """
    sizes = {"replicas": config.replicas, "steps": config.steps}
    many = fresh(
        generator(config, "many inputs"),
        dimension=config.dimension,
        learning_rate=config.rate,
        batch_size=config.batch_size,
        **sizes,
    )
    moving = fresh(
        generator(config, "momentum"),
        learning_rate=config.momentum_rate,
        momentum=config.momentum,
        **sizes,
    )
    count = int(config.share * config.replicas) + 1
    kept = np.array([np.sort(values)[-count:] for values in (many, moving)])
    return xr.Dataset(
        {"largest": (("experiment", "rank"), kept)}, {"experiment": ["many", "moving"]}
    )


def finite_data(config) -> xr.Dataset:
    """Return SGD's largest |theta| on a small data set and on a feature of MNIST, and the data.

    Args:
        config: of the chapter.
    """
    rng = generator(replace(config, seed=config.data_seed), "data set")
    x, y = rng.standard_normal((2, config.data_size))
    while not 2.2 < config.data_rate * np.max(x**2) < 4:  # a set with a tail of its own
        x, y = rng.standard_normal((2, config.data_size))
    feature, labels = image_feature()
    rates = np.array(config.image_strengths) / np.max(feature**2)
    settings = {"replicas": config.replicas, "steps": 2 * config.steps}
    count = int(config.share * config.replicas) + 1
    own = on_data(generator(config, "finite"), x, y, learning_rate=config.data_rate, **settings)
    runs = [
        on_data(generator(config, "images", i), feature, labels, learning_rate=rate, **settings)
        for i, rate in enumerate(rates)
    ]
    return xr.Dataset(
        {
            "data_tail": ("rank", np.sort(np.abs(own))[-count:]),
            "image_tail": (("image_rate", "rank"), [np.sort(np.abs(z))[-count:] for z in runs]),
            "data_input": ("sample", x),
            "image_input": ("image", feature),
        },
        {"image_rate": rates},
    )


def image_feature():
    """Return the first principal component of the bundled MNIST images, and even against odd.

    Returns:
        x (5000,) with mean square 1, and targets (5000,) of -1 and 1.
    """
    from sgdescape.core.data import image_sets  # torch: only where it reads

    found = image_sets.load("mnist", n=image_sets.BUNDLED)
    pixels = found.inputs.numpy().astype(float).reshape(image_sets.BUNDLED, -1)
    pixels -= pixels.mean(axis=0)
    direction = np.linalg.eigh(pixels.T @ pixels)[1][:, -1]
    feature = pixels @ direction
    feature *= np.sign(feature[np.argmax(np.abs(feature))]) / np.sqrt(np.mean(feature**2))
    return feature, found.targets.numpy().astype(float)


def known_samples(config, law, index):
    """Return independent samples (sample_size,) of a law whose tail index is known.

    Args:
        config: of the chapter.
        law: one of `LAWS`.
        index: of the repetition.
    """
    rng, n = generator(config, f"law {law}", index), config.sample_size
    if law == "pareto":
        return 1 + rng.pareto(2.0, n)
    if law == "student":
        return np.abs(rng.standard_t(2.0, n))
    if law == "sgd":
        return fresh(rng, learning_rate=1.0, batch_size=2, replicas=n, steps=config.steps)
    if law == "gaussian":
        return np.abs(rng.standard_normal(n))
    if law == "bounded":
        x, y = generator(config, "bounded data").standard_normal((2, 100))
        rate = 1.9 / np.max(x**2)
        z = on_data(rng, x, y, learning_rate=rate, replicas=n, steps=config.steps)
        return np.abs(z)
    return rng.zipf(3.0, n).astype(float)


__all__ = [
    "LAWS",
    "finite_data",
    "fresh",
    "generator",
    "image_feature",
    "known_samples",
    "on_data",
    "tails",
]

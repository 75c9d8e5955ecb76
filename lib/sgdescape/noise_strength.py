"""How strong the noise of SGD is along training, Figs 2 and 5 of Mori et al. (Sec. 5.2, App. D).

Chapter `noise_strength`. Theory first (float64 NumPy, one function an equation), then `run` and
`predict`; the training runs, the claims and the figures are in `sgdescape._noise_strength`.
"""

import time
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
import xarray as xr

from sgdescape._noise_strength.claims import *  # noqa: F403  (CLAIMS, claim_*, summary)
from sgdescape._noise_strength.figures import *  # noqa: F403  (plot_*)
from sgdescape._noise_strength.measurement import (  # noqa: F401  (offered here)
    CASES,
    MOMENTS,
    in_span,
    measure,
    moments,
    network_and_data,
)
from sgdescape.core import data, models, provenance, runner, validate


@dataclass(frozen=True)
class Config:
    """Sizes of the training runs; every replica has its own images, weights and batches.

    Args:
        images: number N of training images; None for all there are.
        hidden: units of the three hidden layers of the fully connected network (MLP).
        stacks: (filters, convolutions) of each stack of the convolutional network (CNN).
        pool: the CNN's images are averaged over pool x pool pixels first; 1 leaves them.
        cnn_data: data set of the CNN, a name of `core.data`; the MLP has Fashion-MNIST.
        learning_rate: eta, time a step.
        batch_size: B, images.
        mlp_epochs: training time of the MLP, in epochs.
        cnn_epochs: training time of the CNN, in epochs.
        marks: number of epochs at which the noise is measured, evenly spaced in log(epoch).
        replicas: independent runs of every network and loss.
        seed: of everything.
    """

    images: int | None = 200
    hidden: tuple[int, ...] = (100, 100, 100)
    stacks: tuple[tuple[int, int], ...] = ((8, 1), (16, 1))
    pool: int = 2
    cnn_data: str = "fashion_mnist"
    learning_rate: float = 0.1
    batch_size: int = 100
    mlp_epochs: int = 700
    cnn_epochs: int = 120
    marks: int = 22
    replicas: int = 3
    seed: int = 0

    def __post_init__(self):
        """Refuse values outside their range."""
        for name in ("pool", "batch_size", "mlp_epochs", "cnn_epochs"):
            validate.count(name, getattr(self, name))
        if self.images is not None:
            validate.count(
                "batch_size", self.batch_size, high=validate.count("images", self.images)
            )
        validate.count("marks", self.marks, low=5)
        validate.count("replicas", self.replicas, low=2)
        validate.positive("learning_rate", self.learning_rate)
        validate.one_of("cnn_data", self.cnn_data, data.NAMES)


QUICK = Config()
PAPER = Config(
    images=None,
    hidden=models.PAPER_MLP_FASHION[1:-1],
    stacks=models.PAPER_CNN,
    pool=1,
    cnn_data="cifar10",
    mlp_epochs=200,
    cnn_epochs=200,
    marks=60,
    replicas=3,
)
"""Networks, data, learning rate and batch size of Section 5.2. Its number of epochs, and the
learning rates of Appendix D, are not available to us: 200 epochs and eta = 0.1 are our choice."""


def run(
    config: Config = QUICK, *, device: str = "cpu", executor: Executor | None = None, store=None
) -> xr.Dataset:
    """Train every network of the chapter, measure its noise, and put the theory beside it.

    Args:
        config: the sizes.
        device: where to train.
        executor: `runner.processes()` to use all cores; None computes in this process.
        store: folder in which finished runs are kept and found again; None keeps nothing.

    Returns:
        A dataset with dimensions case, replica, mark: the moments of `measurement.moments`, what
        `predict` adds, and provenance in the attributes.
    """
    start = time.perf_counter()
    dataset = runner.sweep(
        measure,
        {"case": list(CASES)},
        replicas=config.replicas,
        seed=config.seed,
        options={"config": config, "device": device},
        dims=dict.fromkeys((*MOMENTS, "epoch"), ("mark",)),
        chunk_size=1,
        executor=executor,
        store=store,
    )
    outputs = [10 if case.task == "one_hot" else 1 for case in CASES.values()]
    dataset = dataset.assign_coords(outputs=("case", outputs))
    dataset.attrs["layers"] = len(config.hidden) + 1
    dataset = predict(dataset)
    seconds = time.perf_counter() - start
    dataset.attrs |= provenance.record(config, seconds=seconds, device=device)
    return dataset


def predict(dataset: xr.Dataset) -> xr.Dataset:
    """Return the measurements with the noise strength, the theory and its factors beside them.

    Args:
        dataset: moments by case, replica and mark, with the coordinate ``outputs`` and the
            attribute ``layers`` of the MLP.

    Returns:
        A new dataset, with "noise", "prediction" (Eq. (noise-outputs)), "residual_prediction"
        (Eq. (noise-residuals)), "ratio" = noise / prediction and the four factors of
        Eq. (noise-factors): "gradient_factor", "direction_factor",
        "size_factor", "residual_factor"; "margin" = log(1/L).
    """
    ds = dataset.copy()
    ds["noise"] = noise_strength(ds.second_moment, ds.gradient_square)
    ds["prediction"] = predicted_noise(ds.loss, ds.jacobian, outputs=ds.outputs)
    ds["residual_prediction"] = residual_noise(ds.residual, ds.jacobian, outputs=ds.outputs)
    ds["ratio"] = ds.noise / ds.prediction
    ds["gradient_factor"] = 1 - ds.gradient_square / ds.second_moment
    ds["direction_factor"] = ds.second_moment * ds.outputs / ds.joint
    ds["size_factor"] = ds.joint / (ds.residual * ds.jacobian)
    ds["residual_factor"] = ds.residual / (2 * ds.loss)
    ds["margin"] = np.log(1 / ds.loss).where(ds.loss < 1)
    ds.attrs["margin_exponent"] = margin_exponent(ds.attrs["layers"])
    units = {"loss": "loss", "noise": "(loss/parameter)^2", "prediction": "(loss/parameter)^2"}
    for name, unit in units.items():
        ds[name].attrs["units"] = unit
    return ds


def noise_strength(second_moment, gradient_square):
    r"""Return :math:`\mathcal N=\overline{|\nabla\ell|^2}-|\nabla L|^2`, Eq. (noise-strength).

    The trace of Eq. (8) without its factor 1/B (N - B)/(N - 1): Mori et al., Section 5.2.

    Args:
        second_moment: mean squared norm of the per-sample gradients, any shape.
        gradient_square: squared norm of their mean, of the same shape.

    Example:
        >>> noise_strength(5.0, 4.0)  # gradients 1 and 3
        1.0
    """
    return second_moment - gradient_square


def predicted_noise(loss, jacobian, *, outputs):
    r"""Return :math:`\frac{2L}{C}\,\frac1N\sum_\mu\|J_\mu\|_F^2`, Eq. (noise-outputs).

    For one output, C = 1, it is the trace of Eq. (9): the prediction of Mori et al., Section 5.2.

    Args:
        loss: L, square loss with its 1/2.
        jacobian: mean squared norm of the gradients of all outputs together.
        outputs: C, at least 1.

    Raises:
        ValueError: if any number of outputs is below 1.

    Example:
        >>> predicted_noise(0.5, 30.0, outputs=10)
        3.0
    """
    return 2 * loss * jacobian / _outputs(outputs)


def residual_noise(residual, jacobian, *, outputs):
    r"""Return :math:`\frac1C\,\overline{|r|^2}\;\overline{\|J\|_F^2}`, Eq. (noise-residuals).

    The same as Eq. (noise-outputs) for the square loss, where mean |r|^2 = 2L; it holds for any
    loss, with r the derivative of the loss in the outputs.

    Args:
        residual: mean of |r|^2.
        jacobian: mean squared norm of the gradients of all outputs together.
        outputs: C, at least 1.

    Raises:
        ValueError: if any number of outputs is below 1.

    Example:
        >>> residual_noise(1.0, 30.0, outputs=10)
        3.0
    """
    return residual * jacobian / _outputs(outputs)


def sample_norm(residual, gram):
    r"""Return :math:`|\nabla\ell_\mu|^2 = r^{\mathsf T} J J^{\mathsf T} r`, Eq. (outer-residual).

    Args:
        residual: r (..., C).
        gram: K = J J^T (..., C, C) of the same samples.

    Example:
        >>> float(sample_norm(np.array([1.0, 1.0]), np.eye(2)))
        2.0
    """
    return np.einsum("...i,...ij,...j->...", residual, gram, residual)


def noise_factors(factors):
    r"""Return the product of the four factors of :math:`\mathcal N/(2L\,\overline{\|J\|^2}/C)`.

    Eq. (noise-factors): gradient term x direction x size x residual. An identity.

    Args:
        factors: the four, first axis (4, ...).

    Example:
        >>> float(noise_factors(np.array([1.0, 2.0, 0.5, 1.0])))
        1.0
    """
    return np.prod(np.asarray(factors, dtype=float), axis=0)


def residual_bounds(loss, *, outputs):
    r"""Return the least and largest :math:`|r|^2` of a sample of cross-entropy :math:`\ell`.

    Eq. (residual-bounds): :math:`\frac{C}{C-1}(1-e^{-\ell})^2 \le |r|^2 \le 2(1-e^{-\ell})^2`.

    Args:
        loss: l of one sample, in nats, non-negative.
        outputs: C, at least 2.

    Returns:
        The two bounds, each of the shape of ``loss``.

    Example:
        >>> low, high = residual_bounds(np.log(2.0), outputs=2)
        >>> float(low), float(high)
        (0.5, 0.5)
    """
    wrong = -np.expm1(-np.asarray(loss, dtype=float))
    return wrong**2 * outputs / (outputs - 1), 2 * wrong**2


def wrong_share_residual(loss, *, loss_wrong, residual_wrong):
    r"""Return :math:`\overline{|r|^2} = \frac{g}{\ell_1}L`, Eq. (wrong-share), after App. D.

    A share m/N of samples is wrong, with loss l_1 and squared residual g each, the rest is fitted:
    L = l_1 m/N and mean |r|^2 = g m/N.

    Args:
        loss: L.
        loss_wrong: l_1, positive.
        residual_wrong: g.

    Example:
        >>> wrong_share_residual(0.2, loss_wrong=2.0, residual_wrong=1.0)
        0.1
    """
    return residual_wrong * loss / loss_wrong


def margin_exponent(layers):
    r"""Return p = 2 - 2/D of :math:`\overline{\|J\|^2}\propto(\log\frac1L)^p`, Eq. (margin-growth).

    Late in training with cross-entropy the weights grow in one direction, by a factor s; the
    outputs of a network of D layers grow as s^D, their gradients as s^(D-1), and log(1/L) as the
    outputs.

    Args:
        layers: D, number of layers with weights, at least 1.

    Example:
        >>> margin_exponent(4)
        1.5
    """
    return 2 - 2 / validate.count("layers", layers)


def _outputs(outputs):
    """C as it came, refused if any is below 1."""
    if np.any(np.asarray(outputs) < 1):
        raise ValueError(f"outputs must be at least 1: got {outputs!r}")
    return outputs

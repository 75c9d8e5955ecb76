"""Figures of the chapter `noise_strength`: one panel a function, one case a panel."""

import numpy as np

from sgdescape.core import plotting, validate
from sgdescape.core.plotting import SHOWN_LEVEL
from sgdescape.core.runs import provenance
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.core.stats import slopes

_DATA = {"fashion_mnist": "Fashion-MNIST", "cifar10": "CIFAR-10", "mnist": "MNIST"}


@reads_dataset
def training(dataset, ax, *, case: str):
    """Draw L and the noise strength (scaled to end together at the start) against epoch.

    Args:
        dataset: from `noise_strength.run`.
        ax: matplotlib axes.
        case: which network and loss.

    Returns:
        The axes.
    """
    ds = _runs(dataset, case)
    epoch = ds.epoch.values + 1
    scale = float(ds.loss.values[:, 0].mean() / ds.noise.values[:, 0].mean())
    for k, (values, label) in enumerate(
        ((ds.loss.values, "loss $L$"), (ds.noise.values * scale, r"noise $\mathcal{N}$, scaled"))
    ):
        middle, low, high = _range(values)
        plotting.points(ax, epoch, middle, low, high, **plotting.points_style(k), label=label)
    return _finish(ax, _title(dataset, case), "epoch + 1", "")


@reads_dataset
def scaling(dataset, ax, *, case: str):
    """Draw the noise strength against the loss, all replicas, with the two predictions.

    Args:
        dataset: from `noise_strength.run`.
        ax: matplotlib axes.
        case: which network and loss.

    Returns:
        The axes.
    """
    ds = _runs(dataset, case)
    loss, noise = ds.loss.values, ds.noise.values
    for k in range(len(loss)):
        label = "measured" if k == 0 else None
        ax.plot(loss[k], noise[k], **(plotting.POINTS | {"ms": 3.5}), label=label)
        label = r"$2L\,\overline{\|J\|^2}/C$" if k == 0 else None
        order = np.argsort(loss[k])
        plotting.theory(
            ax,
            loss[k][order],
            ds.prediction.values[k][order],
            lw=1.2,
            label=label,
            **plotting.line(1),
        )
    low = loss.min()
    span = np.array([low, np.sqrt(low * loss.max())])
    start = (low, 2.5 * noise[loss <= 1.5 * low].max())
    for power in (1, 2):
        name = r"$\propto L$" if power == 1 else r"$\propto L^2$"
        style = {"ls": "--" if power == 1 else ":"}
        plotting.power_guide(ax, span, through=start, power=power, label=name, **style)
    return _finish(ax, _title(dataset, case), "loss $L$", r"noise strength $\mathcal{N}$")


@reads_dataset
def slope(dataset, ax, *, case: str, window: int = 5):
    """Draw the local slope d log N / d log L against the loss at the window's middle.

    Args:
        dataset: from `noise_strength.run`.
        ax: matplotlib axes.
        case: which network and loss.
        window: number of measured epochs in a local fit, odd.

    Returns:
        The axes.
    """
    ds = _runs(dataset, case)
    found = local_slopes(ds, window=window)
    epoch = ds.epoch.values[found.index] + 1
    shown = np.isfinite(found.slope)
    plotting.points(ax, epoch[shown], found.slope[shown], found.low[shown], found.high[shown])
    for power, style in ((1, "--"), (2, ":")):
        ax.axhline(power, color="#555555", lw=1, ls=style)
    ax.set_ylim(-3, 3)
    ax.set_xscale("log")
    ax.set_title(_title(dataset, case))
    ax.set_xlabel("epoch + 1")
    ax.set_ylabel(r"$d\log\mathcal{N}/d\log L$")
    return ax


@reads_dataset
def ratio(dataset, ax, *, cases):
    """Draw measured noise over its prediction against the loss, one series a case.

    Args:
        dataset: from `noise_strength.run`.
        ax: matplotlib axes.
        cases: which networks and losses; cross-entropy is compared with the residual form.

    Returns:
        The axes.
    """
    for k, case in enumerate(validate.row("cases", cases)):
        ds = _runs(dataset, case)
        middle, low, high = _range((ds.noise / ds.residual_prediction).values)
        epoch = ds.epoch.values + 1
        style = plotting.points_style(k)
        plotting.points(ax, epoch, middle, low, high, **style, label=case)
    ax.axhline(1, color="#555555", lw=1)
    ax.set_xscale("log")
    _octaves(ax)
    ax.set_xlabel("epoch + 1")
    ax.set_ylabel(r"$\mathcal{N}\,/\,(\overline{|r|^2}\;\overline{\|J\|^2}/C)$")
    ax.legend()
    return ax


@reads_dataset
def factors(dataset, ax, *, case: str):
    """Draw the factors of measured over predicted noise against epoch.

    Args:
        dataset: from `noise_strength.run`.
        ax: matplotlib axes.
        case: which network and loss.

    Returns:
        The axes.
    """
    ds = _runs(dataset, case)
    epoch = ds.epoch.values + 1
    names = {
        "direction_factor": "direction",
        "size_factor": "size",
        "gradient_factor": r"$1-|\nabla L|^2/\overline{|\nabla\ell|^2}$",
        "residual_factor": r"$\overline{|r|^2}/2L$",
    }
    if np.allclose(ds.residual_factor, 1, atol=1e-3):
        del names["residual_factor"]  # 1 by definition for the square loss
    for k, (name, label) in enumerate(names.items()):
        middle, low, high = _range(ds[name].values)
        plotting.points(ax, epoch, middle, low, high, **plotting.points_style(k), label=label)
    ax.axhline(1, color="#555555", lw=1)
    _finish(ax, _title(dataset, case), "epoch + 1", "factor")
    if "residual_factor" not in names:
        _octaves(ax)
    return ax


@reads_dataset
def local_slopes(ds, *, window: int):
    """Return `slopes.local_slope` of the noise against the loss, between replicas, at 95 %."""
    return slopes.local_slope(ds.loss.values, ds.noise.values, window=window, level=SHOWN_LEVEL)


def _runs(dataset, case):
    """The runs of a case that were made; there are fewer of the CNN."""
    return dataset.sel(case=case).dropna("replica", how="all", subset=["loss"])


def _title(dataset, case):
    """The case and, under it, the data set that was used."""
    images = provenance.settings(dataset).cnn_data
    return f"{case}\n{_DATA[images if case.startswith('CNN') else 'fashion_mnist']}"


def _range(values):
    """Geometric mean and range over the replicas."""
    return np.exp(np.log(values).mean(0)), values.min(0), values.max(0)


def _octaves(ax):
    """Make the y axis logarithmic from 1/2 to 4, labelled in powers of 2."""
    ax.set_yscale("log", base=2)
    ax.set_ylim(0.42, 4.2)
    ax.set_yticks([0.5, 1, 2, 4], ["1/2", "1", "2", "4"])
    ax.minorticks_off()


def _finish(ax, title, xlabel, ylabel):
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    ax.set_title(title)
    plotting.log_axes(ax)
    ax.legend(fontsize="small")
    return ax

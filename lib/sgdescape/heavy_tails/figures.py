"""The figures of chapter `heavy_tails`: theory as lines, measurement as points.

Every function draws a dataset of `heavy_tails.run` into given axes and returns them.
"""

import numpy as np

from sgdescape.core import plotting
from sgdescape.core.runs.reading import reads_dataset

_LABELS = {
    "exact": "Kesten, exact",
    "paper": r"$L^{-\phi}$, Eq. (17)",
    "discrete": "equal variances",
    "covariance": "SDE, exact covariance",
    "jump": "one jump, leading order",
}
_LAWS = {
    "pareto": "Pareto",
    "student": "Student",
    "sgd": "SGD",
    "gaussian": "Gaussian",
    "bounded": "bounded",
    "zipf": "Zipf",
}
_ESTIMATORS = {
    "hill_tenth": "Hill, a tenth",
    "hill_hundredth": "Hill, a hundredth",
    "clauset": "chosen minimum",
    "discrete": "discrete law",
}


@reads_dataset
def published(dataset, ax):
    """Draw a eta / B against eta / B for all theories, one input."""
    return _indices(dataset["index"], dataset.rate.values, ax, skip=())


@reads_dataset
def published_ten(dataset, ax):
    """Draw the same for ten inputs."""
    return _indices(dataset.index_ten, dataset.rate_ten.values, ax, skip=("discrete",))


@reads_dataset
def wave_on_tail(dataset, ax):
    """Draw P(|theta| > r) of exact chains, divided by the power law, against r."""
    for i, rate in enumerate(dataset.chain_rate.values):
        at = dataset.chain_log.sel(chain_rate=rate, grid="fine")
        r = at.radius.values
        keep = (r > 2.5) & (r < 1000)
        power = 2 * float(dataset.chain_theory.sel(chain_rate=rate))
        y = (at.values + power * np.log(np.maximum(r, 1e-9)))[keep]
        style = plotting.line(i) | {"label": rf"$\eta={rate:g}$"}
        plotting.theory(ax, r[keep], y - y[-1], **style)
    ax.set(xlabel=r"$r$", ylabel=r"$\log[r^{2a}P(|\theta|>r)]$ + const")
    plotting.log_axes(ax, "x")
    ax.legend()
    return ax


@reads_dataset
def wave_left(dataset, ax):
    """Draw the share of the wave that is left after one period against the learning rate."""
    left = np.exp(-dataset.wave_fading * 2 * np.pi / dataset.wave_frequency)
    plotting.theory(ax, dataset.wave_rate.values, left.values, **plotting.line(0), marker="o")
    ax.set(xlabel=r"$\eta/B$", ylabel="left after one period", ylim=(0, 1))
    plotting.log_axes(ax, "x")
    return ax


@reads_dataset
def data_sizes(dataset, ax):
    """Draw the index of finite data sets against their size; bounded ones on the upper edge."""
    sizes, roots = dataset.data_size.values, dataset.data_root.values
    top = 30.0
    rng = np.linspace(-0.12, 0.12, roots.shape[1])
    for i, size in enumerate(sizes):
        shown = np.minimum(roots[i], top)
        ax.plot(size * np.exp(rng), shown, **plotting.POINTS | {"ms": 2.5, "alpha": 0.6})
    ax.axhline(float(dataset.data_infinite), ls="--", **plotting.line(0), label="infinite data")
    ax.axhline(top, color="black", lw=0.8, ls=":", label="bounded, no index")
    ax.set(xlabel="samples $N$", ylabel="index $a$", ylim=(0.8, 1.25 * top))
    plotting.log_axes(ax)
    ax.legend(loc="lower right")
    return ax


@reads_dataset
def estimators(dataset, ax):
    """Draw what each estimator reports on each law: median and the middle 80 %."""
    values = dataset.estimate.sel(end="value")
    place = np.arange(dataset.sizes["law"])
    for i, (name, label) in enumerate(_ESTIMATORS.items()):
        at = values.sel(estimator=name)
        seen = np.isfinite(at.values).all(axis=1)
        low, middle, high = np.quantile(at.values[seen], (0.1, 0.5, 0.9), axis=1)
        x = place[seen] + 0.16 * (i - 1.5)
        plotting.points(ax, x, middle, low, high, **plotting.points_style(i), label=label)
    for x, truth in zip(place, dataset.law_index.values, strict=True):
        if np.isfinite(truth):
            ax.plot([x - 0.4, x + 0.4], [truth, truth], "k--", lw=1.2)
        else:
            ax.annotate(r"$\infty$", (x, 13), ha="center")
    ax.set_xticks(place, [_LAWS[law] for law in dataset.law.values])
    ax.set(ylabel="reported index", ylim=(1.2, 16))
    plotting.log_axes(ax, "y")
    ax.legend(fontsize="small", loc="upper left")
    return ax


@reads_dataset
def tails(dataset, ax):
    """Draw the share of runs beyond c: simulations as points, the exact index as a line."""
    shown = (("many", dataset.many_theory.sel(theory="exact"), "three inputs, $B=4$"),
             ("moving", dataset.moving_theory, r"momentum $\frac{1}{2}$"))  # fmt: skip
    for i, (name, index, label) in enumerate(shown):
        values = np.sort(dataset.largest.sel(experiment=name).values ** 2)[::-1]
        rank = np.unique(np.geomspace(1, values.size, 40).round().astype(int)) - 1
        share = (rank + 1) / values.size
        ax.plot(values[rank], share, **plotting.points_style(i), label=label)
        ends = np.array([values[-1], values[9]])
        plotting.theory(ax, ends, (ends / values[-1]) ** -float(index), **plotting.line(i))
    ax.set(xlabel=r"$c-1=|\theta|^2$", ylabel="share of the largest losses")
    plotting.log_axes(ax)
    ax.legend()
    return ax


def _indices(table, rates, ax, *, skip):
    for i, (name, label) in enumerate(_LABELS.items()):
        if name in skip:
            continue
        style = plotting.line(i) | {"label": label, "lw": 2.2 if name == "exact" else 1.2}
        style["ls"] = ("-", "--", "-.", ":", (0, (5, 1, 1, 1)))[i]
        plotting.theory(ax, rates, rates * table.sel(theory=name).values, **style)
    ax.set(xlabel=r"$\eta/B$", ylabel=r"$a\,\eta/B$", ylim=(0, 1.7))
    plotting.log_axes(ax, "x")
    ax.legend(fontsize="small", loc="upper left")
    return ax


__all__ = [
    "data_sizes",
    "estimators",
    "published",
    "published_ten",
    "tails",
    "wave_left",
    "wave_on_tail",
]

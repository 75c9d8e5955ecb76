"""The figures of chapter `template_trial`: plots of its dataset; no claims here."""

from sgdescape.core import plotting
from sgdescape.core.runs.reading import reads_dataset


@reads_dataset
def variance(dataset, ax):
    """Draw the measured variance against the learning rate, and the formula as a line."""
    eta = dataset.learning_rate.values
    plotting.theory(ax, eta, dataset.variance_theory.values, label="theory")
    plotting.points(ax, eta, (dataset.position**2).mean("replica").values, label="runs")
    ax.set(xlabel=r"learning rate $\eta$", ylabel=r"$\mathrm{Var}\,\theta$")
    ax.legend()
    return ax

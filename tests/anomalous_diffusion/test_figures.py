"""Figures and prose of chapter `anomalous_diffusion` show the data."""

import contract
import matplotlib.pyplot as plt
import numpy as np

import sgdescape.anomalous_diffusion as ad


def test_figures_show_the_data(measured):
    _, ax = plt.subplots()
    ad.figures.displacement(measured, ax)
    shown = [line.get_ydata() for line in ax.lines]
    for size in measured.batch_size.values:
        exact = measured.displacement_exact.sel(batch_size=size)
        assert any(np.array_equal(y, exact) for y in shown)
    means = measured.displacement.mean("replica").values
    drawn = [bars.lines[0].get_ydata() for bars in ax.containers]
    assert all(any(np.allclose(y, mean) for y in drawn) for mean in means)
    for plot in (
        ad.figures.exponents,
        ad.figures.bowl,
        ad.figures.orders,
        ad.figures.variances,
        ad.figures.grid_exponents,
    ):
        assert plot(measured, plt.subplots()[1]).get_xlabel()
    for plot in (ad.figures.published_exponents, ad.figures.power_law, ad.figures.oscillation):
        assert plot(plt.subplots()[1]).get_xlabel()
    axes = plt.subplots(1, 3)[1]
    ad.figures.published_sweeps(axes)
    line = axes[1].lines[0]
    assert np.all(np.diff(line.get_ydata()) > 0)  # c rises with S
    plt.close("all")


def test_the_page_prints_the_summary(measured):
    contract.glued("anomalous_diffusion", ad.summary(measured))

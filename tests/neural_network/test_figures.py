"""Figures and prose of chapter `neural_network`."""

import contract

import sgdescape.neural_network as net
from neural_network.imitation import SPECTRUM


def test_summary_and_figures(bowl_network):
    import matplotlib.pyplot as plt

    numbers = net.summary(bowl_network)
    assert all(name.startswith("network-") for name in numbers)
    texts = {name: format(value, fmt) for name, (value, fmt) in numbers.items()}
    assert texts["network-participation"] == f"{net.participation_ratio(SPECTRUM):.1f}"
    contract.glued("neural_network", numbers)
    figures = net.figures
    for draw, options in (
        (figures.pretraining, {}),
        (figures.spectrum, {}),
        (figures.weights, {"count": 10}),
        (figures.directions, {}),
        (figures.passage, {"batch_size": 2}),
        (figures.bowls, {}),
        (figures.slopes, {}),
        (figures.looks, {}),
        (figures.control, {"case": "twice as wide"}),
    ):
        fig, ax = plt.subplots()
        assert draw(bowl_network, ax, **options) is ax
        assert ax.get_xlabel()
        plt.close(fig)

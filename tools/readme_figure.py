"""Draw the README's figure, book/_static/escape.png, from the landing page's experiment."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from sgdescape import intro
from sgdescape.core import plotting

figure, axes = plotting.figure()
intro.plot_escape(intro.run(intro.QUICK), axes)
figure.savefig(Path(__file__).parents[1] / "book/_static/escape.png")

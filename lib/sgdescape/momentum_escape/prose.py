"""Numbers that the prose of chapter `momentum_escape` quotes."""

from sgdescape.core.runs.reading import reads_dataset
from sgdescape.momentum_escape import estimates


@reads_dataset
def summary(dataset) -> dict[str, tuple[float, str]]:
    """Return the numbers that the chapter's prose quotes.

    Args:
        dataset: of `momentum_escape.run`.

    Returns:
        Name in the prose -> (value, format).
    """
    share = estimates.tail_share(dataset, 2.0).value
    return {"momentum-tail-factor": (share / float(dataset.gibbs_tail.sel(energy=2.0)), ".0f")}

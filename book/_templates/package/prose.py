"""The numbers that the text of chapter `template_trial` prints."""

from sgdescape.core.runs.reading import reads_dataset


@reads_dataset
def summary(ds) -> dict[str, tuple[float, str]]:
    """Return name in the prose -> (value, format).

    Args:
        ds: of `template_trial.run`.
    """
    return {"template-variance": (float((ds.position[-1] ** 2).mean()), ".2f")}

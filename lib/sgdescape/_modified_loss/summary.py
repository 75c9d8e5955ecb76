"""Numbers."""


def summary(ds):
    """Return."""
    return {}

"""Settings that are tuples of numbers, checked: many of them or one."""

from sgdescape.core import validate

RUN = (validate.positive, validate.fraction, validate.count)


def checked(name, values, many, checks):
    """Refuse settings of another length, or with a number that its check refuses."""
    rows = values if many else (values,)
    if not isinstance(rows, (tuple, list)) or not rows:
        raise ValueError(f"{name} must hold at least one setting: got {values!r}")
    for row in rows:
        if not isinstance(row, (tuple, list)) or len(row) != len(checks):
            raise ValueError(f"{name} must be settings of {len(checks)} numbers: got {row!r}")
        for value, check in zip(row, checks, strict=True):
            check(name, value)

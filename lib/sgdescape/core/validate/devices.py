"""The check of a torch device at the door."""

__all__ = [
    "device",
]


def device(value):
    """Return the torch device that ``value`` names; "auto" is CUDA where there is one, else CPU.

    Args:
        value: "auto", a name that torch knows, or a `torch.device`.

    Raises:
        ValueError: if torch does not know it, or this machine does not have it.

    Example:
        >>> device("cpu")
        device(type='cpu')
    """
    import torch  # not needed by the other checks

    if isinstance(value, str) and value == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        found = torch.device(value)
    except (RuntimeError, TypeError) as error:
        raise ValueError(f"device must be 'auto' or one that torch knows: got {value!r}") from error
    if found.type != "cuda":
        return found
    present = torch.cuda.device_count()
    if not 0 <= (found.index or 0) < present:
        raise ValueError(f"device must be one of the {present} CUDA devices here: got {value!r}")
    return found

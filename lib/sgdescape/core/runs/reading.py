"""What reads a result: it is a data set, and holds what is asked of it."""

import functools
import inspect
import re
from collections.abc import Callable

import xarray as xr

__all__ = ["reads_dataset"]


def reads_dataset(function: Callable) -> Callable:
    """Let a function refuse a first argument that is not the result that it reads.

    Args:
        function: of a data set, and perhaps of more.

    Returns:
        The function; it raises TypeError where the first argument is no `xarray.Dataset`, and
        ValueError, with the name of what is missing, where it is another one.

    Example:
        >>> mean_loss = reads_dataset(lambda dataset: float(dataset.loss.mean()))
        >>> mean_loss(xr.Dataset())
        Traceback (most recent call last):
        ...
        ValueError: dataset must be a result of the chapter's run: it holds no 'loss'
    """
    name = next(iter(inspect.signature(function).parameters))

    @functools.wraps(function)
    def checked(*arguments, **options):
        dataset = arguments[0] if arguments else options.get(name)
        if not isinstance(dataset, xr.Dataset):
            raise TypeError(f"{name} must be an xarray.Dataset: got {type(dataset).__name__}")
        try:
            return function(*arguments, **options)
        except (AttributeError, KeyError, ValueError) as error:
            if (missing := _missing(error)) is None:
                raise
            raise ValueError(
                f"{name} must be a result of the chapter's run: it holds no {missing}"
            ) from error

    return checked


_WORDS = (  # of xarray, of this package, of a reader that calls another one
    r"Dimensions \{(.+?)\} do not exist",
    r"\"?('\w+') is not a valid dimension or coordinate",
    r"No variable named (.+?)\. ",
    r"the dataset holds no (configuration)",
    r"\w+ must be a result of the chapter's run: it holds no (.+)",
)


def _missing(error) -> str | None:
    """What a data set was asked for in vain, None if the error is another."""
    if isinstance(error, AttributeError):
        asked = isinstance(error.obj, (xr.Dataset, xr.DataArray))
        return repr(error.name) if asked else None
    text = str(error.args[0]) if error.args else ""
    named = next((found for words in _WORDS if (found := re.match(words, text))), None)
    if named:
        return named[1]
    return repr(text) if isinstance(error, KeyError) else None

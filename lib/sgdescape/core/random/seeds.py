"""One way to derive seeds: a hash of what the numbers are for; no arithmetic on seeds anywhere."""

import hashlib

from sgdescape.core import validate
from sgdescape.core.doors import door

__all__ = ["derive"]


@door
def derive(seed: int, chapter: str, purpose: str, index: int = 0) -> int:
    """Return the seed of one use of random numbers.

    Different arguments give unrelated seeds (a hash of 63 bits), so that no two experiments share
    data by accident, whatever the seeds that a user tries one after the other.

    Args:
        seed: the configuration's, an integer in [0, 2^64).
        chapter: stem of the chapter, or another name for the user.
        purpose: what the numbers are for.
        index: of the data set, cell or repetition, at least 0.

    Returns:
        An integer in [0, 2^63), fit for every generator used here.

    Raises:
        TypeError: if an argument has the wrong type.
        ValueError: if a number lies outside its range, or a name is empty.

    Example:
        >>> derive(0, "kramers_escape", "paths")
        5967504774674856057
        >>> derive(0, "kramers_escape", "paths", 1) == derive(0, "kramers_escape", "paths")
        False
    """
    seed = validate.count("seed", seed, low=0, high=2**64 - 1)
    index = validate.count("index", index, low=0)
    for name, text in (("chapter", chapter), ("purpose", purpose)):
        if not isinstance(text, str):
            raise TypeError(f"{name} must be a text: got {text!r}")
        if not text:
            raise ValueError(f"{name} must not be empty")
    label = "\0".join((str(seed), chapter, purpose, str(index)))
    return int.from_bytes(hashlib.blake2b(label.encode(), digest_size=8).digest(), "little") >> 1

"""Constants of the permutations of an epoch, for all engines; without torch."""

MIX = (0x85EBCA6B, 0xC2B2AE35)  # finalizer of MurmurHash3


def feistel_rounds(n: int) -> int:
    """Return how many rounds mix n places: small sets have few round functions and need more."""
    return 8 if n > 128 else 24

"""Threads of a run: fixed while it lasts, so that its bits do not depend on who computes them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["one_torch_thread"]


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Give torch one thread inside a ``with`` block, and its own number again afterwards.

    A sum over threads depends on their number in the last bit: what is computed here, in a worker
    process and on the way back from a store is the same only if all have one. A chapter that uses
    torch beside its sweeps puts the whole run inside, before it starts threads of its own, which
    take over the number that stands when they first use torch.

    NumPy's own library obeys the environment only: set OPENBLAS_NUM_THREADS=1 for products of
    large NumPy matrices.
    """
    torch = sys.modules.get("torch")  # not imported for this: what does not use it has none
    if torch is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)

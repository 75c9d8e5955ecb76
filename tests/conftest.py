"""Threads and processes of the tests: numba must not change torch's thread count."""

import os

os.environ.setdefault("NUMBA_THREADING_LAYER", "workqueue")

"""Threads and processes of the tests: numba must not change torch's thread count."""

import os

from hypothesis import settings

os.environ.setdefault("NUMBA_THREADING_LAYER", "workqueue")
# Time limits of single examples only measure how busy the machine is.
settings.register_profile("no_deadline", deadline=None)
settings.load_profile("no_deadline")

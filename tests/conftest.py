"""What all tests share: no time limits of single examples, and the sample of the long tests."""

import signal

from hypothesis import settings

# A shell that starts the tests in the background lets them ignore Ctrl-C, and programs that they
# start and interrupt would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Time limits of single examples only measure how busy the machine is.
settings.register_profile("no_deadline", deadline=None)
settings.load_profile("no_deadline")


def pytest_addoption(parser):
    """``--sample``: of tests that repeat for several seeds, the first."""
    parser.addoption("--sample", action="store_true", help="seed 1 of repeated tests only")


def pytest_collection_modifyitems(config, items):
    """Leave out the later seeds of a sample; the nightly run has them all."""
    if not config.getoption("--sample"):
        return
    later = [item for item in items if _seed(item) > 1]
    config.hook.pytest_deselected(items=later)
    items[:] = [item for item in items if _seed(item) <= 1]


def _seed(item):
    seed = getattr(getattr(item, "callspec", None), "params", {}).get("seed", 0)
    return seed if isinstance(seed, int) else 0

"""By hand, ``pytest -n 2 --nbval book/notebooks``, notebooks are tested as by ``make test``."""

from pathlib import Path

import pytest

SANITIZE = Path(__file__).parent / "tests" / "book" / "nbval_sanitize.cfg"


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    """Give ``--nbval`` what it needs here; what is asked for otherwise stays."""
    option = config.option
    if not getattr(option, "nbval", False):
        return
    option.nbval_current_env = True
    option.nbval_sanitize_with = option.nbval_sanitize_with or str(SANITIZE)
    if getattr(option, "numprocesses", None) and option.dist == "no":
        option.dist = "loadfile"  # the cells of a notebook share a kernel

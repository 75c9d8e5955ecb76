"""Threads of a run are fixed while it lasts and given back afterwards."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from sgdescape.core.runs import threads


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_torch_has_one_thread_inside_and_its_own_number_afterwards(two_threads):
    with threads.one_torch_thread():
        assert torch.get_num_threads() == 1
        with ThreadPoolExecutor(1) as aside:
            assert aside.submit(torch.get_num_threads).result() == 1
        with threads.one_torch_thread():
            pass
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2


def test_the_number_comes_back_after_an_error(two_threads):
    with pytest.raises(ZeroDivisionError), threads.one_torch_thread():
        raise ZeroDivisionError
    assert torch.get_num_threads() == 2


def test_it_does_not_import_torch():
    code = (
        "import sys; from sgdescape.core.runs import threads\n"
        "with threads.one_torch_thread(): pass\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0

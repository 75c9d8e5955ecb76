"""What several test files of the chapter need."""

import pytest

from neural_network.imitation import imitation


@pytest.fixture(scope="session")
def bowl_network():
    return imitation()

"""What does not depend on the seed is computed once, and what does is not."""

import sys
import types
from dataclasses import asdict, dataclass, replace

import numpy as np
import pytest

from sgdescape.core.runs import seedless
from sgdescape.core.runs.seedless import shared

CALLS = []
SOURCE = {
    "measure": """
from calls import CALLS
def exact(config):
    CALLS.append("exact")
    return {"n": [config.size]}
def drawn(config, index=0):
    CALLS.append("drawn")
    return config.seed + index
def through(config):
    CALLS.append("through")
    return drawn(config) + exact(config)["n"][0]
def copied(config):
    CALLS.append("copied")
    return replaced(config)
def replaced(config):
    from dataclasses import asdict
    return asdict(config)["seed"]
""",
    "theory": """
from calls import CALLS
def formula(x):
    CALLS.append("formula")
    return 2 * x
""",
    "predictions": "from sgdescape.fake_seedless.theory import formula\n",
    "experiment": "from sgdescape.fake_seedless.measure import exact, drawn, through, copied\n",
}


@dataclass(frozen=True)
class Config:
    """Of the chapter below."""

    size: int = 3
    seed: int = 0


@pytest.fixture
def chapter(monkeypatch):
    """A chapter of four rooms that counts its calls."""
    CALLS.clear()
    calls = types.ModuleType("calls")
    calls.CALLS = CALLS
    monkeypatch.setitem(sys.modules, "calls", calls)
    package = types.ModuleType("sgdescape.fake_seedless")
    package.__path__ = []
    monkeypatch.setitem(sys.modules, package.__name__, package)
    for room, source in SOURCE.items():
        module = types.ModuleType(f"sgdescape.fake_seedless.{room}")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        exec(compile(source, room, "exec"), vars(module))
    return sys.modules["sgdescape.fake_seedless.experiment"]


def test_each_result_is_that_of_its_own_seed(chapter):
    memory = {}
    for seed in (1, 2, 1):
        with shared("fake_seedless", memory):
            config = replace(Config(), seed=seed)
            assert chapter.exact(config) == {"n": [3]}
            assert chapter.drawn(config, index=5) == seed + 5
            assert chapter.through(config) == seed + 3
            assert chapter.copied(config) == seed
    assert CALLS.count("exact") == 1
    assert [CALLS.count(name) for name in ("through", "copied", "drawn")] == [3, 3, 6]


def test_other_sizes_are_computed_anew_and_results_are_not_shared(chapter):
    memory = {}
    with shared("fake_seedless", memory):
        chapter.exact(Config())["n"].append(7)
        assert chapter.exact(Config(seed=9)) == {"n": [3]}
        assert chapter.exact(Config(size=4)) == {"n": [4]}
    assert CALLS.count("exact") == 2
    chapter.exact(Config())  # outside nothing is remembered
    assert CALLS.count("exact") == 3


def test_formulas_are_computed_once_for_each_argument(chapter):
    predictions = sys.modules["sgdescape.fake_seedless.predictions"]
    with shared("fake_seedless", {}):
        for x in (np.arange(3), np.arange(3), np.arange(4)):
            np.testing.assert_array_equal(predictions.formula(x), 2 * x)
    assert CALLS.count("formula") == 2


def test_a_watched_configuration_is_like_the_one_it_watches():
    twin, reads = seedless._watched(Config(size=5, seed=3))
    assert twin.size == 5 and not reads
    assert asdict(twin) == {"size": 5, "seed": 3} and reads

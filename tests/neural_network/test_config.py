"""The configuration of chapter `neural_network` refuses what does not fit."""

import pytest

import sgdescape.neural_network as net


@pytest.mark.parametrize(
    "change, error, message",
    [
        ({"images": 10}, ValueError, "images must be at least 100: got 10"),
        ({"exponents": (6.0, 8.0)}, ValueError, "exponents must be odd in number"),
        ({"exponents": (8.0, 6.0, 9.0)}, ValueError, "exponents must be ascending"),
        ({"batches": (2,)}, ValueError, "batches must hold at least 2"),
        ({"thresholds": (0.5, 1.2, 1.3, 1.4, 1.5)}, ValueError, "thresholds must be above 1"),
        ({"path_threshold": 1.0}, ValueError, "path_threshold must be above 1"),
        ({"replicas": 1}, ValueError, "replicas must be at least 2"),
        ({"watch": 0.0}, ValueError, "watch must be positive"),
        ({"hessian_directions": 13}, ValueError, "hessian_directions must lie in"),
        ({"looks": (10, 1)}, ValueError, "looks must be ascending"),
        ({"exponents": (6.0, float("nan"), 9.0)}, ValueError, "exponents must be positive"),
        ({"exponents": 6.0}, TypeError, "exponents must be a tuple: got 6.0"),
        ({"thresholds": (1.1, 1.2, 1.3, 1.4, float("inf"))}, ValueError, "thresholds must be pos"),
        ({"batches": (2, 4.5)}, TypeError, "batches must be an integer"),
        ({"batches": (2, 6000)}, ValueError, "batches must be at most images = 5000"),
        ({"batches": (True, 4)}, TypeError, "batches must be an integer"),
        ({"hidden": ()}, ValueError, "hidden must be a tuple of units, not empty"),
        ({"hidden": (10, 20)}, ValueError, "hidden layers must have one width"),
        ({"hidden": (0,)}, ValueError, "units in hidden must be at least 1: got 0"),
        ({"seed": -1}, ValueError, "seed must lie in"),
        ({"seed": True}, TypeError, "seed must be an integer"),
        ({"watch": "1"}, TypeError, "watch must be a real number"),
        ({"bowl_step": 2000.0}, ValueError, "bowl_step must be at most watch = 1500"),
    ],
)
def test_config_refuses(change, error, message):
    with pytest.raises(error, match=message):
        net.Config(**change)

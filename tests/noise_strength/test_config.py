"""The configuration of chapter `noise_strength` refuses what does not fit."""

import pytest

import sgdescape.noise_strength as ns


@pytest.mark.parametrize(
    "change, message",
    [
        (dict(batch_size=0), "batch_size"),
        (dict(marks=4), "marks must be at least 5: got 4"),
        (dict(replicas=1), "replicas must be at least 2: got 1"),
        (dict(learning_rate=-1.0), "learning_rate.*-1.0"),
        (dict(cnn_data="imagenet"), "cnn_data.*'imagenet'"),
        (dict(replicas=4, cnn_replicas=5), r"cnn_replicas must lie in \[2, 4\]: got 5"),
        (dict(batch_size=300), r"batch_size must lie in \[1, 200\]: got 300"),
        (dict(learning_rate=float("nan")), "learning_rate must be positive and finite: got nan"),
        (dict(learning_rate=float("inf")), "learning_rate must be positive and finite: got inf"),
        (dict(seed=-1), "seed must lie in"),
        (dict(seed=2**64), "seed must lie in"),
        (dict(hidden=(100, 0)), "units in hidden must be at least 1: got 0"),
        (dict(hidden=[100]), "hidden must be a tuple of units"),
        (dict(stacks=()), "stacks must be a tuple of"),
        (dict(stacks=((8,),)), "stacks must hold pairs"),
        (dict(stacks=((8, 0),)), "filters and convolutions in stacks must be at least 1"),
        (dict(pool=10), "pool x 2.stacks must be at most the 28 pixels of an image's side: got 40"),
        (dict(mlp_epochs=10), "marks must be at most the smallest number of epochs"),
        (dict(stop=0), r"stop must lie in \[1, 36\]: got 0"),
        (dict(stop=37), r"stop must lie in \[1, 36\]: got 37"),
    ],
)
def test_config_refuses(change, message):
    with pytest.raises(ValueError, match=message):
        ns.Config(**change)


@pytest.mark.parametrize(
    "change, message",
    [
        (dict(images=10.5), "images must be an integer"),
        (dict(images="200"), "images must be an integer"),
        (dict(learning_rate=True), "learning_rate must be a real number"),
        (dict(marks=True), "marks must be an integer"),
        (dict(accept_subset=1), "accept_subset must be true or false"),
        (dict(hidden=(100.0,)), "units in hidden must be an integer"),
    ],
)
def test_config_refuses_other_types(change, message):
    with pytest.raises(TypeError, match=message):
        ns.Config(**change)

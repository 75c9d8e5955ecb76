"""ResNet-18: counts, names, a second implementation in functions, initialisation."""

import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from sgdescape.core.networks.resnet import resnet18
from sgdescape.core.training import sgd


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        ({"stem": "imagenet", "classes": 1000}, 11_689_512),
        ({"stem": "cifar"}, 11_173_962),
        ({"stem": "cifar", "in_channels": 1}, 11_173_962 - 2 * 9 * 64),
    ],
)
def test_parameter_count(arguments, count):
    model = resnet18(seed=0, **arguments)
    assert sum(p.numel() for p in model.parameters()) == count


def test_names_and_shapes_are_those_of_published_weight_files():
    state = resnet18("imagenet", classes=1000, seed=0).state_dict()
    expected, wide = {"conv1.weight": (64, 3, 7, 7)}, 64
    norms = {"bn1": 64}
    for stage in range(1, 5):
        deep = 64 * 2 ** (stage - 1)
        for block in range(2):
            at = f"layer{stage}.{block}"
            expected[f"{at}.conv1.weight"] = (deep, wide, 3, 3)
            expected[f"{at}.conv2.weight"] = (deep, deep, 3, 3)
            norms |= {f"{at}.bn1": deep, f"{at}.bn2": deep}
            if wide != deep:
                expected[f"{at}.downsample.0.weight"] = (deep, wide, 1, 1)
                norms[f"{at}.downsample.1"] = deep
            wide = deep
    for name, size in norms.items():
        tensors = ("weight", "bias", "running_mean", "running_var")
        expected |= {f"{name}.{tensor}": (size,) for tensor in tensors}
        expected[f"{name}.num_batches_tracked"] = ()
    expected |= {"fc.weight": (1000, 512), "fc.bias": (1000,)}
    assert {name: tuple(value.shape) for name, value in state.items()} == expected
    assert len(expected) == 122


def functional(state, x, stem, training):
    """The network of He et al., Table 1, by its state alone."""

    def norm(h, at):
        mean, variance = state[f"{at}.running_mean"], state[f"{at}.running_var"]
        if training:
            mean, variance = h.mean((0, 2, 3)), h.var((0, 2, 3), correction=0)
        scale = state[f"{at}.weight"] / (variance + 1e-5).sqrt()
        return (h - mean[:, None, None]) * scale[:, None, None] + state[f"{at}.bias"][:, None, None]

    def convolve(h, at, stride=1):
        weight = state[f"{at}.weight"]
        return F.conv2d(h, weight, stride=stride, padding=(weight.shape[2] - 1) // 2)

    h = norm(convolve(x, "conv1", 2 if stem == "imagenet" else 1), "bn1").clamp(min=0)
    if stem == "imagenet":
        h = F.max_pool2d(F.pad(h, (1, 1, 1, 1), value=-torch.inf), 3, 2)
    for stage in range(1, 5):
        for block in range(2):
            at, stride = f"layer{stage}.{block}", 2 if stage > 1 and block == 0 else 1
            branch = norm(convolve(h, f"{at}.conv1", stride), f"{at}.bn1").clamp(min=0)
            branch = norm(convolve(branch, f"{at}.conv2"), f"{at}.bn2")
            if stride == 2:
                h = norm(convolve(h, f"{at}.downsample.0", 2), f"{at}.downsample.1")
            h = (h + branch).clamp(min=0)
    return h.mean((2, 3)) @ state["fc.weight"].T + state["fc.bias"]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("stem", "size"), [("cifar", 16), ("imagenet", 64)])
def test_forward_is_that_of_the_second_implementation(stem, size, training):
    model = resnet18(stem, seed=1, width=4, classes=7, dtype=torch.float64)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if "bn" in name or "downsample.1" in name:  # away from the identity
                if tensor.is_floating_point():
                    draw = torch.rand(tensor.shape, generator=generator, dtype=torch.float64)
                    tensor.copy_(draw + 0.5)
    x = torch.randn(5, 3, size, size, generator=generator, dtype=torch.float64)
    expected = functional(model.state_dict(), x, stem, training)
    torch.testing.assert_close(model.train(training)(x), expected, rtol=1e-10, atol=1e-11)


def test_initialisation():
    model = resnet18(seed=0)
    state = model.state_dict()
    weight = state["layer4.1.conv2.weight"]
    # 2.4 million draws: the standard error of a variance is sqrt(2 / n), here 0.1 %.
    assert weight.var().item() == pytest.approx(2 / (512 * 9), rel=5 * (2 / weight.numel()) ** 0.5)
    assert abs(weight.mean().item()) < 5 * (2 / (512 * 9) / weight.numel()) ** 0.5
    assert 0.95 * 512**-0.5 < state["fc.weight"].abs().max() <= 512**-0.5
    assert torch.equal(state["bn1.weight"], torch.ones(64))
    assert not state["layer1.0.bn2.bias"].any()


def test_a_seed_is_a_network_and_draws_nothing_from_the_global_generator():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    one, same, other = (resnet18(seed=s, width=2) for s in (3, 3, 4))
    assert torch.equal(torch.get_rng_state(), before)
    double = resnet18(seed=3, width=2, dtype=torch.float64)
    for a, b, c in zip(one.parameters(), same.parameters(), double.parameters(), strict=True):
        assert torch.equal(a, b) and torch.equal(a, c.float())
    assert not torch.equal(one.conv1.weight, other.conv1.weight)


def test_it_trains_by_the_common_loop():
    model = resnet18(seed=0, width=2, in_channels=1)
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(40) % 10
    x = torch.randn(10, 1, 12, 12, generator=generator)[labels]
    x += 0.1 * torch.randn(x.shape, generator=generator)
    config = sgd.Config(learning_rate=0.05, batch_size=20, steps=40, momentum=0.9)
    result = sgd.train(model, x, torch.eye(10)[labels], config, loss=sgd.cross_entropy)
    assert result.batch_losses[-1] < 0.5 * result.batch_losses[0]


def test_refuses_bad_arguments():
    with pytest.raises(ValueError, match="stem must be one of 'cifar', 'imagenet': got 'small'"):
        resnet18("small", seed=0)
    for name in ("width", "classes", "in_channels"):
        with pytest.raises(ValueError, match=f"{name} must be at least 1: got 0"):
            resnet18(seed=0, **{name: 0})
    with pytest.raises(TypeError, match="dtype must be a floating-point torch.dtype"):
        resnet18(seed=0, dtype=torch.int64)
    with pytest.raises(TypeError, match="seed must be an integer"):
        resnet18(seed=None)

"""Shapes, Glorot statistics, determinism and refusals of `core.networks.models`."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from sgdescape.core.networks import models


def parameters_of(model):
    return sum(p.numel() for p in model.parameters())


def test_paper_mlps_have_the_papers_number_of_parameters():
    assert parameters_of(models.mlp(models.PAPER_MLP_PARITY, seed=0)) == 88701
    count = 784 * 2000 + 2 * 2000**2 + 2000 * 10 + 3 * 2000 + 10
    assert parameters_of(models.mlp(models.PAPER_MLP_FASHION, seed=0)) == count


@pytest.mark.parametrize("channels, size, flat", [(1, 28, 256 * 9), (3, 32, 256 * 16)])
def test_paper_cnn_layers(channels, size, flat):
    net = models.cnn(channels, image_size=size, seed=0)
    convolutions = [layer for layer in net if isinstance(layer, nn.Conv2d)]
    assert [c.out_channels for c in convolutions] == [64] * 3 + [128] * 3 + [256] * 3
    assert convolutions[0].in_channels == channels
    assert {(c.kernel_size, c.stride, c.padding) for c in convolutions} == {
        ((3, 3), (1, 1), (1, 1))
    }
    kinds = [type(layer).__name__ for layer in net]
    assert kinds == (["Conv2d", "ReLU"] * 3 + ["MaxPool2d"]) * 3 + ["Flatten", "Linear"]
    assert net[-1].in_features == flat
    assert net(torch.zeros(2, channels, size, size)).shape == (2, 10)


def test_glorot_bound_variance_and_zero_bias():
    layer = models.mlp((300, 200), seed=3, dtype=torch.float64)[0]
    bound = math.sqrt(6 / 500)
    weight = layer.weight.detach()
    assert weight.abs().max() <= bound
    assert weight.abs().max() > 0.999 * bound
    # variance of a uniform law: bound^2 / 3; its sampling error is bound^2 sqrt(4/45/count)
    z = (weight.square().mean() - bound**2 / 3) / (bound**2 * math.sqrt(4 / 45 / weight.numel()))
    assert abs(z) < 5
    assert abs(weight.mean()) < 5 * bound / math.sqrt(3 * weight.numel())
    assert not layer.bias.any()


def test_glorot_bound_of_a_convolution_counts_the_kernel():
    layer = models.cnn(8, stacks=((16, 1),), image_size=4, seed=0)[0]
    bound = math.sqrt(6 / (9 * 8 + 9 * 16))
    assert 0.98 * bound < layer.weight.abs().max() <= bound


def test_same_seed_same_network_in_both_dtypes_other_seed_another():
    single = models.mlp((5, 4, 2), seed=7)
    double = models.mlp((5, 4, 2), seed=7, dtype=torch.float64)
    for a, b in zip(single.parameters(), double.parameters(), strict=True):
        assert a.dtype == torch.float32 and b.dtype == torch.float64
        assert torch.equal(a, b.float())
    other = models.mlp((5, 4, 2), seed=8)
    assert not torch.equal(single[0].weight, other[0].weight)


def test_global_generator_is_left_alone():
    before = torch.random.get_rng_state()
    models.mlp((5, 4, 2), seed=7)
    models.cnn(1, stacks=((2, 1),), seed=7)
    assert torch.equal(before, torch.random.get_rng_state())


@given(widths=st.lists(st.integers(1, 9), min_size=2, max_size=5), n=st.integers(1, 4))
@settings(max_examples=25, deadline=None)
def test_mlp_maps_first_width_to_last(widths, n):
    net = models.mlp(widths, seed=0)
    assert net(torch.zeros(n, widths[0])).shape == (n, widths[-1])
    assert len(net) == 2 * (len(widths) - 1) - 1
    assert not net(torch.zeros(n, widths[0])).any()


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: models.mlp((784,), seed=0), ValueError, "widths must hold at least 2"),
        (lambda: models.mlp((784, 0, 1), seed=0), ValueError, r"widths\[1\] must be at least 1.*0"),
        (lambda: models.mlp((784, 2.5), seed=0), TypeError, r"widths\[1\].*2.5"),
        (lambda: models.mlp(784, seed=0), TypeError, "widths must be a sequence"),
        (lambda: models.mlp((2, 1), seed=-1), ValueError, "seed.*-1"),
        (lambda: models.mlp((2, 1), seed=None), TypeError, "seed"),
        (lambda: models.mlp((2, 1), seed=0, dtype=torch.int64), TypeError, "dtype.*int64"),
        (lambda: models.cnn(0, seed=0), ValueError, "channels.*0"),
        (lambda: models.cnn(1, seed=0, stacks=()), ValueError, "stacks"),
        (lambda: models.cnn(1, seed=0, stacks=((4,),)), ValueError, "stacks must hold 2"),
        (lambda: models.cnn(1, seed=0, image_size=4), ValueError, "image_size.*8.*4"),
        (lambda: models.cnn(1, seed=0, outputs=0), ValueError, "outputs"),
    ],
)
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call()

"""Layerwise passes and norms against automatic differentiation, closed forms and symmetries."""

import subprocess
import sys

import hypothesis
import pytest
import torch
from hypothesis import strategies as st
from tests.core import explicit
from torch import nn

from sgdescape.core.networks import chains, gradients, layers


def square(outputs, targets):
    return 0.5 * (outputs - targets.view_as(outputs)).square().sum(1)


def cross_entropy(outputs, targets):
    return -(targets * outputs.log_softmax(1)).sum(1)


def small_mlp(seed=0, widths=(7, 6, 5, 3), bias=True):
    generator = torch.Generator().manual_seed(seed)
    modules = []
    for fan_in, fan_out in zip(widths[:-1], widths[1:], strict=True):
        modules += [nn.Linear(fan_in, fan_out, bias=bias, dtype=torch.float64), nn.ReLU()]
    return fill(nn.Sequential(*modules[:-1]), generator)


def small_cnn(seed=0):
    generator = torch.Generator().manual_seed(seed)
    modules = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1, dtype=torch.float64),
        nn.ReLU(),
        nn.Conv2d(4, 3, 3, padding=(0, 1), stride=(1, 2), dilation=(2, 1), dtype=torch.float64),
        nn.ReLU(),
        nn.MaxPool2d(2, stride=1),  # overlapping windows
        nn.Conv2d(3, 5, 2, bias=False, dtype=torch.float64),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(5, 3, dtype=torch.float64),
    )
    return fill(modules, generator)


def fill(model, generator):
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(torch.randn(p.shape, generator=generator, dtype=p.dtype) * 0.6)
    return model


def batch(shape, seed=1):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


CASES = {
    "mlp": (small_mlp, (9, 7)),
    "mlp without bias": (lambda: small_mlp(bias=False), (9, 7)),
    "one output": (lambda: small_mlp(widths=(7, 4, 1)), (9, 7)),
    "linear": (lambda: small_mlp(widths=(4, 1)), (9, 4)),
    "cnn": (small_cnn, (9, 2, 8, 8)),
}


@pytest.fixture(params=CASES, ids=CASES.keys())
def case(request):
    make, shape = CASES[request.param]
    model = make()
    inputs = batch(shape)
    outputs = model(inputs).shape[1]
    return model, inputs, batch((len(inputs), outputs), seed=2)


@pytest.mark.parametrize("chunk", [None, 1, 4, 100])
def test_norms_equal_those_of_explicit_gradients(case, chunk):
    model, inputs, targets = case
    expected = gradients.batch_gradients(model, inputs, targets, loss=square).square().sum(1)
    got = gradients.per_sample_gradient_norms(model, inputs, targets, loss=square, chunk=chunk)
    torch.testing.assert_close(got, expected, rtol=1e-12, atol=1e-14)


def test_norms_with_cross_entropy(case):
    model, inputs, targets = case
    targets = targets.softmax(1)
    expected = gradients.batch_gradients(model, inputs, targets, loss=cross_entropy)
    got = gradients.per_sample_gradient_norms(model, inputs, targets, loss=cross_entropy)
    torch.testing.assert_close(got, expected.square().sum(1), rtol=1e-11, atol=1e-20)


@pytest.mark.parametrize("chunk", [None, 2])
def test_output_norms_equal_those_of_the_explicit_jacobian(case, chunk):
    model, inputs, _ = case
    expected = explicit.output_jacobian(model, inputs).square().sum((1, 2))
    got = gradients.output_gradient_norms(model, inputs, chunk=chunk)
    torch.testing.assert_close(got, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("chunk", [None, 4])
def test_several_cotangents_share_a_forward_pass(case, chunk):
    model, inputs, first = case
    second = batch(first.shape, seed=8)
    jacobian = explicit.output_jacobian(model, inputs)
    expected = [torch.einsum("nc,ncp->np", u, jacobian).square().sum(1) for u in (first, second)]
    expected.append(jacobian.square().sum((1, 2)))
    got = gradients.cotangent_norms(model, inputs, [first, second], chunk=chunk)
    torch.testing.assert_close(got, torch.stack(expected), rtol=1e-11, atol=1e-14)
    with pytest.raises(ValueError, match="same length"):
        gradients.cotangent_norms(model, inputs, [first[1:]])


def test_explicit_gradients_against_one_backward_pass_each(case):
    model, inputs, targets = case
    rows = []
    for x, y in zip(inputs, targets, strict=True):
        loss = square(model(x[None]), y[None]).sum()
        rows.append(torch.cat([g.flatten() for g in torch.autograd.grad(loss, model.parameters())]))
    got = gradients.batch_gradients(model, inputs, targets, loss=square)
    torch.testing.assert_close(got, torch.stack(rows), rtol=1e-12, atol=1e-14)


def test_the_two_routes_of_a_convolution_agree():
    # A 1x1 kernel over 64 positions takes the direct route, a 3x3 one over 4 positions the other.
    for module, size in (
        (nn.Conv2d(3, 4, 1, dtype=torch.float64), 8),
        (nn.Conv2d(3, 8, 3, dtype=torch.float64), 4),
    ):
        inputs = batch((5, 3, size, size))
        delta = batch(module(inputs).shape, seed=3).flatten(2)
        patches = torch.nn.functional.unfold(inputs, module.kernel_size)
        weight = torch.einsum("npt,nct->ncp", patches, delta)
        expected = weight.square().sum((1, 2)) + delta.sum(2).square().sum(1)
        got = gradients._convolution_norms(module, inputs, [delta])
        torch.testing.assert_close(got[0], expected, rtol=1e-12, atol=0)


def test_forward_pass_is_the_models(case):
    model, inputs, _ = case
    torch.testing.assert_close(layers.linearise(model, inputs).outputs, model(inputs).detach())


def test_push_and_pull_are_the_jacobian_and_its_transpose(case):
    model, inputs, targets = case
    jacobian = explicit.output_jacobian(model, inputs)
    lin = layers.linearise(model, inputs)
    vector = batch((jacobian.shape[-1],), seed=4)
    torch.testing.assert_close(layers.push(lin, vector)[0], jacobian @ vector)
    expected = torch.einsum("nc,ncp->p", targets, jacobian)
    torch.testing.assert_close(layers.pull(lin, targets), expected)


def test_inplace_relu_leaves_the_inputs_alone():
    model = nn.Sequential(nn.ReLU(inplace=True), nn.Linear(3, 1, dtype=torch.float64))
    inputs = batch((4, 3))
    before = inputs.clone()
    gradients.output_gradient_norms(model, inputs)
    assert torch.equal(inputs, before)


def test_linear_regression_closed_form():
    model = small_mlp(widths=(4, 1))
    x, y = batch((30, 4)), batch((30,), seed=2)
    residual = (x @ model[0].weight[0] + model[0].bias - y).detach()
    got = gradients.per_sample_gradient_norms(model, x, y, loss=square)
    torch.testing.assert_close(got, residual**2 * (x.square().sum(1) + 1))
    torch.testing.assert_close(gradients.output_gradient_norms(model, x), x.square().sum(1) + 1)


def test_square_loss_norms_are_twice_loss_times_output_norms():
    # Mori et al., before Eq. (9): grad l = (f - y) grad f, so |grad l|^2 = 2 l |grad f|^2.
    model, x, y = small_mlp(widths=(7, 6, 1)), batch((20, 7)), batch((20,), seed=5)
    losses = square(model(x), y).detach()
    got = gradients.per_sample_gradient_norms(model, x, y, loss=square)
    torch.testing.assert_close(got, 2 * losses * gradients.output_gradient_norms(model, x))


def test_single_precision_agrees_with_double():
    model, x, y = small_cnn(), batch((9, 2, 8, 8)), batch((9, 3), seed=2)
    exact = gradients.per_sample_gradient_norms(model, x, y, loss=square)
    single = gradients.per_sample_gradient_norms(model.float(), x.float(), y.float(), loss=square)
    assert single.dtype == torch.float64
    torch.testing.assert_close(single, exact, rtol=2e-5, atol=1e-6)


@hypothesis.settings(max_examples=25, deadline=None)
@hypothesis.given(
    n=st.integers(1, 12),
    widths=st.lists(st.integers(1, 6), min_size=2, max_size=4),
    chunk=st.integers(1, 13),
    seed=st.integers(0, 2**31),
)
def test_permutation_of_samples_permutes_the_norms(n, widths, chunk, seed):
    model, x, y = small_mlp(seed, widths), batch((n, widths[0]), seed), batch((n, widths[-1]))
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    norms = gradients.per_sample_gradient_norms(model, x, y, loss=square, chunk=chunk)
    moved = gradients.per_sample_gradient_norms(model, x[order], y[order], loss=square)
    torch.testing.assert_close(norms[order], moved, rtol=1e-12, atol=1e-14)
    explicit = gradients.batch_gradients(model, x, y, loss=square).square().sum(1)
    torch.testing.assert_close(norms, explicit, rtol=1e-11, atol=1e-14)


LINEAR = nn.Linear(3, 1)
BAD_MODELS = {
    "no chain": (LINEAR, TypeError, "Sequential: got Linear"),
    "tanh": (nn.Sequential(LINEAR, nn.Tanh()), TypeError, "layer 1 .* got Tanh"),
    "batch norm": (nn.Sequential(LINEAR, nn.BatchNorm1d(1)), TypeError, "got BatchNorm1d"),
    "nested": (nn.Sequential(nn.Sequential(LINEAR)), TypeError, "layer 0 .* got Sequential"),
    "groups": (nn.Sequential(nn.Conv2d(4, 4, 3, groups=2)), ValueError, "groups must be 1: got 2"),
    "padding": (nn.Sequential(nn.Conv2d(4, 4, 3, padding="same")), ValueError, "'same'"),
    "flatten": (nn.Sequential(nn.Flatten(0), LINEAR), ValueError, "got 0 to -1"),
    "empty": (nn.Sequential(nn.ReLU()), ValueError, "got none"),
    "shared": (nn.Sequential(LINEAR, LINEAR), TypeError, "shares its parameters with an earlie"),
}


@pytest.mark.parametrize("name", BAD_MODELS)
def test_refuses_models(name):
    model, error, message = BAD_MODELS[name]
    with pytest.raises(error, match=message):
        chains.chain(model)


def test_refuses_bad_batches():
    net, x, y = nn.Sequential(nn.Linear(3, 1)), torch.ones(4, 3), torch.ones(4)

    def norms(x=x, y=y, loss=square, chunk=None):
        return gradients.per_sample_gradient_norms(net, x, y, loss=loss, chunk=chunk)

    with pytest.raises(TypeError, match="torch.float32 as the model: got torch.float64"):
        norms(x.double())
    with pytest.raises(TypeError, match="got ndarray"):
        norms(x.numpy())
    with pytest.raises(ValueError, match="NaN or infinite"):
        norms(torch.full((4, 3), float("nan")))
    with pytest.raises(ValueError, match="NaN or infinite"):
        norms(torch.tensor([[1.0, float("inf"), 0.0]] * 4))
    with pytest.raises(ValueError, match="must not be empty"):
        norms(torch.ones(0, 3), torch.ones(0))
    with pytest.raises(ValueError, match="same length: got 4 and 3"):
        norms(y=y[:3])
    with pytest.raises(ValueError, match="chunk must be at least 1: got 0"):
        norms(chunk=0)
    with pytest.raises(ValueError, match=r"per-sample values of shape \(4,\): got \(\)"):
        norms(loss=lambda f, y: square(f, y).mean())
    with pytest.raises(TypeError, match="loss must return a torch.Tensor: got float"):
        norms(loss=lambda f, y: 0.0)
    with pytest.raises(ValueError, match=r"vector must have shape \(4,\): got \(5,\)"):
        layers.push(layers.linearise(net, x), torch.ones(5))


MEMORY = """
import resource, torch
from torch import nn
from sgdescape.core.networks import gradients
from sgdescape.core.networks.gradients import per_sample_gradient_norms
torch.set_num_threads(1)
net = nn.Sequential(nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, 100), nn.ReLU(),
                    nn.Linear(100, 1))
x, y = torch.rand(3000, 784), torch.ones(3000)
loss = lambda f, y: 0.5 * (f[:, 0] - y) ** 2
per_sample_gradient_norms(net, x[:10], y[:10], loss=loss)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
per_sample_gradient_norms(net, x, y, loss=loss)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_memory_stays_far_below_per_sample_gradients():
    # 3,000 gradients of 88,701 parameters would take 1.06 GB; one pass keeps 32 MB.
    run = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True)
    assert int(run.stdout) < 80e3 * (1 if sys.platform != "darwin" else 1024)

"""A zoo of ordinary networks: every fast path gives what autograd gives, or refuses."""

import copy
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, prune

from sgdescape.core.ensembles import network as ensembles
from sgdescape.core.networks import gradients, plain
from sgdescape.core.spectra import gram, module_products, products
from sgdescape.core.training import sgd, updates

torch.manual_seed(0)
X = torch.randn(12, 5, dtype=torch.float64)
Y = torch.randn(12, dtype=torch.float64)


def half_square(outputs, targets):
    return 0.5 * (outputs[:, 0] - targets) ** 2


def stack(*layers):
    return nn.Sequential(*layers).double()


def ordinary():
    return stack(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 1))


def tied():
    model = ordinary()
    model[2].weight = nn.Parameter(torch.randn(4, 4, dtype=torch.float64))
    extra = nn.Linear(4, 4).double()
    extra.weight = model[2].weight
    return nn.Sequential(*model[:4], extra, nn.ReLU(), model[4])


def shared_memory():
    model = ordinary()
    twin = nn.Linear(4, 4).double()
    twin.weight.data = model[2].weight.data  # two parameters, one memory
    return nn.Sequential(*model[:4], twin, nn.ReLU(), model[4])


class Doubled(nn.Sequential):
    def forward(self, inputs):
        return 2 * super().forward(inputs)


class HalfLinear(nn.Linear):
    def forward(self, inputs):
        return super().forward(inputs) / 2


def subclass():
    return Doubled(*ordinary())


def layer_subclass():
    return stack(nn.Linear(5, 4), nn.ReLU(), HalfLinear(4, 1))


def hooked():
    model = ordinary()
    model[0].register_forward_hook(lambda module, inputs, output: 3 * output)
    return model


def hooked_parameter():
    model = ordinary()
    model[0].weight.register_hook(lambda gradient: 2 * gradient)
    return model


def pruned():
    model = ordinary()
    prune.l1_unstructured(model[2], "weight", amount=0.5)
    return model


def parametrised():
    model = ordinary()
    parametrizations.spectral_norm(model[2])
    return model.eval()


def weight_normed():
    model = ordinary()
    parametrizations.weight_norm(model[2])
    return model


def patched():
    model = ordinary()
    first = model[0]
    first.forward = lambda inputs: 2 * nn.functional.linear(inputs, first.weight, first.bias)
    return model


def overlapping():
    model = ordinary()
    flat = torch.randn(24, dtype=torch.float64)
    model[2].weight.data = flat[:16].view(4, 4)
    twin = nn.Linear(4, 4).double()
    twin.weight.data = flat[8:].view(4, 4)  # half of the other's memory
    return nn.Sequential(*model[:4], twin, nn.ReLU(), model[4])


def backward_hooked():
    model = ordinary()
    model[2].register_full_backward_hook(lambda module, into, out: (2 * into[0],))
    return model


ZOO = (tied, shared_memory, subclass, layer_subclass, hooked, hooked_parameter, pruned)
ZOO += (parametrised, weight_normed, patched, overlapping, backward_hooked)
each = pytest.mark.parametrize("make", ZOO)


def test_an_ordinary_network_is_plain():
    assert plain.foreign(ordinary(), (nn.Linear, nn.ReLU)) is None
    assert updates.is_dense(ordinary())


@each
def test_fast_paths_refuse_what_they_cannot_do(make):
    model = make()
    for call in (
        lambda: gradients.per_sample_gradient_norms(model, X, Y, loss=half_square),
        lambda: gradients.output_gradient_norms(model, X),
        lambda: gram.gram(model, X),
        lambda: ensembles.problem(model, X, Y),
    ):
        with pytest.raises(TypeError, match=r"model must be|layer \d must be"):
            call()
    assert not updates.is_dense(model)


@each
def test_training_is_that_of_autograd(make):
    torch.manual_seed(1)
    model = make()
    if make in (pruned, weight_normed):
        model(X)  # derived weights are made
    reference = make.__name__
    torch.manual_seed(1)
    other = make()
    with torch.no_grad():
        for mine, theirs in zip(other.parameters(), model.parameters(), strict=True):
            mine.copy_(theirs)
    config = sgd.Config(learning_rate=0.05, batch_size=4, steps=6, seed=3)
    sgd.train(model, X, Y, config, loss=half_square)
    trained = [p for p in other.parameters() if p.requires_grad]
    batches = sgd.batches(12, 4, sampler=config.sampler, seed=3)
    for _, index in zip(range(6), batches, strict=False):
        value = half_square(other(X[index]), Y[index]).mean()
        slopes = torch.autograd.grad(value, trained)
        with torch.no_grad():
            for parameter, slope in zip(trained, slopes, strict=True):
                parameter -= 0.05 * slope
    for mine, theirs in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-9, atol=1e-12, msg=reference)


@pytest.mark.parametrize("make", [tied, subclass, layer_subclass, hooked])
def test_hessian_products_are_those_of_autograd(make):
    model = make()
    vector = torch.randn(sum(p.numel() for p in model.parameters()), dtype=torch.float64)
    product = products.hessian_product(model, X, Y, loss=half_square)(vector)
    parameters = list(model.parameters())
    value = half_square(model(X), Y).mean()
    slopes = torch.autograd.grad(value, parameters, create_graph=True)
    flat = torch.cat([s.flatten() for s in slopes])
    exact = torch.autograd.grad(flat @ vector, parameters, materialize_grads=True)
    torch.testing.assert_close(product, torch.cat([e.flatten() for e in exact]))


@pytest.mark.parametrize("make", [patched, pruned])
def test_models_that_cannot_be_copied_are_refused(make):
    with pytest.raises(TypeError, match="model must"):
        products.hessian_product(make(), X, Y, loss=half_square)


WRONG_LOSSES = {
    "mean": lambda f, t: half_square(f, t).mean(),
    "broadcast": lambda f, t: 0.5 * (f - t) ** 2,
    "column": lambda f, t: half_square(f, t)[:, None],
    "number": lambda f, t: 1.0,
}
CALLBACKS = {
    "train, dense": lambda loss: sgd.train(
        ordinary(), X, Y, sgd.Config(learning_rate=0.1, batch_size=4, steps=1), loss=loss
    ),
    "train, autograd": lambda loss: sgd.train(
        subclass(), X, Y, sgd.Config(learning_rate=0.1, batch_size=4, steps=1), loss=loss
    ),
    "norms": lambda loss: gradients.per_sample_gradient_norms(ordinary(), X, Y, loss=loss),
    "gradients": lambda loss: gradients.batch_gradients(ordinary(), X, Y, loss=loss),
    "hessian": lambda loss: products.hessian_product(ordinary(), X, Y, loss=loss)(
        torch.zeros(49, dtype=torch.float64)
    ),
    "hessian of any module": lambda loss: module_products.hessian_product(
        ordinary(), X, Y, loss=loss
    ),
    "gradient": lambda loss: module_products.gradient(ordinary(), X, Y, loss=loss),
    "gauss_newton": lambda loss: products.gauss_newton_product(ordinary(), X, Y, loss=loss)(
        torch.zeros(49, dtype=torch.float64)
    ),
}


@pytest.mark.parametrize("loss", WRONG_LOSSES)
@pytest.mark.parametrize("entry", CALLBACKS)
def test_losses_must_be_per_sample(entry, loss):
    with pytest.raises((ValueError, TypeError), match=r"loss must return|must be"):
        CALLBACKS[entry](WRONG_LOSSES[loss])


# --- ordinary networks of several makes, against plain autograd -------------------------------


def no_bias():
    return stack(nn.Linear(5, 4, bias=False), nn.ReLU(), nn.Linear(4, 1, bias=False))


def one_layer():
    return stack(nn.Linear(5, 1))


def frozen_weight():
    model = ordinary()
    model[2].weight.requires_grad_(False)
    return model


def frozen_layer():
    model = ordinary()
    model[0].requires_grad_(False)
    return model


def one_flat_memory():
    """As optimisers that keep all parameters in one vector leave them: distinct, side by side."""
    model = ordinary()
    flat = torch.cat([p.detach().flatten() for p in model.parameters()])
    place = 0
    for parameter in model.parameters():
        parameter.data = flat[place : place + parameter.numel()].view_as(parameter)
        place += parameter.numel()
    return model


def transposed_memory():
    model = ordinary()
    model[0].weight.data = model[0].weight.data.T.contiguous().T
    return model


def evaluating():
    return ordinary().eval()


def single_precision():
    return ordinary().float()


def with_buffer():
    model = ordinary()
    model.register_buffer("mask", torch.zeros(3))
    return model


ORDINARY = (ordinary, no_bias, one_layer, frozen_weight, frozen_layer, one_flat_memory)
ORDINARY += (transposed_memory, evaluating, single_precision, with_buffer)


def by_autograd(model, x, y):
    """Losses' gradients (n, P) and outputs' (n, P), frozen parameters too, one sample a time."""
    model = copy.deepcopy(model).requires_grad_(True)
    trained, rows = list(model.parameters()), []
    for value in (half_square(model(x), y), model(x)[:, 0]):
        slopes = [torch.autograd.grad(v, trained, retain_graph=True) for v in value]
        rows.append(torch.stack([torch.cat([s.flatten() for s in row]) for row in slopes]))
    return rows


@pytest.mark.parametrize("make", ORDINARY)
def test_every_path_gives_what_autograd_gives(make):
    torch.manual_seed(5)
    model = make()
    dtype = next(model.parameters()).dtype
    x, y = X.to(dtype), Y.to(dtype)
    tolerance = 1e-10 if dtype == torch.float64 else 1e-4
    losses, outputs = by_autograd(model, x, y)
    for found, expected in (
        (gradients.per_sample_gradient_norms(model, x, y, loss=half_square), squares(losses)),
        (gradients.output_gradient_norms(model, x), squares(outputs)),
        (gram.gram(model, x), outputs @ outputs.T),
        (gradients.batch_gradients(model, x, y, loss=half_square), losses),
        (module_products.gradient(model, x, y, loss=half_square), losses.mean(0)),
    ):
        torch.testing.assert_close(
            found.double(), expected.double(), rtol=tolerance, atol=tolerance
        )


def squares(rows):
    return rows.double().square().sum(1)


@pytest.mark.parametrize("make", ORDINARY)
def test_training_of_ordinary_networks_is_that_of_autograd(make):
    torch.manual_seed(5)
    model = make()
    other = copy.deepcopy(model)
    dtype = next(model.parameters()).dtype
    x, y = X.to(dtype), Y.to(dtype)
    config = sgd.Config(0.05, 4, 6, momentum=0.5, weight_decay=0.01, seed=3)
    sgd.train(model, x, y, config, loss=half_square)
    trained = [p for p in other.parameters() if p.requires_grad]
    buffers = [torch.zeros_like(p) for p in trained]
    stream = sgd.batches(12, 4, sampler=config.sampler, seed=3)
    for _, index in zip(range(6), stream, strict=False):
        slopes = torch.autograd.grad(half_square(other(x[index]), y[index]).mean(), trained)
        with torch.no_grad():
            for p, b, g in zip(trained, buffers, slopes, strict=True):
                b.mul_(0.5).add_(g).add_(p, alpha=0.01)
                p.sub_(b, alpha=0.05)
    rtol, atol = (1e-9, 1e-12) if dtype == torch.float64 else (1e-4, 1e-6)
    for mine, theirs in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=rtol, atol=atol)


# --- ambient modes ---------------------------------------------------------------------------


@contextmanager
def default_dtype():
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


@contextmanager
def deterministic():
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


AMBIENT = {
    "autocast to bfloat16": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "no_grad": torch.no_grad,
    "no_grad and autocast": lambda: _both(torch.no_grad(), torch.autocast("cpu")),
    "default dtype float64": default_dtype,
    "deterministic algorithms": deterministic,
    "anomaly detection": lambda: torch.autograd.detect_anomaly(check_nan=True),
}


@contextmanager
def _both(one, other):
    with one, other:
        yield


@pytest.fixture(scope="module")
def single():
    torch.manual_seed(7)
    return nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 1))


def numbers(model):
    """One number array of each fast path, and of the general ones."""
    x, y = X.float(), Y.float()
    vector = torch.ones(sum(p.numel() for p in model.parameters()), dtype=torch.float32)
    trained = [copy.deepcopy(model), Doubled(*copy.deepcopy(model))]  # dense, and by autograd
    for network in trained:
        sgd.train(network, x, y, sgd.Config(learning_rate=0.1, batch_size=4, steps=3))
    problem = ensembles.problem(copy.deepcopy(model), x, y)
    runs = ensembles.run(
        problem, learning_rate=0.1, batch_size=2, max_steps=4, replicas=range(2), seed=1,
        thresholds=(1e3,), record_every=1, engine="reference", device="cpu",
    )  # fmt: skip
    return [
        gradients.per_sample_gradient_norms(model, x, y, loss=half_square),
        gradients.output_gradient_norms(model, x),
        gradients.batch_gradients(model, x, y, loss=half_square),
        gram.gram(model, x),
        products.hessian_product(model, x, y, loss=half_square)(vector),
        products.gauss_newton_product(model, x, y, loss=half_square)(vector),
        module_products.gradient(model, x, y, loss=half_square),
        module_products.hessian_product(model, x, y, loss=half_square)(vector),
        torch.from_numpy(runs.losses),
        *[p.detach() for network in trained for p in network.parameters()],
    ]


@pytest.mark.filterwarnings("ignore:Anomaly Detection")
@pytest.mark.parametrize("mode", AMBIENT)
def test_ambient_modes_change_nothing(mode, single):
    expected = numbers(single)
    with AMBIENT[mode]():
        found = numbers(single)
    for right, other in zip(expected, found, strict=True):
        assert other.dtype == right.dtype
        np.testing.assert_array_equal(other.detach(), right.detach())


def test_nothing_is_computed_under_inference_mode(single):
    x, y = X.float(), Y.float()
    config = sgd.Config(learning_rate=0.1, batch_size=4, steps=1)
    before = copy.deepcopy(single.state_dict())
    for call in (
        lambda: gradients.per_sample_gradient_norms(single, x, y, loss=half_square),
        lambda: gradients.batch_gradients(single, x, y, loss=half_square),
        lambda: products.hessian_product(single, x, y, loss=half_square),
        lambda: module_products.gradient(single, x, y, loss=half_square),
        lambda: sgd.train(single, x, y, config),
    ):
        with torch.inference_mode(), pytest.raises(ValueError, match="outside of torch.inference"):
            call()
    assert all(torch.equal(v, before[k]) for k, v in single.state_dict().items())


def test_inference_mode_is_refused():
    with (
        torch.inference_mode(),
        pytest.raises(ValueError, match="outside of torch.inference_mode"),
    ):
        gradients.per_sample_gradient_norms(ordinary(), X, Y, loss=half_square)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda m: m.half(), TypeError, "one dtype, torch.float32 or torch.float64: got torch.flo"),
        (lambda m: m.to(torch.complex128), TypeError, "got torch.complex128"),
        (lambda m: m[0].float(), TypeError, "got torch.float32, torch.float64"),
        (lambda m: m[0].weight.data.fill_(float("nan")), ValueError, "0.weight holds NaN"),
    ],
)
def test_models_that_no_formula_is_right_for(change, error, words):
    model = ordinary()
    change(model)
    with pytest.raises(error, match=words):
        plain.check_model(model)


def test_chunks_do_not_change_products_where_no_statistics_are_kept():
    model = stack(nn.Linear(5, 4), nn.BatchNorm1d(4, track_running_stats=False), nn.Linear(4, 1))
    vector = torch.randn(sum(p.numel() for p in model.parameters()), dtype=torch.float64)
    kw = {"loss": half_square, "batch_norm": "eval"}
    whole = module_products.hessian_product(model, X, Y, **kw)(vector)
    value = half_square(model.eval()(X), Y).mean()
    slopes = torch.autograd.grad(value, list(model.parameters()), create_graph=True)
    exact = torch.autograd.grad(torch.cat([s.flatten() for s in slopes]) @ vector,
                                list(model.parameters()))  # fmt: skip
    torch.testing.assert_close(whole, torch.cat([e.flatten() for e in exact]))
    with pytest.raises(ValueError, match="chunk must divide the number of samples, 12"):
        module_products.hessian_product(model, X, Y, chunk=5, **kw)

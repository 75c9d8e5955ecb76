"""A zoo of ordinary networks: every fast path gives what autograd gives, or refuses."""

import copy

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


ZOO = (tied, shared_memory, subclass, layer_subclass, hooked, hooked_parameter, pruned)
ZOO += (parametrised, weight_normed, patched)
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


def test_ambient_modes_change_nothing():
    model = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 1))
    x, y = X.float(), Y.float()

    def numbers():
        vector = torch.ones(sum(p.numel() for p in model.parameters()))
        trained = copy.deepcopy(model)
        sgd.train(trained, x, y, sgd.Config(learning_rate=0.1, batch_size=4, steps=3))
        return [
            gradients.per_sample_gradient_norms(model, x, y, loss=half_square),
            gradients.batch_gradients(model, x, y, loss=half_square),
            gram.gram(model, x),
            products.hessian_product(model, x, y, loss=half_square)(vector),
            module_products.gradient(model, x, y, loss=half_square),
            *[p.detach() for p in trained.parameters()],
        ]

    expected = numbers()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = numbers()
    with torch.no_grad():
        without = numbers()
    for right, *others in zip(expected, mixed, without, strict=True):
        for other in others:
            assert other.dtype == right.dtype
            np.testing.assert_array_equal(other.detach(), right.detach())


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

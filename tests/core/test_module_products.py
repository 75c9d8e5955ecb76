"""Hessian products through BatchNorm: against dense Hessians, and what scale invariance demands."""

import copy

import pytest
import torch
from torch import nn

from sgdescape.core.networks.resnet import resnet18
from sgdescape.core.spectra import module_products, products
from sgdescape.core.training import sgd

F64 = torch.float64


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=F64)


def network():
    """A convolution, BatchNorm with statistics of its own, Tanh, pooling and two linear layers."""
    model = nn.Sequential(
        nn.Conv2d(1, 2, 3),
        nn.BatchNorm2d(2, eps=1e-30),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(8, 3),
        nn.BatchNorm1d(3),
        nn.Linear(3, 3),
    ).double()
    with torch.no_grad():
        for index, p in enumerate(model.parameters()):
            p.copy_(normal(*p.shape, seed=index))
        model[1].running_mean.copy_(normal(2))
        model[1].running_var.copy_(normal(2).square() + 0.3)
    return model


X, Y = normal(12, 1, 6, 6, seed=20), normal(12, 3, seed=21).softmax(1)
LOSSES = pytest.mark.parametrize("loss", [sgd.square_loss, sgd.cross_entropy])


def outputs_of(model, mode, chunk):
    """Outputs (n, c) as a function of the flat parameters, BatchNorm written out by hand."""
    sizes = [p.numel() for p in model.parameters()]
    shapes = [p.shape for p in model.parameters()]

    def normalise(h, layer, gain, shift):
        axes = (0, 2, 3) if h.ndim == 4 else (0,)
        wide = (1, -1, 1, 1) if h.ndim == 4 else (1, -1)
        mean, variance = h.mean(axes), h.var(axes, correction=0)
        if mode == "eval":
            mean, variance = layer.running_mean, layer.running_var
        h = (h - mean.view(wide)) / (variance.view(wide) + layer.eps).sqrt()
        return h * gain.view(wide) + shift.view(wide)

    def one(vector, x):
        parts = [p.view(s) for p, s in zip(vector.split(sizes), shapes, strict=True)]
        h = nn.functional.conv2d(x, parts[0], parts[1])
        h = normalise(h, model[1], parts[2], parts[3]).tanh()
        h = nn.functional.avg_pool2d(h, 2).flatten(1) @ parts[4].T + parts[5]
        return normalise(h, model[6], parts[6], parts[7]) @ parts[8].T + parts[9]

    flat = torch.cat([p.detach().flatten() for p in model.parameters()])
    return lambda vector: torch.cat([one(vector, x) for x in X.split(chunk)]), flat


def dense_of(product, size):
    return torch.stack([product(column) for column in torch.eye(size, dtype=F64)], 1)


CASES = pytest.mark.parametrize(
    ("mode", "chunk", "together"), [("train", None, 12), ("train", 4, 4), ("eval", 5, 12)]
)


@LOSSES
@CASES
def test_hessian_is_the_dense_one(loss, mode, chunk, together):
    model = network()
    outputs, flat = outputs_of(model, mode, together)
    exact = torch.autograd.functional.hessian(lambda v: loss(outputs(v), Y).mean(), flat)
    product = products.hessian_product(model, X, Y, loss=loss, batch_norm=mode, chunk=chunk)
    mine = dense_of(product, len(flat))
    torch.testing.assert_close(mine, exact, rtol=1e-9, atol=1e-11)
    torch.testing.assert_close(mine, mine.T, rtol=1e-9, atol=1e-11)


@LOSSES
@CASES
def test_gauss_newton_is_the_dense_one(loss, mode, chunk, together):
    model = network()
    outputs, flat = outputs_of(model, mode, together)
    jacobian = torch.autograd.functional.jacobian(outputs, flat)  # (n, c, P)
    curvature = torch.stack(
        [
            torch.autograd.functional.hessian(lambda f, y=y: loss(f[None], y[None]).sum(), f)
            for f, y in zip(outputs(flat), Y, strict=True)
        ]
    )
    exact = torch.einsum("ncp,ncd,ndq->pq", jacobian, curvature, jacobian) / len(X)
    product = products.gauss_newton_product(model, X, Y, loss=loss, batch_norm=mode, chunk=chunk)
    torch.testing.assert_close(dense_of(product, len(flat)), exact, rtol=1e-9, atol=1e-11)


@CASES
def test_gradient_is_that_of_the_written_out_network(mode, chunk, together):
    model = network()
    outputs, flat = outputs_of(model, mode, together)
    flat = flat.clone().requires_grad_()
    (exact,) = torch.autograd.grad(sgd.cross_entropy(outputs(flat), Y).mean(), flat)
    options = {"loss": sgd.cross_entropy, "batch_norm": mode, "chunk": chunk}
    torch.testing.assert_close(module_products.gradient(model, X, Y, **options), exact)


def test_the_modes_and_the_batches_are_different_questions():
    model, found = network(), []
    vector = normal(sum(p.numel() for p in model.parameters()), seed=5)
    for mode, chunk in (("train", None), ("train", 4), ("eval", None)):
        options = {"loss": sgd.cross_entropy, "batch_norm": mode, "chunk": chunk}
        found.append(products.hessian_product(model, X, Y, **options)(vector))
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert (found[a] - found[b]).norm() > 0.05 * found[a].norm()


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_the_model_is_left_as_it_is(mode):
    model = network().train()
    model[6].eval()
    model[0].weight.requires_grad_(False)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    flags = [m.training for m in model.modules()]
    size = sum(p.numel() for p in model.parameters())
    options = {"loss": sgd.cross_entropy, "batch_norm": mode}
    for make in (products.hessian_product, products.gauss_newton_product):
        make(model, X, Y, **options)(normal(size))
    module_products.gradient(model, X, Y, **options)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert flags == [m.training for m in model.modules()]
    assert all(p.grad is None for p in model.parameters())
    assert not model[0].weight.requires_grad


def test_a_product_keeps_the_parameters_of_its_making():
    model, vector = network(), normal(69)
    product = products.hessian_product(model, X, Y, loss=sgd.cross_entropy, batch_norm="train")
    before = product(vector)
    with torch.no_grad():
        model[0].weight.add_(1.0)
    assert torch.equal(product(vector), before)


@pytest.mark.parametrize("room", [0, 40_000, 2**29])
def test_kept_graphs_change_nothing(room, monkeypatch):
    model, vector = network(), normal(69)
    options = {"loss": sgd.cross_entropy, "batch_norm": "train", "chunk": 3}
    expected = products.hessian_product(model, X, Y, **options)(vector)
    monkeypatch.setattr(module_products, "KEPT_BYTES", room)
    product = products.hessian_product(model, X, Y, **options)
    for _ in range(2):
        torch.testing.assert_close(product(vector), expected, rtol=1e-12, atol=1e-13)


def test_scale_invariance_of_a_group_before_batch_norm():
    """θ_G·∇L = 0 and H θ_G = -∇L on G: the loss does not change with the length of θ_G."""
    model = network()
    size = sum(p.numel() for p in model.parameters())
    group = torch.zeros(size, dtype=F64)
    group[:20] = torch.cat([p.detach().flatten() for p in list(model.parameters())[:2]])
    for loss in (sgd.square_loss, sgd.cross_entropy):
        options = {"loss": loss, "batch_norm": "train"}
        slope = module_products.gradient(model, X, Y, **options)
        bent = products.hessian_product(model, X, Y, **options)(group)
        inside = torch.zeros_like(slope)
        inside[:20] = slope[:20]
        assert abs(group @ slope) < 1e-13 * group.norm() * slope.norm()
        torch.testing.assert_close(bent, -inside, rtol=0, atol=1e-13 * slope.norm().item())
        # With running statistics the layer is linear in θ_G, and the loss does change.
        fixed = {"loss": loss, "batch_norm": "eval"}
        slope = module_products.gradient(model, X, Y, **fixed)
        assert abs(group @ slope) > 1e-3 * group.norm() * slope.norm()


def test_scale_invariance_of_every_convolution_of_the_resnet():
    model = resnet18(seed=0, width=2, in_channels=1, dtype=F64)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 1e-30
    x = normal(6, 1, 12, 12)
    y = torch.eye(10, dtype=F64)[:6]
    options = {"loss": sgd.cross_entropy, "batch_norm": "train"}
    slope = module_products.gradient(model, x, y, **options)
    named = list(model.named_parameters())
    pieces = slope.split([p.numel() for _, p in named])
    seen = 0
    for (_, p), piece in zip(named, pieces, strict=True):
        if p.ndim == 4:  # each of the 20 convolutions feeds one BatchNorm and nothing else
            theta = p.detach().flatten()
            assert abs(theta @ piece) < 1e-10 * theta.norm() * piece.norm()
            seen += 1
    assert seen == 20
    theta = torch.cat([p.detach().flatten() * (p.ndim == 4) for _, p in named])
    bent = products.hessian_product(model, x, y, **options)(theta)
    # All groups at once: (1 + ε) θ_G leaves L, so H θ_G = -∇L on G and 0 elsewhere.
    inside = torch.cat([piece * (p.ndim == 4) for (_, p), piece in zip(named, pieces, strict=True)])
    torch.testing.assert_close(bent, -inside, rtol=0, atol=1e-9 * float(slope.norm()))


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_lanczos_finds_the_ends_of_the_dense_spectrum(mode):
    model = network()
    size = sum(p.numel() for p in model.parameters())
    product = products.hessian_product(model, X, Y, loss=sgd.cross_entropy, batch_norm=mode)
    dense = torch.linalg.eigvalsh(dense_of(product, size))
    top = products.lanczos(product, size, k=5, tol=1e-10, max_iter=size)
    torch.testing.assert_close(top.eigenvalues, dense.flip(0)[:5], rtol=1e-9, atol=1e-11)
    bottom = products.lanczos(lambda v: -product(v), size, k=1, tol=1e-10, max_iter=size)
    torch.testing.assert_close(-bottom.eigenvalues, dense[:1], rtol=1e-9, atol=1e-11)
    assert top.converged.all() and dense[0] < 0
    images = torch.stack([product(v) for v in top.eigenvectors.T], 1)
    true = (images - top.eigenvectors * top.eigenvalues).norm(dim=0)
    assert true.max() < 1e-9 * dense[-1]


def test_lanczos_on_a_resnet_reports_true_residuals():
    model = resnet18(seed=0, width=1, in_channels=1, classes=4, dtype=F64)
    size = sum(p.numel() for p in model.parameters())
    x, y = normal(16, 1, 10, 10), torch.eye(4, dtype=F64)[torch.arange(16) % 4]
    product = products.hessian_product(model, x, y, loss=sgd.cross_entropy, batch_norm="train")
    top = products.lanczos(product, size, k=3, tol=1e-7, max_iter=80)
    assert top.converged.all() and top.eigenvalues[2] > 0
    for index in range(3):
        q = top.eigenvectors[:, index]
        residual = (product(q) - top.eigenvalues[index] * q).norm()
        assert residual < 2e-7 * top.eigenvalues[0]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("mode", ["train", "eval"])
def test_products_on_a_gpu_are_those_on_the_cpu(mode):
    model, vector = network(), normal(69)
    options = {"loss": sgd.cross_entropy, "batch_norm": mode}
    for make in (products.hessian_product, products.gauss_newton_product):
        here = make(model, X, Y, **options)(vector)
        there = make(copy.deepcopy(model).cuda(), X.cuda(), Y.cuda(), **options)(vector.cuda())
        torch.testing.assert_close(there.cpu(), here, rtol=1e-9, atol=1e-11)


def test_without_batch_norm_it_agrees_with_the_layerwise_route():
    model = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3)).double()
    x, vector = normal(9, 4), normal(43)
    y = normal(9, 3, seed=2).softmax(1)
    for name in ("hessian_product", "gauss_newton_product"):
        options = {"loss": sgd.cross_entropy, "chunk": 4}
        layerwise = getattr(products, name)(model, x, y, **options)(vector)
        general = getattr(module_products, name)(model, x, y, **options)(vector)
        torch.testing.assert_close(general, layerwise, rtol=1e-11, atol=1e-12)


def test_refuses_bad_arguments():
    model, options = network(), {"loss": sgd.cross_entropy}
    for bad, message in (
        ({"batch_norm": None}, "batch_norm must be 'train' or 'eval' for a model with BatchNorm"),
        ({"batch_norm": "test"}, "batch_norm must be one of 'train', 'eval': got 'test'"),
        ({"batch_norm": "train", "chunk": 5}, "chunk must divide the number of samples, 12"),
        ({"batch_norm": "eval", "chunk": 0}, "chunk must be at least 1: got 0"),
    ):
        for make in (products.hessian_product, products.gauss_newton_product):
            with pytest.raises(ValueError, match=message):
                make(model, X, Y, **options, **bad)
    plain = nn.Sequential(nn.Linear(2, 3)).double()
    with pytest.raises(ValueError, match="batch_norm must be one of"):
        products.hessian_product(plain, normal(4, 2), Y[:4], batch_norm="test", **options)
    product = products.hessian_product(model, X, Y, batch_norm="train", **options)
    with pytest.raises(ValueError, match=r"vector must have shape \(69,\): got \(3,\)"):
        product(torch.ones(3))
    with pytest.raises(ValueError, match="inputs must be finite"):
        products.hessian_product(model, X / 0, Y, batch_norm="train", **options)
    with pytest.raises(TypeError, match="inputs must be torch.float64"):
        products.hessian_product(model, X.float(), Y, batch_norm="train", **options)

"""Gram matrices, products, Lanczos, traces, densities: against dense matrices and closed forms."""

import subprocess
import sys

import hypothesis
import numpy as np
import pytest
import torch
from hypothesis import strategies as st
from tests.core import explicit
from torch import nn

from sgdescape.core.networks import gradients
from sgdescape.core.spectra import products

F64 = torch.float64


def square(outputs, targets):
    return 0.5 * (outputs - targets.view_as(outputs)).square().sum(1)


def cross_entropy(outputs, targets):
    return -(targets * outputs.log_softmax(1)).sum(1)


def fill(model, seed=0):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(torch.randn(p.shape, generator=generator, dtype=p.dtype) * 0.6)
    return model


def small_mlp(widths=(7, 6, 5, 3), bias=True, seed=0):
    modules = []
    for fan_in, fan_out in zip(widths[:-1], widths[1:], strict=True):
        modules += [nn.Linear(fan_in, fan_out, bias=bias, dtype=F64), nn.ReLU()]
    return fill(nn.Sequential(*modules[:-1]), seed)


def small_cnn():
    return fill(
        nn.Sequential(
            nn.Conv2d(2, 4, 3, padding=1, dtype=F64),
            nn.ReLU(),
            nn.Conv2d(4, 3, 3, padding=(0, 1), stride=(1, 2), dilation=(2, 1), dtype=F64),
            nn.ReLU(),
            nn.MaxPool2d(2, stride=1),  # overlapping windows
            nn.Conv2d(3, 5, 2, bias=False, dtype=F64),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(5, 3, dtype=F64),
        )
    )


def normal(shape, seed=1):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=F64)


CASES = {
    "mlp": (small_mlp, (9, 7)),
    "mlp without bias": (lambda: small_mlp(bias=False), (9, 7)),
    "one output": (lambda: small_mlp((7, 4, 1)), (9, 7)),
    "cnn": (small_cnn, (9, 2, 8, 8)),
}


@pytest.fixture(params=CASES, ids=CASES.keys())
def case(request):
    make, shape = CASES[request.param]
    model, inputs = make(), normal(shape)
    return model, inputs, normal((len(inputs), model(inputs).shape[1]), seed=2)


def dense_hessian(model, inputs, targets, loss):
    """Hessian of the mean loss by `torch.func.hessian`: reverse over reverse through PyTorch."""
    names = [name for name, _ in model.named_parameters()]
    shapes = [p.shape for p in model.parameters()]
    flat = torch.cat([p.detach().flatten() for p in model.parameters()])

    def value(vector):
        pieces = vector.split([shape.numel() for shape in shapes])
        tree = {n: p.view(s) for n, p, s in zip(names, pieces, shapes, strict=True)}
        return loss(torch.func.functional_call(model, tree, (inputs,)), targets).mean()

    return torch.func.jacrev(torch.func.jacrev(value))(flat)


def dense_of(product, size):
    return torch.stack([product(column) for column in torch.eye(size, dtype=F64)], dim=1)


def assert_same_map(product, matrix):
    """Three random directions tell two matrices apart with certainty."""
    for direction in normal((3, len(matrix)), seed=7):
        torch.testing.assert_close(product(direction), matrix @ direction, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("chunk", [None, 1, 4])
def test_gram_is_that_of_the_explicit_jacobian(case, chunk, monkeypatch):
    from sgdescape.core.spectra import gram as module

    model, inputs, _ = case
    jacobian = explicit.output_jacobian(model, inputs).flatten(0, 1)
    monkeypatch.setattr(module, "BLOCK", 6)
    monkeypatch.setattr(module, "FACTOR_BYTES", 5000)
    got = products.gram(model, inputs, chunk=chunk)
    torch.testing.assert_close(got, jacobian @ jacobian.T, rtol=1e-11, atol=1e-12)


def test_gram_diagonal_is_the_output_norms(case):
    model, inputs, _ = case
    norms = gradients.output_gradient_norms(model, inputs)
    diagonal = products.gram(model, inputs).diagonal().view(len(inputs), -1).sum(1)
    torch.testing.assert_close(diagonal, norms, rtol=1e-12, atol=1e-13)


def test_gram_of_a_single_precision_model_is_accumulated_in_double():
    model, inputs = small_mlp((7, 6, 1)), normal((40, 7))
    exact = products.eigenvalues(products.gram(model, inputs))
    model, inputs = model.float(), inputs.float()
    double = products.eigenvalues(products.gram(model, inputs))
    single = products.eigenvalues(products.gram(model, inputs, dtype=torch.float32))
    # P = 55 > n = 40: full rank, with a long tail below the resolution of float32.
    assert products.gram(model, inputs).dtype == F64
    error = np.abs(double / exact - 1).max()
    assert error < 1e-3
    assert np.abs(single / exact - 1).max() > 5 * error


def test_noise_spectra_are_those_of_the_dense_matrices():
    model, inputs, targets = small_mlp((7, 6, 1)), normal((20, 7)), normal((20,), 2)
    losses = square(model(inputs), targets).detach()
    jacobian = explicit.output_jacobian(model, inputs)[:, 0]
    exact = torch.linalg.eigvalsh(jacobian.T @ (losses[:, None] * jacobian) / 20).flip(0)
    plain = torch.linalg.eigvalsh(losses.mean() * jacobian.T @ jacobian / 20).flip(0)
    spectra = products.noise_spectra(products.gram(model, inputs), losses)
    floor = spectra.resolution
    assert 0 < floor < 1e-11
    np.testing.assert_allclose(spectra.exact, exact[:20], rtol=1e-9, atol=floor)
    np.testing.assert_allclose(spectra.decoupled, plain[:20], rtol=1e-9, atol=floor)
    # The exact one is half the second moment of the loss gradients, Mori et al., Eq. (9).
    slopes = gradients.batch_gradients(model, inputs, targets, loss=square)
    moment = torch.linalg.eigvalsh(slopes @ slopes.T / 20).flip(0)
    np.testing.assert_allclose(2 * spectra.exact, moment, rtol=1e-9, atol=floor)


def test_equal_losses_make_the_spectra_equal():
    spectra = products.noise_spectra(normal((9, 12)) @ normal((9, 12)).T, torch.full((9,), 0.3))
    np.testing.assert_allclose(spectra.exact, spectra.decoupled, rtol=1e-12, atol=1e-14)


def test_noise_spectra_leaves_the_gram_matrix_alone():
    gram = torch.eye(4, dtype=F64) + 1
    before = gram.clone()
    products.noise_spectra(gram, torch.arange(4.0))
    assert torch.equal(gram, before)


def test_linear_regression_closed_form():
    # f = w x: C_f = x xT, so the Hessian is the Gauss-Newton matrix is XT X / N.
    model = nn.Sequential(nn.Linear(5, 1, bias=False, dtype=F64))
    x, y = normal((40, 5)), normal((40,), 2)
    matrix = x.T @ x / 40
    for make in (products.gauss_newton_product, products.hessian_product):
        torch.testing.assert_close(dense_of(make(model, x, y, loss=square), 5), matrix)
    torch.testing.assert_close(products.gram(model, x), x @ x.T)
    pairs = products.gauss_newton_eigenpairs(model, x, k=3, tol=1e-10)
    values, vectors = torch.linalg.eigh(matrix)
    torch.testing.assert_close(pairs.eigenvalues, values.flip(0)[:3])
    overlap = (pairs.eigenvectors * vectors.flip(1)[:, :3]).sum(0).abs()
    torch.testing.assert_close(overlap, torch.ones(3, dtype=F64))


@pytest.mark.parametrize("loss", [square, cross_entropy])
@pytest.mark.parametrize("chunk", [None, 2])
def test_products_are_those_of_dense_matrices(case, loss, chunk):
    model, inputs, targets = case
    if loss is cross_entropy:
        targets = targets.softmax(1)
    hessian = products.hessian_product(model, inputs, targets, loss=loss, chunk=chunk)
    expected = dense_hessian(model, inputs, targets, loss)
    assert_same_map(hessian, expected)

    jacobian, outputs = explicit.output_jacobian(model, inputs), model(inputs).detach()
    curvature = torch.stack(
        [
            torch.autograd.functional.hessian(lambda f, y=y: loss(f[None], y[None]).sum(), f)
            for f, y in zip(outputs, targets, strict=True)
        ]
    )
    expected = torch.einsum("ncp,ncd,ndq->pq", jacobian, curvature, jacobian)
    expected /= len(inputs)
    product = products.gauss_newton_product(model, inputs, targets, loss=loss, chunk=chunk)
    assert_same_map(product, expected)


@pytest.mark.parametrize("cache", [0, 2000, 2**28])
def test_gram_product_and_the_cache_limit(case, cache, monkeypatch):
    monkeypatch.setattr(products, "CACHE_BYTES", cache)
    model, inputs, targets = case
    product = products._gram_product(products._Passes(model, inputs, 2))
    expected = products.gram(model, inputs) @ targets.flatten()
    torch.testing.assert_close(product(targets.flatten()), expected, rtol=1e-10, atol=1e-11)


def test_eigenpairs_are_those_of_the_dense_gauss_newton_matrix(case):
    model, inputs, _ = case
    jacobian = explicit.output_jacobian(model, inputs).flatten(0, 1)
    matrix = jacobian.T @ jacobian / len(inputs)
    pairs = products.gauss_newton_eigenpairs(model, inputs, k=4, tol=1e-12)
    expected = torch.linalg.eigvalsh(matrix).flip(0)[:4]
    torch.testing.assert_close(pairs.eigenvalues, expected, rtol=1e-10, atol=1e-12)
    residual = matrix @ pairs.eigenvectors - pairs.eigenvectors * pairs.eigenvalues
    assert residual.norm(dim=0).max() < 1e-8 * expected[0]
    torch.testing.assert_close(pairs.eigenvectors.T @ pairs.eigenvectors, torch.eye(4, dtype=F64))
    assert pairs.converged.all()


# --- Lanczos on matrices whose spectrum is known by construction -----------------------------


def with_spectrum(values, seed=0):
    rotation = torch.linalg.qr(normal((len(values), len(values)), seed))[0]
    return rotation @ torch.diag(torch.as_tensor(values, dtype=F64)) @ rotation.T, rotation


@pytest.mark.parametrize(
    "values",
    [
        np.linspace(-3, 5, 80),
        np.logspace(-8, 2, 80),
        [7.0] * 3 + [2.0] * 40 + [-1.0] * 7,  # repeated: a plain Krylov space sees each once
        [1.0] * 12,
        [0.0] * 10 + [4.0, 2.0],
    ],
    ids=["uniform", "decades", "repeated", "identity", "low rank"],
)
def test_lanczos_finds_known_spectra(values):
    values = np.sort(np.asarray(values))[::-1]
    matrix, _ = with_spectrum(values.copy())
    found = products.lanczos(
        lambda v: matrix @ v, len(values), k=5, tol=1e-11, max_iter=len(values)
    )
    scale = np.abs(values).max()
    if len(set(values)) == len(values):
        np.testing.assert_allclose(found.eigenvalues, values[:5], atol=1e-9 * scale)
    else:  # multiplicities only in full after as many steps as the matrix has rows
        assert set(np.round(found.eigenvalues.numpy(), 8)) <= set(values)
        assert found.eigenvalues[0] == pytest.approx(values[0])
    true = (matrix @ found.eigenvectors - found.eigenvectors * found.eigenvalues).norm(dim=0)
    np.testing.assert_allclose(found.residuals, true, atol=2e-12 * scale)
    assert found.converged.all()
    identity = found.eigenvectors.T @ found.eigenvectors
    torch.testing.assert_close(identity, torch.eye(5, dtype=F64), rtol=0, atol=1e-11)


def test_lanczos_reports_what_has_not_converged():
    matrix, _ = with_spectrum(np.linspace(0, 1, 200))
    found = products.lanczos(lambda v: matrix @ v, 200, k=3, max_iter=8, tol=1e-10)
    assert not found.converged.any()
    assert found.iterations == 8
    true = (matrix @ found.eigenvectors - found.eigenvectors * found.eigenvalues).norm(dim=0)
    np.testing.assert_allclose(found.residuals, true, rtol=1e-8)


def test_lanczos_in_single_precision():
    values = np.logspace(0, 3, 60)
    matrix = with_spectrum(values)[0].float()
    found = products.lanczos(
        lambda v: matrix @ v, 60, k=5, tol=1e-5, dtype=torch.float32, max_iter=60
    )
    np.testing.assert_allclose(found.eigenvalues, values[::-1][:5], rtol=1e-5)
    assert found.eigenvectors.dtype == torch.float32


def test_lanczos_is_reproducible_and_its_answer_independent_of_the_start():
    matrix, _ = with_spectrum(np.linspace(0, 1, 30))
    runs = [
        products.lanczos(lambda v: matrix @ v, 30, k=2, seed=seed, tol=1e-12, max_iter=30)
        for seed in (3, 3, 4)
    ]
    assert torch.equal(runs[0].eigenvectors, runs[1].eigenvectors)
    torch.testing.assert_close(runs[0].eigenvalues, runs[2].eigenvalues)


@hypothesis.settings(max_examples=30, deadline=None)
@hypothesis.given(size=st.integers(1, 25), seed=st.integers(0, 2**31), data=st.data())
def test_lanczos_with_all_steps_is_exact(size, seed, data):
    k = data.draw(st.integers(1, size))
    values = np.sort(np.random.default_rng(seed).standard_normal(size))[::-1]
    matrix, _ = with_spectrum(values.copy(), seed)
    found = products.lanczos(lambda v: matrix @ v, size, k=k, max_iter=size, tol=1e-14, seed=seed)
    np.testing.assert_allclose(found.eigenvalues, values[:k], atol=1e-10)


@hypothesis.settings(max_examples=20, deadline=None)
@hypothesis.given(n=st.integers(2, 15), seed=st.integers(0, 2**31))
def test_permuting_the_samples_changes_no_spectrum(n, seed):
    model, inputs = small_mlp((7, 6, 1), seed=seed), normal((n, 7), seed)
    losses = normal((n,), seed + 1).abs()
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    gram = products.gram(model, inputs)
    torch.testing.assert_close(products.gram(model, inputs[order]), gram[order][:, order])
    before = products.noise_spectra(gram, losses)
    after = products.noise_spectra(gram[order][:, order], losses[order])
    np.testing.assert_allclose(after.exact, before.exact, atol=10 * before.resolution)
    np.testing.assert_allclose(after.decoupled, before.decoupled, atol=10 * before.resolution)
    # Traces: exact (1/N) sum l |grad f|^2 and L (1/N) sum |grad f|^2.
    norms = gradients.output_gradient_norms(model, inputs)
    assert before.exact.sum() == pytest.approx(float((losses * norms).mean()))
    assert before.decoupled.sum() == pytest.approx(float(losses.mean() * norms.mean()))


# --- traces and densities --------------------------------------------------------------------


def test_trace_is_exact_for_diagonal_matrices_and_unbiased_otherwise():
    values = torch.linspace(-1, 3, 50, dtype=F64)
    exact = products.trace(lambda v: values * v, 50, probes=3)
    assert exact.value == pytest.approx(50.0)
    assert exact.standard_error == pytest.approx(0, abs=1e-12)
    matrix, _ = with_spectrum(values)
    rough = products.trace(lambda v: matrix @ v, 50, probes=400, seed=1)
    off = matrix - torch.diag(matrix.diagonal())
    predicted = float((2 * off.square().sum() / 400).sqrt())
    assert abs(rough.value - 50) < 5 * predicted
    assert rough.standard_error == pytest.approx(predicted, rel=5 / np.sqrt(2 * 400) * 2)


def test_quadrature_moments_match_the_matrix():
    values = np.logspace(-3, 1, 120)
    matrix, _ = with_spectrum(values)
    density = products.spectral_density(lambda v: matrix @ v, 120, steps=30, probes=40, seed=2)
    np.testing.assert_allclose(density.weights.sum(1), 1, rtol=1e-12)
    for function, expected in (
        (lambda x: np.ones_like(x), 120.0),
        (lambda x: x, values.sum()),
        (lambda x: x**2, (values**2).sum()),
        (lambda x: np.exp(-x), np.exp(-values).sum()),
    ):
        estimate = products.quadrature_sum(density, function)
        assert abs(estimate.value - expected) <= 5 * estimate.standard_error + 1e-8 * abs(expected)


def test_quadrature_stops_at_an_invariant_subspace():
    density = products.spectral_density(lambda v: 2 * v, 10, steps=6, probes=2)
    np.testing.assert_allclose(density.weights[:, 0], 1)
    assert products.quadrature_sum(density, np.log).value == pytest.approx(10 * np.log(2))


def test_smoothed_density_integrates_to_one_and_finds_the_bulk():
    values = np.concatenate([np.linspace(0.9, 1.1, 90), [5.0] * 10])
    matrix, _ = with_spectrum(values)
    density = products.spectral_density(lambda v: matrix @ v, 100, steps=40, probes=30)
    grid = np.linspace(-1, 7, 1601)
    curve = products.smoothed_density(density, grid, width=0.1)
    cell = grid[1] - grid[0]
    assert curve.sum() * cell == pytest.approx(1, abs=1e-6)
    assert curve[grid > 3].sum() * cell == pytest.approx(0.1, abs=0.03)


# --- a second library ------------------------------------------------------------------------


def test_against_curvlinops():
    curvlinops = pytest.importorskip("curvlinops")
    model, inputs, targets = small_mlp((7, 6, 1)), normal((20, 7)), normal((20, 1), 2)
    parameters = list(model.parameters())
    # MSELoss averages (f - y)^2 over the samples: twice the loss with its 1/2.
    options = {"check_deterministic": False}
    data = [(inputs, targets)]
    size, loss = sum(p.numel() for p in parameters), nn.MSELoss()
    for operator, make in (
        (curvlinops.HessianLinearOperator, products.hessian_product),
        (curvlinops.GGNLinearOperator, products.gauss_newton_product),
    ):
        try:
            theirs = operator(model, loss, parameters, data, **options)
        except (TypeError, AttributeError):  # releases after 3.0 take a dictionary
            theirs = operator(model, loss, dict(model.named_parameters()), data, **options)
        ours = dense_of(make(model, inputs, targets, loss=square), size)
        identity = torch.eye(size, dtype=F64)
        torch.testing.assert_close(2 * ours, (theirs @ identity).detach(), rtol=1e-9, atol=1e-11)


# --- bad input -------------------------------------------------------------------------------


def test_refuses_bad_arguments():
    def product(v):
        return v

    for arguments, message in (
        ({"size": 4, "k": 5}, r"k must lie in \[1, 4\]: got 5"),
        ({"size": 4, "k": 0}, r"k must lie in \[1, 4\]: got 0"),
        ({"size": 0, "k": 1}, "size must be at least 1: got 0"),
        ({"size": 4, "k": 2, "max_iter": 1}, r"max_iter must lie in \[2, 4\]: got 1"),
        ({"size": 4, "k": 2, "tol": 0.0}, "tol must be positive"),
        ({"size": 4, "k": 2, "seed": -1}, "seed must be at least 0: got -1"),
    ):
        size = arguments.pop("size")
        with pytest.raises(ValueError, match=message):
            products.lanczos(product, size, **arguments)
    with pytest.raises(ValueError, match="NaN or infinite at step 1"):
        products.lanczos(lambda v: v * float("nan"), 4, k=1)
    with pytest.raises(ValueError, match="probes must be at least 2: got 1"):
        products.trace(product, 4, probes=1)
    with pytest.raises(ValueError, match="steps must be at least 1"):
        products.spectral_density(product, 4, steps=0)
    density = products.spectral_density(product, 4, probes=2)
    with pytest.raises(ValueError, match="width must be positive"):
        products.smoothed_density(density, np.zeros(2), width=0.0)


def test_refuses_losses_that_do_not_fit():
    gram = torch.eye(3, dtype=F64)
    with pytest.raises(ValueError, match=r"shape \(2, 2\) for 2 losses: got \(3, 3\)"):
        products.noise_spectra(gram, torch.ones(2))
    with pytest.raises(ValueError, match="smallest value of -1.0"):
        products.noise_spectra(gram, torch.tensor([1.0, -1.0, 0.0]))
    with pytest.raises(ValueError, match="losses must be finite: 1 of 3"):
        products.noise_spectra(gram, torch.tensor([1.0, float("nan"), 0.0]))
    model = small_mlp((7, 1))
    for make in (products.gauss_newton_product, products.hessian_product):
        with pytest.raises(ValueError, match="same length: got 4 and 3"):
            make(model, normal((4, 7)), normal((3,)), loss=square)
        with pytest.raises(ValueError, match="per-sample values"):
            make(model, normal((4, 7)), normal((4,)), loss=lambda f, y: square(f, y).mean())(
                normal((8,))
            )
        with pytest.raises(ValueError, match=r"vector must have shape \(8,\): got \(9,\)"):
            make(model, normal((4, 7)), normal((4,)), loss=square)(normal((9,)))
    with pytest.raises(ValueError, match=r"vector must have shape \(4,\): got \(5,\)"):
        products._gram_product(products._Passes(model, normal((4, 7)), None))(normal((5,)))
    with pytest.raises(TypeError, match="got Tanh"):
        products.gram(nn.Sequential(nn.Linear(7, 1), nn.Tanh()), normal((4, 7)))


MEMORY = """
import resource, torch
from torch import nn
from sgdescape.core.spectra import products as spectrum
torch.set_num_threads(1)
net = nn.Sequential(nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, 100), nn.ReLU(),
                    nn.Linear(100, 1))
x = torch.rand(4000, 784)
spectrum.gauss_newton_eigenpairs(net, x[:50], k=2)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
spectrum.gauss_newton_eigenpairs(net, x, k=3, tol=1e-4)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_eigenpairs_need_no_square_matrix():
    # The Gram matrix alone would take 128 MB, the gradients 1.4 GB.
    run = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True)
    assert int(run.stdout) < 40e3 * (1 if sys.platform != "darwin" else 1024)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("scale", [1e-25, 1e-30, 1e25])
def test_lanczos_at_any_scale(scale, dtype):
    """Squares of such entries leave the range of single precision; their norm does not."""
    matrix, _ = with_spectrum([5.0, 4.0, 3.0, 2.0, 1.0] + [0.1] * 10)
    matrix = (scale * matrix).to(dtype)
    found = products.lanczos(lambda v: matrix @ v, 15, k=3, dtype=dtype, tol=1e-5)
    assert found.converged.all()
    np.testing.assert_allclose(found.eigenvalues.numpy() / scale, [5, 4, 3], rtol=1e-5)


BAD_PRODUCTS = {
    "other length": (lambda v: v[:-1], ValueError, r"matvec must return shape \(6,\): got \(5,\)"),
    "number": (lambda v: v.sum(), ValueError, r"matvec must return shape"),
    "array": (lambda v: v.numpy(), TypeError, "matvec must return a real tensor: got"),
    "complex": (lambda v: v * 1j, TypeError, "got torch.complex128"),
    "NaN": (lambda v: v * float("nan"), ValueError, "matvec must return finite values"),
}


@pytest.mark.parametrize("case", BAD_PRODUCTS)
def test_products_that_no_spectrum_comes_from(case):
    matvec, error, message = BAD_PRODUCTS[case]
    for call in (
        lambda: products.lanczos(matvec, 6, k=1),
        lambda: products.trace(matvec, 6, probes=2),
        lambda: products.spectral_density(matvec, 6, probes=2),
    ):
        with pytest.raises(error, match=message):
            call()


@pytest.mark.parametrize("dtype", [torch.float16, torch.complex64, torch.int64, "float64"])
def test_spectra_need_an_ordinary_precision(dtype):
    with pytest.raises(TypeError, match="dtype must be torch.float32 or torch.float64: got"):
        products.lanczos(lambda v: v, 3, k=1, dtype=dtype)


@pytest.mark.skipif(torch.cuda.is_available(), reason="CUDA is here")
def test_cuda_where_there_is_none_is_refused():
    for call in (
        lambda: products.lanczos(lambda v: v, 3, k=1, device="cuda"),
        lambda: products.trace(lambda v: v, 3, probes=2, device="cuda"),
        lambda: products.spectral_density(lambda v: v, 3, probes=2, device="cuda:1"),
    ):
        with pytest.raises(ValueError, match="device must be one of the 0 CUDA devices here"):
            call()

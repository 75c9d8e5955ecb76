"""Chapter `neural_network`: formulas and bowls against exact answers, claims against wrong laws."""

import json
from dataclasses import replace
from functools import cache
from itertools import product

import numpy as np
import pytest
import torch
import xarray as xr
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

import sgdescape.neural_network as net
from sgdescape.core.claims import ClaimError, declared
from sgdescape.core.ensembles import network as ensembles
from sgdescape.core.networks import gradients, models
from sgdescape.core.stats import intervals
from sgdescape.core.training import sgd
from sgdescape.neural_network import kept_result
from sgdescape.neural_network.estimates import comparisons
from sgdescape.neural_network.estimates import passages as estimates
from sgdescape.neural_network.measure import cells as measurement
from sgdescape.neural_network.measure import checkpoints, escapes, linearised
from sgdescape.neural_network.theory import bowl

# formulas

spectra = st.lists(st.floats(0.01, 100), min_size=2, max_size=12)


@given(st.integers(1, 30), st.floats(0.1, 10))
def test_equal_curvatures_count_one_each(n, h):
    values = np.full(n, h)
    for number in (net.participation_ratio, net.entropy_number, net.outlier_dimension):
        np.testing.assert_allclose(number(values), n, rtol=1e-6)


@given(spectra, st.floats(0.1, 10), st.randoms())
def test_dimensions_do_not_depend_on_unit_or_order(values, unit, random):
    mixed = [unit * v for v in values]
    random.shuffle(mixed)
    for number in (net.participation_ratio, net.entropy_number, net.outlier_dimension):
        found = number(values)
        np.testing.assert_allclose(number(mixed), found, rtol=1e-6)
        assert 1 - 1e-9 <= found <= len(values) + 1e-6
        np.testing.assert_allclose(number([*values, 0.0]), found, rtol=1e-9)


def test_outlier_dimension_is_the_fixed_point_of_the_transverse_width():
    # at large c the width g of direction j solves rho g^2 - (1 + rho) g + rho = 0, and adds rho g
    for rho in (0.1, 0.3, 0.5, 0.7, 0.9, 0.99):
        roots = np.roots([rho, -(1 + rho), rho])
        added = net.outlier_dimension([1.0, rho]) - 1
        np.testing.assert_allclose(added, rho * roots.min(), rtol=1e-10)
    # and the values of a two-dimensional simulation at B / eta = 100, to its error of 1 %
    known = {0.9: 1.648, 0.7: 1.369, 0.5: 1.192, 0.3: 1.074, 0.1: 1.009}
    for rho, value in known.items():
        assert abs(net.outlier_dimension([1.0, rho]) - value) < 0.01


def test_gauss_newton_spectrum_is_that_of_the_sum_of_outer_products():
    model, images = small()
    jacobian = gradients.output_jacobian(model, images.inputs)[:, 0].detach()
    dense = torch.linalg.eigvalsh(jacobian.T @ jacobian / len(jacobian)).numpy()[::-1]
    found = net.gauss_newton_spectrum(jacobian @ jacobian.T)
    np.testing.assert_allclose(found[:20], dense[:20], atol=1e-9 * dense[0])


def test_raised_loss_is_the_mean_of_the_bowl():
    h, counts, a = np.array([3.0, 1.0, 0.5]), np.array([1, 1, 20]), 4.0
    valley = bowl.decoupled(h, counts)
    decay, spread = bowl.continuous(valley, strength=1 / (a * h[0]), dt=0.02 / h[0])
    _, mean = bowl.first_passage(
        valley, decay, spread, levels=[1e9], steps=20_000, replicas=100, seed=0, bridge=False
    )
    found = intervals.mean_interval(mean)
    expected = net.raised_loss(a, trace_ratio=(h * counts).sum() / h[0])
    assert expected > 2.0
    assert found.low * 0.98 < expected < found.high * 1.02
    assert net.raised_loss(1.0, trace_ratio=4.0) == np.inf


@pytest.mark.parametrize("coupled", [False, True])
def test_direction_noise_is_exact_where_its_assumptions_hold(coupled):
    # every combination of independent values: odd moments and cross terms vanish exactly
    points = np.array(list(product((-2.0, -1.0, 1.0, 2.0), (-1.5, 0.0, 1.5), (-1.0, 1.0))))
    g, rest = points[:, :2], points[:, 2].copy()
    if coupled:
        rest *= np.abs(g[:, 0])  # loss and gradient not decoupled: rho is not 1
    h, star = (g**2).mean(0), 0.5 * (rest**2).mean()
    ratio = (rest[:, None] ** 2 * g**2).mean(0) / (2 * star * h)
    kurtosis = (g**2).T @ (g**2) / len(g) / np.outer(h, h)
    z = np.array([0.3, -0.8])
    per_sample = (rest + g @ z)[:, None] * g
    exact = (per_sample**2).mean(0) - per_sample.mean(0) ** 2
    found = net.direction_noise(
        [star, *0.5 * h * z**2], ratio=ratio, kurtosis=kurtosis, curvature=h
    )
    np.testing.assert_allclose(found, exact, rtol=1e-12)
    assert coupled == (not np.allclose(ratio, 1))


def test_escape_slope_broadcasts():
    np.testing.assert_allclose(net.escape_slope(np.array([6.0, 8.0]), dimension=4), [5.0, 7.0])


# the bowl


def exact_time(c, *, n, a, h):
    """Mean first passage of Eq. (12) with n equal curvatures, from the minimum, by quadrature."""

    def inner(u):
        return quad(lambda v: v ** (n / 2 - 1) * (1 + v) ** (-a - 1), 0, u)[0]

    outer = quad(lambda u: u ** (-n / 2) * (1 + u) ** a * inner(u), 0, c - 1)[0]
    return a / (2 * h) * outer


@pytest.mark.parametrize("counts", [[1], [1, 1, 1], [3]])
def test_continuous_bowl_has_the_exact_passage_times(counts):
    h, a, levels = 3.0, 4.0, [1.5, 2.5]
    valley = bowl.decoupled(np.full(len(counts), h), np.array(counts))
    decay, spread = bowl.continuous(valley, strength=1 / (a * h), dt=0.01 / h)
    options = dict(levels=levels, steps=10**6, replicas=1000, seed=1)
    passages, _ = bowl.first_passage(valley, decay, spread, **options, bridge=True)
    exact = np.array([exact_time(c, n=sum(counts), a=a, h=h) for c in levels])
    ratio = passages * 0.01 / h / exact
    error = ratio.std(0) / np.sqrt(len(ratio))
    assert (np.abs(ratio.mean(0) - 1) < 5 * error + (0.03 if counts != [3] else 0.15)).all()
    # without the bridge, looking at the ends alone, the times are clearly too long
    coarse = bowl.continuous(valley, strength=1 / (a * h), dt=0.1 / h)
    blind, _ = bowl.first_passage(valley, *coarse, **options, bridge=False)
    assert (blind * 0.1 / h / exact).mean() > 1.3


@pytest.mark.parametrize("law", ["decoupled", "constant", "measured"])
def test_kernel_follows_the_reference(law):
    h, counts = np.array([5.0, 2.0, 0.3]), np.array([1, 1, 12])
    noise = {"ratio": np.array([0.9, 1.1]), "kurtosis": np.array([[1.6, 1.2], [1.2, 3.0]])}
    valley = getattr(bowl, law)(h, counts, **(noise if law == "measured" else {}))
    decay, spread = bowl.discrete(valley, learning_rate=0.05, batch_size=2)
    losses = bowl.reference(valley, decay, spread, steps=300, replicas=6, seed=3)
    levels = [1.05, 1.2, 1.5, 40.0]
    passages, mean = bowl.first_passage(
        valley, decay, spread, levels=levels, steps=300, replicas=6, seed=3, bridge=False
    )
    for row, found in zip(losses, passages, strict=True):
        first = [np.flatnonzero(row >= c) for c in levels]
        assert found.tolist() == [int(k[0]) + 1 if k.size else -1 for k in first]
    np.testing.assert_allclose(mean, losses[:, 150:].mean(1), rtol=1e-9)


def test_a_group_is_its_directions():
    h, a, n = 1.0, 6.0, 40
    found = []
    for counts in (np.ones(n, dtype=np.int64), np.array([n])):
        valley = bowl.decoupled(np.full(len(counts), h), counts)
        decay, spread = bowl.discrete(valley, learning_rate=0.2, batch_size=10)
        spread = spread * (0.5 / a / 0.02)
        options = dict(levels=[2.5], steps=3000, replicas=200, seed=2, bridge=False)
        found.append(bowl.first_passage(valley, decay, spread, **options)[0][:, 0])
    assert (found[0] > 0).all() and (found[1] > 0).all()
    errors = [x.std() / np.sqrt(x.size) for x in found]
    assert abs(found[0].mean() - found[1].mean()) < 5 * np.hypot(*errors)


@given(spectra)
def test_grouping_keeps_the_trace(values):
    values = np.sort(np.array([*values, 0.02, 0.01]))[::-1]
    values = values[values > 2e-4 * values[0]]
    assume(len(values) > 1)
    h, m = bowl.grouped(values, singles=1, bins=4)
    assert h[0] == values[0] and m.sum() == len(values)
    np.testing.assert_allclose((h * m).sum(), values.sum(), rtol=1e-9)


def test_lumping_keeps_two_moments():
    values = np.concatenate([[50.0, 20.0], np.linspace(0.1, 3, 400)])
    h, m = bowl.lumped(values[:2], trace=values.sum(), square=(values**2).sum())
    np.testing.assert_allclose((h * m).sum(), values.sum(), rtol=1e-12)
    np.testing.assert_allclose((h**2 * m).sum(), (values**2).sum(), rtol=0.01)


# estimates


def test_mean_times_count_the_censored():
    times = np.array([[1.0, 4.0], [3.0, 4.0]] * 8)
    mean, low, high = estimates.mean_times(times, np.array([[True, True], [True, False]] * 8))
    np.testing.assert_allclose(mean, [2.0, 8.0])
    assert (low < mean).all() and (mean < high).all()
    assert np.isnan(estimates.mean_times(times, np.zeros((16, 2), dtype=bool))[0]).all()


def test_log_ratio_covers():
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(300):
        samples = []
        for scale in (1.0, 2.0):
            start = rng.exponential(scale, (40, 1))
            times = np.hstack([start, start + rng.exponential(scale, (40, 1))])
            samples.append((np.minimum(times, 5 * scale), times < 5 * scale))
        found = estimates.log_ratio([tuple(samples)], level=0.95)
        inside += found.low <= -1.0 <= found.high
    assert 265 <= inside <= 298  # 0.95 x 300 = 285, within 5 standard deviations


def test_slope_of_scaled_times_is_exact():
    c = np.geomspace(1.5, 3, 6)
    base = np.random.default_rng(1).exponential(1.0, (30, 1))
    found = estimates.slope(base * c**7, np.ones((30, 6), dtype=bool), c)
    np.testing.assert_allclose([found.value, found.low, found.high], 7.0)
    _, slopes, *_ = estimates.local_slopes(base * c**7, np.ones((30, 6), dtype=bool), c)
    np.testing.assert_allclose(slopes, 7.0)


def test_window_uses_the_prediction_alone():
    times = np.tile([0.001, 0.5, 2.0, np.nan], (10, 1))
    assert estimates.window(times, watch=10.0).tolist() == [False, True, True, False]


@given(st.integers(0, 2**31))
@settings(max_examples=20)
def test_rarer_looks_see_later(seed):
    losses = 1 + np.random.default_rng(seed).exponential(0.5, (4, 60)).cumsum(1) / 10
    losses *= np.random.default_rng(seed + 1).uniform(0.5, 1.5, losses.shape)
    found = escapes.looked_at(losses, [1.2, 2.0, 30.0], [1, 3, 9])
    assert (found[:, :, 2] == -1).all()
    never = np.where(found < 0, 10**9, found)
    assert (np.diff(never, axis=1) >= 0).all()  # 3 divides 9
    for row in range(4):
        above = np.flatnonzero(losses[row] >= 1.2)
        assert found[row, 0, 0] == (above[0] + 1 if above.size else -1)


@pytest.mark.parametrize("hidden", [(2,), (2, 2)])
def test_escapes_do_not_depend_on_chunks(tmp_path, monkeypatch, hidden):
    model, images = small(hidden)
    problem = ensembles.problem(model, images.inputs, images.targets)
    found = measurement.minimum(model, images, directions=2, seed=0)
    made = None, model, images, problem, found
    monkeypatch.setattr(escapes, "prepared", lambda recipe, directions: made)
    config = replace(net.QUICK, watch=40.0, hidden=hidden)
    how = dict(replicas=5, use="runs", device="cpu", executor=None)
    grid = config, ["main"], (2.0, 4.0), (2, 5)
    whole = escapes.sweep(*grid, store=None, **how)
    monkeypatch.setattr(escapes, "CHUNK", 2)
    parts = escapes.sweep(*grid, store=tmp_path, **how)
    xr.testing.assert_identical(whole, parts)
    assert len(list(tmp_path.rglob("*.nc")) or list(tmp_path.rglob("*.npz"))) == 4 * 3
    rate = whole.learning_rate.sel(exponent=2.0, batch_size=5).values
    np.testing.assert_allclose(rate, 5 / 2.0 / found["curvature"][0])
    assert whole.looks.dims[-2:] == ("look", "threshold")
    np.testing.assert_array_equal(whole.looks.isel(look=0), whole.passage)


# the minimum


def small(hidden=(1,)):
    recipe = checkpoints.Recipe(images=60, hidden=hidden)
    images = checkpoints.images_of(recipe)
    return models.mlp((784, *hidden, 1), seed=3, dtype=torch.float64), images


def test_minimum_equals_explicit_gradients():
    model, images = small()
    found = measurement.minimum(model, images, directions=4, seed=0)
    jacobian = gradients.output_jacobian(model, images.inputs)[:, 0].detach()
    n = len(jacobian)
    values, vectors = torch.linalg.eigh(jacobian.T @ jacobian / n)
    values, vectors = values.flip(0)[:4], vectors.flip(1)[:, :4]
    np.testing.assert_allclose(found["curvature"], values, rtol=1e-8)
    g = jacobian @ vectors
    with torch.no_grad():
        residual = model(images.inputs)[:, 0] - images.targets
    losses = 0.5 * residual**2
    ratio = (losses @ g**2) / n / losses.mean() / values
    np.testing.assert_allclose(found["noise_ratio"], ratio, rtol=1e-6)
    kurtosis = (g**2).T @ (g**2) / n / torch.outer(values, values)
    np.testing.assert_allclose(found["kurtosis"], kurtosis, rtol=1e-6)
    mean = (residual @ g) / n
    share = mean**2 / (2 * losses.mean() * values)
    np.testing.assert_allclose(found["gradient_share"], share, rtol=1e-5)
    np.testing.assert_allclose(found["trace"], (jacobian**2).sum() / n, rtol=1e-10)
    square = torch.linalg.matrix_norm(jacobian.T @ jacobian / n) ** 2
    np.testing.assert_allclose(found["square"], square, rtol=1e-10)
    lifted = measurement.parameter_directions(model, images, found["vectors"])
    np.testing.assert_allclose((lifted.T @ vectors).abs(), np.eye(4), atol=1e-6)


@pytest.mark.parametrize("hidden", [(3,), (3, 3), (2, 2, 2)])
def test_minimum_is_the_same_from_the_gram_of_the_images(hidden):
    model, images = small(hidden)
    first = images.inputs @ images.inputs.T + 1
    found = measurement.minimum(model, images, directions=3, seed=0)
    from_gram = measurement.minimum(model, images, directions=3, seed=0, gram=first)
    single = measurement.minimum(model, images, directions=3, seed=0, gram=first.float())
    for name in ("gram", "curvature", "trace", "square", "noise_ratio", "kurtosis"):
        np.testing.assert_allclose(from_gram[name], found[name], rtol=1e-7)
        np.testing.assert_allclose(single[name], found[name], rtol=1e-3)
    assert single["gram"].dtype == torch.float32


def test_hessian_ratio_equals_the_dense_hessian():
    model, images = small()
    found = measurement.minimum(model, images, directions=2, seed=0)
    lifted = measurement.parameter_directions(model, images, found["vectors"])
    parameters = dict(model.named_parameters())
    sizes = [p.numel() for p in parameters.values()]

    def loss(vector):
        pieces = torch.split(vector, sizes)
        named = {k: v.view_as(p) for (k, p), v in zip(parameters.items(), pieces, strict=True)}
        outputs = torch.func.functional_call(model, named, (images.inputs,))
        return sgd.square_loss(outputs, images.targets[:, None]).mean()

    start = torch.cat([p.detach().flatten() for p in parameters.values()])
    for index in range(2):
        v = lifted[:, index]
        slope = torch.func.grad(loss)
        curved = torch.func.jvp(slope, (start,), (v,))[1] @ v
        ratio = measurement.hessian_ratio(model, images, lifted, found["curvature"])[index]
        np.testing.assert_allclose(ratio, curved / found["curvature"][index], rtol=1e-8)


# checkpoints


def test_bundled_checkpoints_are_those_of_quick():
    kept = checkpoints.bundled()
    assert list(kept) == list(measurement.recipes(net.QUICK).values())
    for recipe, checkpoint in kept.items():
        assert checkpoint.fall <= recipe.drift
        assert checkpoint.fall == checkpoints.fall(checkpoint.block_losses, recipe)
        images = checkpoints.images_of(recipe)
        model = checkpoints.network(recipe, checkpoint.theta)
        with torch.no_grad():
            loss = sgd.square_loss(model(images.inputs), images.targets[:, None]).mean().item()
        assert 0.8 < loss / checkpoint.block_losses[-1] < 1.2
        assert checkpoint.steps % recipe.block == 0


def test_a_changed_checkpoint_file_is_refused(monkeypatch):
    monkeypatch.setattr(checkpoints, "SHA256", "0" * 64)
    with pytest.raises(ValueError, match="neural_network.npz is corrupt: SHA-256 must be 0000"):
        checkpoints.bundled()


def test_store_and_read_back(tmp_path, monkeypatch):
    recipe = checkpoints.Recipe(images=50, hidden=(2,))
    made = checkpoints.Checkpoint(recipe, np.ones(1573, np.float32), np.array([2.0, 1.99]), 0.0)
    folder = tmp_path / "bundled"
    folder.mkdir()
    digest = checkpoints.store(folder / checkpoints.BUNDLED, [made])
    monkeypatch.setattr(checkpoints, "SHA256", digest)
    monkeypatch.setattr(checkpoints.checkpoints.resources, "files", lambda package: tmp_path)
    again = checkpoints.load(recipe)
    np.testing.assert_array_equal(again.theta, made.theta)
    assert again.recipe == recipe and 0 < again.fall < 0.01


def test_a_loss_that_falls_is_not_a_minimum():
    recipe = checkpoints.Recipe(images=120, hidden=(2,), block=50, most_blocks=2)
    seen = []
    with pytest.raises(checkpoints.NotStationaryError, match="after 100 steps.*still falls") as e:
        checkpoints.pretrain(recipe, progress=lambda *row: seen.append(row))
    assert e.value.checkpoint.fall > recipe.drift and len(seen) == 2


@pytest.mark.slow
def test_a_checkpoint_can_be_made_again():
    recipe = measurement.recipes(net.QUICK)["Fashion-MNIST"]
    kept, made = checkpoints.bundled()[recipe], checkpoints.pretrain(recipe)
    assert made.fall <= recipe.drift and abs(made.steps - kept.steps) <= 2 * recipe.block
    images = checkpoints.images_of(recipe)
    old, new = (
        measurement.minimum(checkpoints.network(recipe, c.theta), images, directions=3, seed=0)
        for c in (kept, made)
    )
    assert 0.85 < new["loss"] / old["loss"] < 1.15
    assert 0.8 < new["curvature"][0] / old["curvature"][0] < 1.25
    assert 0.85 < new["trace"] / old["trace"] < 1.15


# refusals


@pytest.mark.parametrize(
    "change, error, message",
    [
        ({"images": 10}, ValueError, "images must be at least 100: got 10"),
        ({"exponents": (6.0, 8.0)}, ValueError, "exponents must be odd in number"),
        ({"exponents": (8.0, 6.0, 9.0)}, ValueError, "exponents must hold.*ascending"),
        ({"batches": (2,)}, ValueError, "batches must hold at least 2"),
        ({"thresholds": (0.5, 1.2, 1.3, 1.4, 1.5)}, ValueError, "thresholds must be above 1"),
        ({"path_threshold": 1.0}, ValueError, "path_threshold must be above 1"),
        ({"replicas": 1}, ValueError, "replicas must be at least 2"),
        ({"watch": 0.0}, ValueError, "watch must be positive"),
        ({"hessian_directions": 13}, ValueError, "hessian_directions must lie in"),
        ({"looks": (10, 1)}, ValueError, "looks must hold.*ascending"),
    ],
)
def test_config_refuses(change, error, message):
    with pytest.raises(error, match=message):
        net.Config(**change)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: net.participation_ratio([-1.0, 2.0]), "spectrum must be non-negative"),
        (lambda: net.entropy_number([0.0, 0.0]), "spectrum must be non-negative and not zero"),
        (lambda: net.outlier_dimension([np.nan]), "spectrum must be finite"),
        (lambda: net.escape_slope(-1.0, dimension=2), "exponent must be positive"),
        (lambda: net.raised_loss(0.0, trace_ratio=2.0), "exponent must be positive"),
        (lambda: net.raised_loss(3.0, trace_ratio=0.5), "trace_ratio at least 1"),
        (lambda: bowl.grouped([2.0, 1.0], singles=2, bins=2), "singles must lie in"),
        (lambda: checkpoints.Recipe(dataset="letters"), "dataset must be one of"),
        (lambda: checkpoints.Recipe(drift=0.0), "drift must be positive"),
    ],
)
def test_formulas_refuse(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# claims, on a network that is the bowl: quick, and every law can be put in its place

SPECTRUM = np.concatenate([np.array([110.0, 42, 26]), np.geomspace(20, 0.05, 60)])
NOISE = {"ratio": np.ones(3), "kurtosis": np.where(np.eye(3), 3.0, 1.1)}
NOISE["kurtosis"][0, 0] = 1.6
IMITATED = replace(
    net.QUICK, watch=900.0, bowl_paths=96, continuous_paths=32, bowl_step=0.1, looks=(1, 5, 40)
)
CELLS = [(a, b) for a in IMITATED.exponents for b in IMITATED.batches]
VALLEY = bowl.grouped(SPECTRUM, singles=3, bins=3)
LAWS = {
    "decoupled": bowl.decoupled(*VALLEY),
    "measured": bowl.measured(*VALLEY, **NOISE),
    "constant": bowl.constant(*VALLEY),
    "equal": bowl.decoupled(SPECTRUM[:1], np.array([round(net.participation_ratio(SPECTRUM))])),
}


@cache
def bowl_times(law, use):
    """Passage times of one law's bowls in every cell (exponent, batch_size, path, threshold)."""
    options = {"curvature": SPECTRUM[0], "seed": use}
    found = [
        measurement.bowl_times(LAWS[law], IMITATED, exponent=a, batch_size=b, **options)
        for a, b in CELLS
    ]
    return np.array(found).reshape(len(IMITATED.exponents), len(IMITATED.batches), *found[0].shape)


def imitation(law="measured", *, seed=0):
    """A dataset in which bowls of one noise law play the part of the network."""
    config = IMITATED
    bowls = np.stack([bowl_times(name, 0) for name in LAWS])
    rates = np.array([b / (a * SPECTRUM[0]) for a, b in CELLS]).reshape(bowls.shape[1:3])
    shape = rates.shape
    runs = bowl_times(law, 777 + seed)[:, :, : config.replicas]
    flow = [
        measurement.continuous_times(
            LAWS["decoupled"], config, exponent=a, curvature=SPECTRUM[0], seed=0
        )
        for a in config.exponents
    ]
    steps = np.where(np.isfinite(runs), runs / rates[..., None, None], -1).round().astype(int)
    last = np.round(config.watch / SPECTRUM[0] / rates).astype(int)
    trace = SPECTRUM.sum()
    raised = net.raised_loss(np.array(config.exponents), trace_ratio=trace / SPECTRUM[0])
    late = np.random.default_rng(seed).normal(
        raised[:, None, None], 0.01, (*shape, config.replicas)
    )
    rare = np.where(steps[1, 1] > 0, np.minimum(40 * steps[1, 1], last[1, 1]), -1)
    dims = {
        "control_passage": np.array([steps[1, 1]] * 4),
        "control_last_step": np.full((4, IMITATED.replicas), last[1, 1]),
    }
    cell = ("exponent", "batch_size")
    kurtosis = NOISE["kurtosis"]
    leading = np.random.default_rng(3).choice([-1.0, 1.0, 0.0], 4000, p=[0.31, 0.31, 0.38])
    ds = xr.Dataset(
        {
            "passage": ((*cell, "replica", "threshold"), steps),
            "last_step": ((*cell, "replica"), np.repeat(last[..., None], config.replicas, -1)),
            "late_loss": ((*cell, "replica"), late),
            "learning_rate": (cell, rates),
            "looks": (
                ("look", "replica", "threshold"), np.array([steps[1, 1], steps[1, 1], rare])
            ),
            "bowl": (("law", *cell, "path", "threshold"), bowls),
            "continuous": (("exponent", "continuous_path", "threshold"), np.array(flow)),
            "spectrum": (("rank",), SPECTRUM),
            "curvature": (("direction",), SPECTRUM[:3]),
            "noise_ratio": (("direction",), NOISE["ratio"]),
            "gradient_share": (("direction",), np.full(3, 0.001)),
            "kurtosis": (("direction", "other"), kurtosis),
            "leading_vector": (("sample",), leading),
            "hessian_ratio": (("hessian_direction",), np.array([0.99, 1.01, 1.0])),
            "block_losses": (("block",), np.array([3.0, 2.0])),
            **{
                name: (("end",), np.array([0.95, 1.0, 1.03]) * value)
                for name, value in {
                    "overlap": 0.99, "curvature_ratio": 1.0, "displacement_share": 0.1,
                    "energy_share": 0.93, "leading_energy": 0.8, "path_loss": 2.3,
                    "path_coupling": 1.35, "path_noise": 0.8,
                }.items()
            },
            "control_passage": (("case", "control_replica", "threshold"), dims["control_passage"]),
            "control_linearised": (
                ("case", "control_replica", "threshold"), dims["control_passage"]
            ),
            "control_last_step": (("case", "control_replica"), dims["control_last_step"]),
            "control_bowl": (("case", "path", "threshold"), bowls[[0] * 4, 1, 1]),
            "control_refined": (("case", "path", "threshold"), bowls[[1] * 4, 1, 1]),
            **{
                f"control_{name}": (("case",), [value] * 4)
                for name, value in {
                    "learning_rate": rates[1, 1], "curvature": SPECTRUM[0], "trace": trace,
                    "loss": 0.02, "steps": 10, "kurtosis": 1.6, "participation": 10.0,
                    "largest_step": 1.0,
                }.items()
            },
        },
        coords={
            "exponent": list(config.exponents),
            "batch_size": list(config.batches),
            "threshold": list(config.thresholds),
            "look": list(config.looks),
            "law": list(LAWS),
            "case": list(measurement.recipes(net.QUICK))[1:],
        },
        attrs={
            "loss": 0.02, "trace": trace, "fall": 0.01, "pretraining_steps": 10,
            "pretraining_block": 5, "middle": 8.5, "smallest_batch": 2, "watch": config.watch,
            "path_threshold": 2.3,
        },
    )  # fmt: skip
    return net.predict(ds)


@pytest.fixture(scope="module")
def bowl_network():
    return imitation()


ELSEWHERE = (
    net.claims.continuous_time,
    net.claims.ratio_alone,
    net.claims.implied_dimension,
    net.claims.linearised,
    net.claims.depth,
)
IN_THE_BOWL = [c for c in declared("neural_network") if c not in ELSEWHERE]


@pytest.mark.parametrize("claim", IN_THE_BOWL, ids=lambda c: c.__name__)
def test_claims_hold_in_the_bowl_itself(bowl_network, claim):
    assert claim(bowl_network).identifier == claim.__name__.replace("claim_", "neural_network.")


def test_the_bowl_implies_its_own_dimension():
    ds = imitation("decoupled")
    runs = comparisons.implied(ds)
    itself = comparisons.implied(ds, comparisons.bowl_slope)
    assert runs.low < itself.value < runs.high
    with pytest.raises(ClaimError, match="implied_dimension"):  # participation is too near here
        net.claims.implied_dimension(ds)


@pytest.mark.parametrize("law", ["constant", "equal"])
@pytest.mark.parametrize("claim", [net.claims.bowl, net.claims.measured_noise])
def test_claims_reject_another_noise(bowl_network, claim, law):
    other = imitation(law)
    with pytest.raises((ClaimError, ValueError), match="verdict|power|passages"):
        claim(other)


WRONG = {
    "mean_loss": {"mean_loss": 1.0},
    "decoupling": {"noise_ratio": 1.4},
    "gauss_newton": {"hessian_ratio": 0.5},
    "kurtosis": {"leading_vector": "ones"},
    "energy": {"energy_share": 0.4},
    "displacement": {"displacement_share": 10.0},
    "path_decoupling": {"path_coupling": 0.75},
}


@pytest.mark.parametrize("name", WRONG)
def test_claims_fail_on_wrong_numbers(bowl_network, name):
    wrong = bowl_network.copy()
    for variable, factor in WRONG[name].items():
        if factor == "ones":
            rng = np.random.default_rng(0)
            wrong[variable] = wrong[variable].dims, rng.choice([1.0, 0.0], 4000)  # kurtosis 2
        elif variable == "mean_loss":
            wrong[variable] = 1.0 + 0 * wrong[variable]
        else:
            wrong[variable] = wrong[variable] * factor
    with pytest.raises(ClaimError):
        getattr(net, name)(wrong)


def test_a_wrong_formula_fails_its_claim(bowl_network, monkeypatch):
    bare = bowl_network.drop_vars(["mean_loss", "line_slope"]).drop_vars("dimension")
    right = net.raised_loss
    monkeypatch.setattr(net, "raised_loss", lambda a, *, trace_ratio: right(a, trace_ratio=1.0))
    with pytest.raises(ClaimError):
        net.claims.mean_loss(net.predict(bare))
    monkeypatch.undo()
    net.claims.mean_loss(net.predict(bare))
    monkeypatch.setattr(net, "participation_ratio", net.outlier_dimension)
    with pytest.raises(ClaimError):
        net.claims.participation(net.predict(bare))


def test_fixed_looks_and_fixed_ratio_fail_their_claims(bowl_network):
    same = bowl_network.copy(deep=True)
    same["looks"][2] = same.looks.values[0]
    with pytest.raises(ClaimError):
        net.claims.looks(same)
    with pytest.raises(ClaimError):  # all batch sizes get the smallest one's times
        equal = bowl_network.copy(deep=True)
        for b in range(3):
            scale = equal.learning_rate.values[:, 0] / equal.learning_rate.values[:, b]
            first = bowl_network.passage.values[:, 0]
            equal["passage"][:, b] = np.where(
                first > 0, np.round(first * scale[:, None, None]).clip(1), -1
            )
        net.claims.ratio_alone(equal)


def test_claims_about_other_networks_tell_the_laws_apart(bowl_network):
    with pytest.raises(ClaimError):  # here the network with two layers is the bowl as well
        net.claims.depth(bowl_network)
    other = bowl_network.copy(deep=True)
    other["control_bowl"][2] *= 16  # with two layers the bowl is slower
    net.claims.linearised(other)
    fast = other.control_passage[2].values  # and two layers faster
    deep = bowl_network.copy(deep=True)
    deep["control_passage"][2] = np.where(fast > 0, np.maximum(fast // 16, 1), -1)
    net.claims.depth(deep)
    late = other.control_linearised.values
    other["control_linearised"].values = np.where(late > 0, 2 * late, -1)
    with pytest.raises(ClaimError):
        net.claims.linearised(other)


def test_paired_ratio_is_sharp_where_the_paths_are_the_same():
    rng = np.random.default_rng(0)
    times = rng.exponential(1.0, (60, 3)).cumsum(1)
    seen = np.ones_like(times, dtype=bool)
    close = 1.1 * times * rng.normal(1, 0.01, (60, 1))
    paired = estimates.paired_ratio((close, seen), (times, seen))
    apart = estimates.log_ratio([((close, seen), (times, seen))])
    np.testing.assert_allclose(paired.value, apart.value)
    assert paired.low < np.log2(1.1) < paired.high
    assert paired.high - paired.low < 0.1 * (apart.high - apart.low)
    with pytest.raises(ValueError, match="each threshold needs 8 passages"):
        estimates.paired_ratio((times, ~seen), (times, seen))


# the linearised network


def test_linearised_kernel_follows_the_reference_and_the_network():
    model, images = small((3,))
    found = measurement.minimum(model, images, directions=2, seed=0)
    residual, gram = found["residual"], found["gram"]
    rate, levels = 0.02 / found["curvature"][0], found["loss"] * np.array([0.9, 1.0003, 1.01])
    options = dict(learning_rate=rate, batch_size=3, steps=60, seed=5)
    losses = [linearised.reference(residual, gram, replica=r, **options) for r in (4, 5)]
    passages = linearised.first_passage(
        residual, gram, levels=levels, replicas=range(4, 6), **options
    )
    for row, steps in zip(losses, passages, strict=True):
        first = [np.flatnonzero(row >= c) for c in levels]
        assert steps.tolist() == [int(k[0]) + 1 if k.size else -1 for k in first]
    assert (passages > 0).any()
    problem = ensembles.problem(model, images.inputs, images.targets, dtype="float64")
    off = []
    for smaller in (1.0, 0.002):  # with the same batches, they part in the second order
        options["learning_rate"] = smaller * rate
        line = linearised.reference(residual, gram, replica=4, **options)
        made = ensembles.run(
            problem, learning_rate=smaller * rate, batch_size=3, max_steps=60, seed=5,
            replicas=range(4, 5), record_every=1,
        )  # fmt: skip
        off.append(np.abs(made.losses[0] - line).max() / np.abs(line - found["loss"]).max())
    assert off[1] < 1e-3 and off[0] < 0.5


def test_summary_and_figures(bowl_network):
    import matplotlib.pyplot as plt

    numbers = net.summary(bowl_network)
    assert all(name.startswith("network-") for name in numbers)
    texts = {name: format(value, fmt) for name, (value, fmt) in numbers.items()}
    assert texts["network-participation"] == f"{net.participation_ratio(SPECTRUM):.1f}"
    for draw, options in (
        (net.figures.pretraining, {}), (net.figures.spectrum, {}), (net.figures.weights, {"count": 10}),
        (net.figures.directions, {}), (net.figures.passage, {"batch_size": 2}), (net.figures.bowls, {}),
        (net.figures.slopes, {}), (net.figures.looks, {}), (net.figures.control, {"case": "twice as wide"}),
    ):  # fmt: skip
        fig, ax = plt.subplots()
        assert draw(bowl_network, ax, **options) is ax
        assert ax.get_xlabel()
        plt.close(fig)


def test_cells_are_exponents_and_batches(bowl_network):
    assert comparisons.cells(bowl_network, exponents=slice(1), batches=slice(-1, None)) == [(6, 8)]


# the kept result


def test_kept_result_bears_out_the_claims_with_sharper_intervals():
    large = net.load_result()
    assert large.sizes["replica"] >= 2400 and large.attrs["cost"]
    records = json.loads(large.attrs["provenance"])
    assert len(records) == np.size(large.attrs["seeds"]) and all("torch" in r for r in records)
    assert kept_result.FILE.stat().st_size < 10**6
    for claim in (
        net.claims.mean_loss, net.claims.bowl, net.claims.arrhenius, net.claims.ratio_alone,
        net.claims.continuous_time, net.claims.measured_noise, net.claims.participation,
        net.claims.implied_dimension,
    ):  # fmt: skip
        claim(large)
    found = comparisons.against(large, "continuous", comparisons.cells(large, batches=slice(1)))
    assert found.low > 0.1  # no need of exactness: the SDE is 7 % off at the least
    cells = comparisons.cells(large, batches=slice(1))
    far = {law: comparisons.beyond(large, law, cells) for law in ("decoupled", "measured")}
    assert far["decoupled"].low > 0.3 and far["measured"].high < 0  # on two sides of the runs
    assert far["decoupled"].value > -1.5 * far["measured"].value
    numbers = net.large_summary(large)
    assert all(format(value, fmt) for value, fmt in numbers.values())


def test_seeds_are_joined(bowl_network, tmp_path):
    first, second = bowl_network.copy(), imitation(seed=1)
    for seed, ds in enumerate((first, second)):
        ds.attrs |= {"config": json.dumps({"images": 5, "seed": seed}), "seconds": 60.0}
        ds.to_netcdf(tmp_path / f"{seed}.nc")
    target = tmp_path / "both.nc"
    kept_result.main(target, "one core", tmp_path / "0.nc", tmp_path / "1.nc")
    both = kept_result.load(target)
    n = first.sizes["replica"]
    np.testing.assert_array_equal(both.passage[:, :, n:], second.passage)
    np.testing.assert_array_equal(both.passage[:, :, :n], first.passage)
    assert (
        both.attrs["cost"] == "2 minutes on one core"
        and both.sizes["path"] == 2 * first.sizes["path"]
    )
    with pytest.raises(ValueError, match=r"seed alone: got seeds \[0, 0\]"):
        kept_result.join([first, first])
    with pytest.raises(FileNotFoundError, match="part of a checkout"):
        kept_result.load(tmp_path / "none.nc")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_claims_hold_for_every_seed(seed):
    dataset = net.run(replace(net.QUICK, seed=seed))
    for claim in declared("neural_network"):
        claim(dataset)
    assert json.loads(dataset.attrs["config"])["images"] == 5000
    assert set(net.summary(dataset))

"""SGD with momentum on linear regression: exact laws, autograd, passages, engines."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sgdescape.core.ensembles import phase_space, regression
from sgdescape.core.ensembles.kernels import batches_torch
from sgdescape.core.ensembles.regression import SAMPLERS, FiniteData, FreshData, gaussian_data
from sgdescape.core.ensembles.regression_data import INPUTS

MOMENTS = (
    "position", "square_position", "square_velocity", "midpoint_product", "areal_rate", "loss",
    "square_speed",
)  # fmt: skip
STATES = ("position", "velocity", "loss")
COMMON = {
    "learning_rate": 0.1,
    "momentum": 0.8,
    "weight_decay": 0.2,
    "batch_size": 7,
    "seed": 5,
    "device": "cpu",
}


def states(problem, *, engine="numba", **changes):
    arguments = COMMON | {"replicas": range(3, 13), "record_steps": range(31)} | changes
    return phase_space.states(problem, engine=engine, **arguments)


def averages(problem, *, engine="numba", **changes):
    arguments = COMMON | {"replicas": range(10), "steps": 30, "burn_in": 0} | changes
    return phase_space.averages(problem, engine=engine, **arguments)


def passages(problem, *, engine="numba", **changes):
    arguments = COMMON | {"replicas": range(10), "max_steps": 100} | changes
    return regression.first_passage(problem, engine=engine, **arguments)


def small(samples=40, dimension=2, **options):
    return gaussian_data(samples, dimension, seed=3, **options)


def score(values, exact):
    """How many standard errors the mean of independent values is away."""
    return (values.mean() - exact) / (values.std(ddof=1) / math.sqrt(len(values)))


def close(a, b, names, tolerance=1e-12):
    """Equal within rounding of the largest entry; NaN in the same places."""
    for name in names:
        x, y = getattr(a, name), getattr(b, name)
        scale = np.nanmax(np.abs(x)) if np.isfinite(x).any() else 1.0
        np.testing.assert_allclose(y, x, rtol=0, atol=tolerance * scale, err_msg=name)


# --- exact answers


@pytest.mark.parametrize("decay", [0.0, 0.5])
@pytest.mark.parametrize("eta, beta", [(0.3, 0.0), (0.3, 0.5), (0.3, 0.9), (1.5, 0.5)])
def test_stationary_law_of_additive_noise(eta, beta, decay):
    """Inputs of +-1 in one dimension: x^2 = 1, so that the noise x y does not depend on theta."""
    noise, batch, h = 1.3, 3, 1 + decay
    made = averages(
        FreshData(1, "rademacher", noise), learning_rate=eta, momentum=beta, weight_decay=decay,
        batch_size=batch, steps=600, burn_in=300, replicas=range(600),
    )  # fmt: skip
    factor = 1 - eta * h / (2 * (1 + beta))
    place = eta * noise**2 / (2 * batch * (1 - beta) * h) / factor
    square_step = eta**2 * noise**2 / (batch * (1 - beta**2)) / factor
    exact = {
        "position": 0.0,
        "square_position": place,
        "square_velocity": square_step / eta**2,
        "areal_rate": -(1 + beta) * factor * square_step,
    }
    for name, value in exact.items():
        assert abs(score(getattr(made, name)[:, 0], value)) < 5, name
        if name != "position":
            assert abs(score(getattr(made, name)[:, 0], value * factor)) > 5, name
    assert abs(score(made.loss, 0.5 * noise**2 + 0.5 * place)) < 5
    assert abs(score(made.square_speed, square_step / eta**2)) < 5


def test_position_and_velocity_are_uncorrelated_at_half_steps_only():
    made = states(
        FreshData(1, "rademacher"), learning_rate=0.3, momentum=0.7, weight_decay=0.0,
        record_steps=[80, 160], replicas=range(40_000),
    )  # fmt: skip
    for x, v in zip(made.position[..., 0], made.velocity[..., 0], strict=True):
        assert abs(score((x - 0.15 * v) * v, 0.0)) < 5
        full = 0.15 * (v**2).mean()
        assert abs(score(x * v, full)) < 5 and abs(score(x * v, 0.0)) > 5
    apart = averages(
        FreshData(1, "rademacher"), learning_rate=0.3, momentum=0.7, weight_decay=0.0,
        steps=4000, burn_in=100, record_every=40, replicas=range(300),
    )  # fmt: skip
    assert abs(score(apart.midpoint_product[:, 0], 0.0)) < 5


def exact_moments(problem, start, *, eta, beta, decay, batch, finite_factor, steps):
    """Second moments E[s s^T] of s = (z, delta, 1) after each step, by their exact recursion."""
    x, r = problem.rows[:, :-1], problem.rows[:, -1]
    d = x.shape[1]
    base = np.zeros((2 * d + 1, 2 * d + 1))
    base[:d, :d] = np.eye(d)
    base[:d, d : 2 * d] = base[d : 2 * d, d : 2 * d] = beta * np.eye(d)
    base[2 * d, 2 * d] = 1
    push = np.zeros((2 * d + 1, d))
    push[:d] = push[d : 2 * d] = -eta * np.eye(d)
    rows = np.zeros((len(x), d, 2 * d + 1))
    rows[:, :, :d], rows[:, :, -1] = np.einsum("ni,nj->nij", x, x), -r[:, None] * x
    shrink = np.zeros((d, 2 * d + 1))
    shrink[:, :d], shrink[:, -1] = decay * np.eye(d), decay * problem.basis.T @ problem.minimum
    mean = base + push @ (rows.mean(0) + shrink)
    spread = push @ (rows - rows.mean(0))
    moment, out = np.outer(start, start), []
    for _ in range(steps):
        kick = np.einsum("nij,jk,nlk->il", spread, moment, spread) / len(x)
        moment = mean @ moment @ mean.T + finite_factor / batch * kick
        out.append(moment)
    return out


@pytest.mark.parametrize("sampler", ["iid", "without_replacement"])
def test_moments_follow_their_exact_recursion(sampler):
    problem, batch, eta, beta, decay, count = small(12), 4, 0.3, 0.6, 0.4, 20_000
    z, v = np.array([1.5, -0.7]), np.array([0.4, 1.1])
    made = states(
        problem, sampler=sampler, batch_size=batch, learning_rate=eta, momentum=beta,
        weight_decay=decay, record_steps=range(1, 7), replicas=range(count),
        start=problem.minimum + problem.basis @ z, start_velocity=problem.basis @ v,
    )  # fmt: skip
    setting = {"eta": eta, "beta": beta, "decay": decay, "batch": batch, "steps": 6}
    factor = {"iid": 1.0, "without_replacement": 8 / 11}
    start = np.concatenate([z, eta * v, [1]])
    exact = exact_moments(problem, start, finite_factor=factor.pop(sampler), **setting)
    rival = exact_moments(problem, start, finite_factor=factor.popitem()[1], **setting)
    s = np.concatenate([made.position, eta * made.velocity, np.ones((6, count, 1))], 2)
    for k in range(6):
        for i in range(4):
            for j in range(i, 5):
                products = s[k, :, i] * s[k, :, j]
                assert (
                    abs(products.mean() - exact[k][i, j]) < 5 * products.std() / count**0.5 + 1e-12
                )
    assert abs(score(s[5, :, 0] ** 2, rival[5][0, 0])) > 5


@pytest.mark.parametrize("sampler", ["without_replacement", "shuffle"])
@pytest.mark.parametrize("engine", ["torch", "numba"])
def test_a_batch_of_all_samples_is_the_heavy_ball(sampler, engine):
    problem, eta, beta, decay = small(9), 0.4, 0.7, 0.3
    theta, b = np.array([2.0, -1.0]), np.array([0.5, 0.2])
    made = states(
        problem, engine=engine, sampler=sampler, batch_size=9, learning_rate=eta, momentum=beta,
        weight_decay=decay, start=theta, start_velocity=-b, record_steps=range(9),
    )  # fmt: skip
    for k in range(9):
        position, velocity = made.position[k] @ problem.basis.T, made.velocity[k] @ problem.basis.T
        np.testing.assert_allclose(position, np.tile(theta - problem.minimum, (10, 1)), atol=1e-13)
        np.testing.assert_allclose(velocity, np.tile(-b, (10, 1)), atol=1e-13)
        residual = problem.inputs @ theta - problem.targets
        np.testing.assert_allclose(made.loss[k], 0.5 * np.mean(residual**2), rtol=1e-12)
        b = beta * b + problem.hessian @ (theta - problem.minimum) + decay * theta
        theta = theta - eta * b


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("engine", ["torch", "numba"])
def test_path_is_that_of_torch_optim(sampler, engine):
    problem, batch, start = small(30), 5, np.array([0.3, 0.8])
    made = states(
        problem, engine=engine, sampler=sampler, batch_size=batch, start=start, seed=8,
        record_steps=range(21), replicas=range(3),
    )  # fmt: skip
    for replica in range(3):
        theta = torch.tensor(start, requires_grad=True)
        optimizer = torch.optim.SGD([theta], lr=0.1, momentum=0.8, weight_decay=0.2)
        for k in range(20):
            chosen = batches_torch.batch_indices(
                30, batch, sampler=sampler, seed=8, step=k, replica=torch.tensor([replica])
            )[0]
            x, y = (torch.tensor(a)[chosen] for a in (problem.inputs, problem.targets))
            optimizer.zero_grad()
            (0.5 * (x @ theta - y).square().mean()).backward()
            optimizer.step()
            here = made.position[k + 1, replica] @ problem.basis.T + problem.minimum
            np.testing.assert_allclose(here, theta.detach(), rtol=0, atol=1e-13)
            buffer = optimizer.state[theta]["momentum_buffer"]
            velocity = made.velocity[k + 1, replica] @ problem.basis.T
            np.testing.assert_allclose(velocity, -buffer, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "engine, dtype",
    [
        ("torch", "float64"),
        ("torch", "float32"),
        ("numba", "float64"),
        pytest.param("numba", "float32", marks=pytest.mark.slow),  # compilations cost
    ],
)
def test_without_momentum_the_path_is_the_plain_one_to_the_bit(engine, dtype):
    problems = (small(41, 3), FreshData(3, "gaussian", 1.3), small(200, 70))
    for problem in problems if dtype == "float64" else problems[:1]:  # compilations cost
        for sampler in SAMPLERS if isinstance(problem, FiniteData) else ("iid",):
            shared = {
                "learning_rate": 0.3 / problem.dimension, "batch_size": 7, "replicas": range(3, 9),
                "seed": 5, "sampler": sampler, "engine": engine, "dtype": dtype, "device": "cpu",
            }  # fmt: skip
            plain = regression.stationary(problem, steps=60, burn_in=0, keep_every=1, **shared)
            moving = phase_space.states(problem, momentum=0.0, record_steps=range(1, 61), **shared)
            theta = problem.minimum + moving.position.transpose(1, 0, 2) @ problem.basis.T
            assert np.array_equal(theta, plain.samples)
            means = phase_space.averages(problem, momentum=0.0, steps=60, burn_in=0, **shared)
            np.testing.assert_allclose(means.loss, plain.loss, rtol=1e-12)
            np.testing.assert_allclose(means.position, plain.displacement, atol=1e-12)
            np.testing.assert_allclose(means.square_position, plain.square_displacement, atol=1e-12)
            apart = np.diff(moving.position, axis=0)
            tolerance = 1e-14 if dtype == "float64" else 1e-6
            eta = shared["learning_rate"]
            np.testing.assert_allclose(eta * moving.velocity[1:], apart, atol=tolerance)


@pytest.mark.parametrize("engine", ["torch", "numba"])
def test_passages_and_averages_see_the_path_with_momentum(engine):
    """What is observed changes nothing: passages, sums and histogram are those of the states."""
    problem, levels, edges = small(), [1.02, 1.1, 1.3, 60.0], [0.1, 0.3, 0.6]
    options = {
        "engine": engine, "start_velocity": [0.1, -0.1], "learning_rate": 0.3,
        "replicas": range(3, 13),
    }  # fmt: skip
    path = states(problem, record_steps=range(151), **options)
    made = passages(problem, thresholds=levels, max_steps=150, **options)
    above = path.loss[1:, :, None] >= np.array(levels) * problem.minimum_loss
    first = np.where(above.any(0), 1 + above.argmax(0), -1)
    assert np.array_equal(made.steps, first)
    assert (first[:, 0] > 1).any() and (first[:, 2] > first[:, 1]).any() and (first[:, 3] < 0).all()
    arguments = COMMON | options | {"steps": 140, "burn_in": 10, "edges": edges, "keep_every": 10}
    sums = regression.stationary(problem, **arguments)
    x, loss = path.position[11:], path.loss[11:]
    np.testing.assert_allclose(sums.loss, loss.mean(0), rtol=1e-12)
    np.testing.assert_allclose(sums.square_loss, (loss**2).mean(0), rtol=1e-12)
    np.testing.assert_allclose(sums.square_displacement, (x**2).mean(0), rtol=1e-12)
    assert np.array_equal(sums.counts, np.histogram(np.sqrt((x**2).sum(2)), edges)[0])
    kept = problem.minimum + path.position[20::10].transpose(1, 0, 2) @ problem.basis.T
    np.testing.assert_allclose(sums.samples, kept, atol=1e-12)
    assert not np.array_equal(first, passages(problem, thresholds=levels, max_steps=150,
                                              **options | {"momentum": 0.0}).steps)  # fmt: skip


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("dimension", [1, 11, 70])
def test_engines_agree_on_passages(sampler, dimension):
    options = {
        "sampler": sampler, "learning_rate": 0.3 / dimension, "max_steps": 200,
        "thresholds": [1.01, 1.05, 1.3, 40.0], "start_velocity": np.full(dimension, 0.3),
    }  # fmt: skip
    samples = 41 if dimension < 40 else 300
    a, b = (passages(small(samples, dimension), engine=e, **options) for e in ("torch", "numba"))
    for name in ("steps", "last_step", "diverged_at"):
        assert np.array_equal(getattr(a, name), getattr(b, name)), name
    np.testing.assert_allclose(b.theta, a.theta, rtol=0, atol=1e-12)
    assert (a.steps > 0).any() and (a.steps < 0).any()


@pytest.mark.parametrize("law", INPUTS)
def test_engines_agree_on_passages_of_fresh_samples(law):
    options = {"thresholds": [1.2, 1.5], "learning_rate": 0.3, "batch_size": 2, "max_steps": 300}
    a, b = (passages(FreshData(2, law, 1.3), engine=e, **options) for e in ("torch", "numba"))
    assert np.array_equal(a.steps, b.steps) and (a.steps > 1).any()


def test_divergence_is_no_passage_and_is_told():
    start = np.tile(small().minimum, (6, 1))
    start[4] = 1e200
    for engine in ("torch", "numba"):
        made = passages(small(), engine=engine, start=start, replicas=range(6), thresholds=[1e9])
        assert made.diverged_at.tolist() == [-1, -1, -1, -1, 1, -1]
        assert made.steps[4, 0] == -1 and np.isnan(made.theta[4]).all()


def test_averages_are_those_of_the_path():
    problem, eta, burn_in, every = small(), 0.1, 7, 4
    rng = np.random.default_rng(0)
    start, velocity = rng.normal(size=(2, 10, 2))
    options = {"start": start, "start_velocity": velocity, "replicas": range(10)}
    path = states(problem, record_steps=range(68), **options)
    for engine in ("torch", "numba"):
        made = averages(
            problem, engine=engine, steps=60, burn_in=burn_in, record_every=every, **options
        )
        at = np.arange(burn_in + every, 68, every)
        x, v, before = path.position[at], path.velocity[at], path.position[at - 1]
        step, step_before = eta * v, eta * path.velocity[at - 1]
        assert made.records == len(at) == 15
        expected = {
            "position": x.mean(0),
            "square_position": (x**2).mean(0),
            "square_velocity": (v**2).mean(0),
            "midpoint_product": ((x - step / 2) * v).mean(0),
            "areal_rate": (before * step - x * step_before).mean(0),
            "loss": path.loss[at].mean(0),
            "square_speed": (v**2).sum(2).mean(0),
        }
        for name in MOMENTS:
            np.testing.assert_allclose(
                getattr(made, name), expected[name], rtol=1e-11, atol=1e-13, err_msg=name
            )
    every_step = averages(problem, steps=60, **options)
    ends = path.position[60] ** 2 - path.position[0] ** 2
    np.testing.assert_allclose(every_step.midpoint_product, ends / (2 * eta * 60), atol=1e-13)


# --- engines


def pairs(problem, **changes):
    a, b = (states(problem, engine=engine, **changes) for engine in ("torch", "numba"))
    close(a, b, STATES)
    assert np.array_equal(a.diverged_at, b.diverged_at)
    changes.pop("record_steps", None)
    a, b = (averages(problem, engine=engine, burn_in=3, **changes) for engine in ("torch", "numba"))
    close(a, b, MOMENTS)


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("dimension", [1, 5, 11])
def test_engines_agree_replica_by_replica(sampler, dimension):
    start = np.linspace(-1, 1, dimension)
    pairs(
        small(41, dimension), sampler=sampler, start=start, start_velocity=start[::-1].copy(),
        learning_rate=0.3 / dimension, record_steps=[0, 1, 2, 63, 64, 65, 200],
    )  # fmt: skip


@pytest.mark.parametrize("law", INPUTS)
def test_engines_agree_on_fresh_samples(law):
    pairs(FreshData(3, law, 1.3), batch_size=3, record_steps=[5, 70])


@pytest.mark.parametrize("dimension", [3, 4, 8, 16, 31, 32, 40, 47, 48, 63, 64])
def test_rows_of_every_width_follow_the_reference(dimension):
    """Rows are padded to 4, 8, 16, 32, 48 or 64 numbers: 48 is no power of two."""
    problem = FreshData(dimension, "gaussian")
    options = {"learning_rate": 0.1 / dimension, "record_steps": [1, 2, 6]}
    a, b = (states(problem, engine=e, **options) for e in ("torch", "numba"))
    close(a, b, STATES, 1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-12), ("float32", 3e-5)])
@pytest.mark.parametrize("dimension", [20, 40, 70])
def test_engines_agree_for_a_thousand_steps(dimension, dtype, tolerance):
    for problem in (small(300, dimension), *(FreshData(dimension, law) for law in INPUTS)):
        for sampler in SAMPLERS if isinstance(problem, FiniteData) else ("iid",):
            options = {"sampler": sampler, "dtype": dtype, "learning_rate": 0.1 / dimension}
            steps = {"record_steps": range(0, 1001, 50)}
            a, b = (states(problem, engine=e, **options, **steps) for e in ("torch", "numba"))
            close(a, b, STATES, tolerance)
            a, b = (averages(problem, engine=e, **options, steps=200) for e in ("torch", "numba"))
            close(a, b, MOMENTS, 5 * tolerance)


def test_path_depends_on_seed_and_replica_alone():
    problem = small()
    whole, means = (f(problem, threads=1, replicas=range(3, 23)) for f in (states, averages))
    for threads in (2, 3):
        close(states(problem, threads=threads, replicas=range(3, 23)), whole, STATES, 0)
        close(averages(problem, threads=threads, replicas=range(3, 23)), means, MOMENTS, 0)
    for part in (range(3, 4), range(9, 23), range(3, 23, 3)):
        where = [i - 3 for i in part]
        one, one_mean = states(problem, replicas=part), averages(problem, replicas=part)
        for name in STATES:
            assert np.array_equal(getattr(one, name), getattr(whole, name)[:, where]), name
        for name in MOMENTS:
            np.testing.assert_allclose(
                getattr(one_mean, name), getattr(means, name)[where], rtol=1e-14, atol=1e-16
            )
    assert (states(problem, seed=6).position[1:] != whole.position[1:, :10]).all()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_divergence_is_reported_and_the_others_go_on(dtype):
    problem = small()
    start = np.zeros((6, 2))
    start[4] = 1e200 if dtype == "float64" else 1e25
    for engine in ("torch", "numba"):
        made = states(problem, engine=engine, dtype=dtype, start=start, replicas=range(6))
        assert made.diverged_at.tolist() == [-1, -1, -1, -1, 1, -1]
        assert np.isnan(made.position[1:, 4]).all() and np.isfinite(made.position[0, 4]).all()
        assert np.isfinite(np.delete(made.position, 4, 1)).all()
        means = averages(problem, engine=engine, dtype=dtype, start=start, replicas=range(6))
        assert means.diverged_at.tolist() == made.diverged_at.tolist()
        for name in MOMENTS:
            bad = np.isnan(getattr(means, name))
            assert bad[4].all() and not np.delete(bad, 4, 0).any(), name
    a, b = (
        averages(problem, engine=e, dtype=dtype, learning_rate=90.0, weight_decay=0.0, steps=400)
        for e in ("torch", "numba")
    )
    assert np.array_equal(a.diverged_at, b.diverged_at) and (a.diverged_at > 5).all()


# --- properties

ETA, BETA, DECAY = st.floats(0.01, 0.3), st.floats(0.0, 0.99), st.floats(0.0, 2.0)


@given(angle=st.floats(0, 6.28), factor=st.floats(0.1, 10), eta=ETA, beta=BETA, decay=DECAY)
@settings(max_examples=15, deadline=None)
def test_rotating_theta_and_scaling_targets_scale_the_path(angle, factor, eta, beta, decay):
    problem, options = small(), {"learning_rate": eta, "momentum": beta, "weight_decay": decay}
    c, s = math.cos(angle), math.sin(angle)
    rotation = np.array([[c, -s], [s, c]])
    turned = FiniteData(problem.inputs @ rotation, factor * problem.targets)
    a, b = (states(p, **options) for p in (problem, turned))
    for name in ("position", "velocity"):
        first, second = (getattr(m, name) @ p.basis.T for m, p in ((a, problem), (b, turned)))
        np.testing.assert_allclose(second @ rotation.T, factor * first, atol=1e-10 * factor)
    np.testing.assert_allclose(b.loss, factor**2 * a.loss, rtol=1e-9)


@given(eta=ETA, beta=BETA, decay=DECAY, seed=st.integers(0, 2**64 - 1))
@settings(max_examples=15, deadline=None)
def test_a_velocity_is_a_step_over_the_learning_rate(eta, beta, decay, seed):
    made = states(
        small(), learning_rate=eta, momentum=beta, weight_decay=decay, seed=seed,
        start=[1.0, -2.0], start_velocity=[0.3, 0.1],
    )  # fmt: skip
    moved = np.diff(made.position, axis=0)
    np.testing.assert_allclose(eta * made.velocity[1:], moved, atol=1e-13 * 3)
    assert (made.loss >= small().minimum_loss * (1 - 1e-12)).all()


@given(
    steps=st.lists(st.integers(0, 150), min_size=1, max_size=6, unique=True), cut=st.integers(4, 12)
)
@settings(max_examples=15, deadline=None)
def test_records_and_replicas_can_be_chosen_freely(steps, cut):
    problem, steps = small(), sorted(steps)
    whole = states(problem, record_steps=range(151))
    parts = [
        states(problem, record_steps=steps, replicas=r) for r in (range(3, cut), range(cut, 13))
    ]
    joined = np.concatenate([p.position for p in parts], 1)
    assert np.array_equal(joined, whole.position[steps])
    assert parts[0].steps.tolist() == steps


@given(eta=ETA, beta=BETA, h=st.floats(0.1, 5.0), decay=DECAY)
@settings(max_examples=15, deadline=None)
def test_one_sample_moves_by_the_recursion_of_order_two(eta, beta, h, decay):
    """N = B = 1, d = 1: x_{k+1} = (1 + beta - eta (h + decay)) x_k - beta x_{k-1} - const."""
    problem = FiniteData(np.array([[math.sqrt(h)]]), np.array([2.0]))
    x = states(
        problem, learning_rate=eta, momentum=beta, weight_decay=decay, batch_size=1,
        start=[problem.minimum[0] + 1.0], replicas=range(2),
    ).position[:, 0, 0]  # fmt: skip
    pull = eta * decay * problem.minimum[0]
    ahead = (1 + beta - eta * (h + decay)) * x[1:-1] - beta * x[:-2] - pull
    np.testing.assert_allclose(x[2:], ahead, rtol=1e-10, atol=1e-12 * np.abs(x).max())


# --- bad input

REFUSED = (
    (lambda: states(None), TypeError, "problem must be FiniteData or FreshData: got NoneType"),
    (lambda: states(small(), momentum=1.0), ValueError, r"momentum must be in \[0, 1\)"),
    (lambda: states(small(), momentum=-0.1), ValueError, "momentum must be in"),
    (lambda: states(small(), momentum="0"), TypeError, "momentum must be a real number"),
    (lambda: states(small(), momentum=math.nan), ValueError, "momentum must be in"),
    (lambda: states(small(), weight_decay=-1e-4), ValueError, "weight_decay must be non-negative"),
    (lambda: states(small(), weight_decay=math.inf), ValueError, "weight_decay must be non-neg"),
    (lambda: states(small(), weight_decay=None), TypeError, "weight_decay must be a real number"),
    (lambda: states(small(), learning_rate=0.0), ValueError, "learning_rate must be positive"),
    (lambda: states(small(), batch_size=0), ValueError, "batch_size must lie in"),
    (lambda: states(small(), record_steps=[]), ValueError, "record_steps must be integers"),
    (lambda: states(small(), record_steps=[1.0]), ValueError, "record_steps must be integers"),
    (lambda: states(small(), record_steps=5), ValueError, "record_steps must be integers"),
    (lambda: states(small(), record_steps=[True]), ValueError, "record_steps must be integers"),
    (lambda: states(small(), record_steps=[2, 2]), ValueError, "record_steps must ascend"),
    (lambda: states(small(), record_steps=[-1, 2]), ValueError, "record_steps must ascend"),
    (lambda: states(small(), record_steps=[2**32]), ValueError, "record_steps must ascend"),
    (
        lambda: states(small(), start_velocity=np.zeros(3)),
        ValueError,
        r"start_velocity must have shape \(2,\) or \(10, 2\): got \(3,\)",
    ),
    (lambda: states(small(), start_velocity=[0, math.nan]), ValueError, "start_velocity must be f"),
    (lambda: states(small(), start=np.zeros((9, 2))), ValueError, "start must have shape"),
    (lambda: states(small(), sampler="epoch"), ValueError, "sampler must be one of 'iid'"),
    (lambda: states(FreshData(2), sampler="shuffle"), ValueError, "sampler must be 'iid' for"),
    (lambda: states(small(), engine="jax"), ValueError, "engine must be one of 'auto'"),
    (lambda: states(small(), dtype="float16"), ValueError, "dtype must be one of"),
    (lambda: states(small(), device="meta"), ValueError, "device must be 'cpu' for engine"),
    (lambda: states(small(), replicas=[1]), TypeError, "replicas must be a range"),
    (lambda: states(small(), seed=-1), ValueError, "seed must lie in"),
    (lambda: averages(small(), steps=0), ValueError, "steps must lie in"),
    (lambda: averages(small(), burn_in=-1), ValueError, "burn_in must lie in"),
    (lambda: averages(small(), burn_in=2**32 - 5), ValueError, "steps must lie in"),
    (lambda: averages(small(), record_every=31), ValueError, r"record_every must lie in \[1, 30\]"),
    (lambda: averages(small(), threads=0), ValueError, "threads must lie in"),
)


@pytest.mark.parametrize("call, error, message", REFUSED)
def test_bad_input_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_triton_without_cuda_says_what_to_do(monkeypatch):
    pytest.importorskip("triton")
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    with pytest.raises(RuntimeError, match="engine 'triton' needs"):
        states(small(), engine="triton")

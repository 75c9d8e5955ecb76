"""Ito paths: exact moments and laws, orders of convergence, first passage, tiers, refusals."""

import math
from dataclasses import fields, replace

import numba as nb
import numpy as np
import pytest
import torch
from scipy import integrate, special, stats
from tests.core import coupled_paths

from sgdescape.core.random import brownian, philox, philox_numba
from sgdescape.core.sde import bowl as sde
from sgdescape.core.sde.kernels.sde_normals_numba import normal_pair

LEVEL = 1e-5
PROCESSES = ("decoupled", "time_changed", "gld")


def bowl(*curvatures, minimum_loss=0.5, learning_rate=0.1, batch_size=1):
    return sde.Bowl(curvatures, minimum_loss, learning_rate, batch_size)


def mean_passage(c, *, n, a, h=1.0):
    """Exact mean passage time of Eq. (12) on an isotropic bowl, from its minimum."""

    def outer(u):
        # the inner integral is an incomplete beta function in v / (1 + v)
        inner = special.betainc(n / 2, a + 1 - n / 2, u / (1 + u)) * special.beta(
            n / 2, a + 1 - n / 2
        )
        return u ** (-n / 2) * (1 + u) ** a * inner

    return a / (2 * h) * integrate.quad(outer, 0, c - 1)[0]


def ou_passage(radius, *, diffusion):
    """Exact mean time of dx = -x dt + sqrt(2 D) dW from 0 to |x| = radius."""

    def outer(z):
        inner = math.sqrt(math.pi * diffusion / 2) * math.erf(z / math.sqrt(2 * diffusion))
        return math.exp(z * z / (2 * diffusion)) * inner / diffusion

    return integrate.quad(outer, 0, radius)[0]


def z_score(samples, mean):
    return (samples.mean() - mean) / (samples.std(ddof=1) / math.sqrt(len(samples)))


def slope(x, y):
    return np.polyfit(np.log(x), np.log(y), 1)[0]


def geometric(mu=1.0, sigma=0.5):
    return sde.Sde(
        drift=lambda x: mu * x,
        noise=lambda x: sigma * x,
        milstein=lambda x, dw, dt: 0.5 * sigma**2 * x * (dw**2 - dt),
        name="geometric",
    )


BROWNIAN = sde.Sde(lambda x: 1.0 + 0 * x, lambda x: 1.0 + 0 * x, name="drifting Brownian motion")
FIRST = sde.Watch(lambda x: x[:, 0], lambda x: 1.0 + 0 * x)


# ---- exact moments and laws


def test_ornstein_uhlenbeck_mean_and_variance_at_all_times():
    dt, diffusion, n = 0.05, 0.3, 20_000
    paths = sde.simulate(
        sde.gld(lambda x: x, diffusion=diffusion),
        np.array([2.0]),
        dt=dt,
        steps=40,
        record_every=4,
        seed=3,
        replicas=range(n),
    )
    k = np.arange(0, 41, 4)
    factor = 1 - dt  # Euler's scheme is an AR(1) process: exact at every step
    mean = 2.0 * factor**k
    variance = 2 * diffusion * dt * (1 - factor ** (2 * k)) / (1 - factor**2)
    x = paths.values[1:, :, 0]
    assert np.allclose(paths.times, dt * k)
    assert (abs((x.mean(1) - mean[1:]) / np.sqrt(variance[1:] / n)) < 5).all()
    assert (abs(x.var(1) / variance[1:] - 1) < 5 * math.sqrt(2 / n)).all()
    # and that is the process itself up to O(dt)
    assert np.allclose(mean, 2 * np.exp(-paths.times), atol=dt)
    assert np.allclose(variance, diffusion * (1 - np.exp(-2 * paths.times)), atol=dt)


def test_output_at_given_times_lands_on_them():
    ou = sde.gld(lambda x: x, diffusion=0.3)
    times = [0.1, 0.25, 1.0]
    options = {"dt": 0.03, "seed": 0, "replicas": range(4000)}
    paths = sde.simulate(ou, np.ones(1), times=times, **options)
    assert paths.times.tolist() == [0.0, *times]
    sizes = np.repeat([0.1 / 4, 0.15 / 5, 0.75 / 25], [4, 5, 25])
    means = np.cumprod(1 - sizes)[[3, 8, 33]]
    for k in range(3):
        assert abs(z_score(paths.values[k + 1, :, 0], means[k])) < 5
    even = sde.simulate(ou, np.ones(1), times=[0.3, 0.6], **options)
    same = sde.simulate(ou, np.ones(1), steps=20, record_every=10, **options)
    assert np.allclose(even.values, same.values, rtol=1e-12)


@pytest.mark.parametrize("engine", ["reference", "numba"])
def test_gld_stationary_variance_is_exact(engine):
    h, dt, diffusion = np.array([1.0, 0.4]), 0.2, 0.05
    s = sde.stationary(
        bowl(*h),
        process="gld",
        diffusion=diffusion,
        dt=dt,
        steps=200,
        burn_in=200,
        replicas=range(400),
        seed=1,
        engine=engine,
    )
    variance = 2 * diffusion * dt / (1 - (1 - h * dt) ** 2)  # of the AR(1) process
    assert abs(z_score(s.loss, 0.5 + 0.5 * (h * variance).sum())) < 5
    assert abs(z_score(s.radius_squared, variance.sum())) < 5
    assert np.allclose(s.duration, 200 * dt)


def test_gld_stationary_law_is_gibbs():
    s = sde.stationary(
        bowl(1.0),
        process="gld",
        diffusion=0.3,
        dt=0.01,
        steps=1,
        burn_in=800,
        replicas=range(10_000),
        seed=4,
    )
    spread = math.sqrt(0.3 / (1 - 0.005))  # variance of the AR(1) process
    assert stats.kstest(s.theta[:, 0] / spread, "norm").pvalue > LEVEL


@pytest.mark.parametrize("process", ["decoupled", "time_changed"])
def test_stationary_law_of_both_clocks_in_one_dimension(process):
    # P ~ L^-phi with phi = 1 + B / (eta h) in t and B / (eta h) in tau, h = 1, L* = 1/2
    a = 2.0
    phi = a + (1 if process == "decoupled" else 0)
    s = sde.stationary(
        bowl(1.0, learning_rate=1 / a),
        process=process,
        dt=0.005,
        steps=1,
        burn_in=1600,
        replicas=range(20_000),
        seed=5,
    )

    def law(exponent):  # Student: z^2 (2 phi - 1) ~ t^2 with 2 phi - 1 degrees of freedom
        freedom = 2 * exponent - 1
        return stats.kstest(s.theta[:, 0] * math.sqrt(freedom), "t", args=(freedom,)).pvalue

    assert law(phi) > LEVEL
    assert law(phi + 0.5) < LEVEL and law(phi - 0.5) < LEVEL  # other conventions than Ito's


def test_weights_turn_one_clock_into_the_other():
    # Eq. (43): the law of Eq. (12) from paths of Eq. (14) weighted by 1 / L, and the reverse
    valley = bowl(1.0, 1.0, learning_rate=0.2)
    options = {"steps": 20_000, "burn_in": 1000, "replicas": range(256), "seed": 6}
    for clock in ("t", "tau"):
        slow = sde.stationary(valley, process="decoupled", clock=clock, dt=0.02, **options)
        fast = sde.stationary(valley, process="time_changed", clock=clock, dt=0.01, **options)
        other = "tau" if clock == "t" else "t"
        rival = sde.stationary(valley, process="time_changed", clock=other, dt=0.01, **options)
        z = (slow.loss.mean() - fast.loss.mean()) / math.hypot(
            stats.sem(slow.loss), stats.sem(fast.loss)
        )
        apart = (slow.loss.mean() - rival.loss.mean()) / stats.sem(slow.loss)
        assert abs(z) < 5 < abs(apart)


# ---- orders of convergence


@pytest.mark.parametrize("scheme, order", [("euler", 0.5), ("milstein", 1.0)])
def test_strong_order_on_geometric_brownian_motion(scheme, order):
    n = range(2000)
    process = geometric(mu=0.1, sigma=0.6)  # little drift, whose error is of order 1 in any scheme
    sizes, ends = coupled_paths.coupled(
        process, np.ones(1), dt=1 / 8, steps=8, levels=4, seed=7, replicas=n, scheme=scheme
    )
    w = brownian.increments(7, steps=range(1), dt=1.0, replicas=n, noises=1, substeps=128)[0]
    exact = np.exp(0.1 - 0.18 + 0.6 * w)
    errors = [abs(end - exact).mean() for end in ends]
    assert abs(slope(sizes, errors) - order) < 0.1


def test_weak_order_of_euler_on_geometric_brownian_motion():
    n = range(20_000)
    sizes, ends = coupled_paths.coupled(
        geometric(), np.ones(1), dt=0.25, steps=4, levels=3, seed=8, replicas=n
    )
    w = brownian.increments(8, steps=range(1), dt=1.0, replicas=n, noises=1, substeps=32)[0]
    exact = np.exp(1.0 - 0.125 + 0.5 * w)  # the control variate that makes small biases visible
    for size, end in zip(sizes, ends, strict=True):
        bias = (1 + size) ** (1 / size) - math.e
        assert abs(z_score((end - exact)[:, 0], bias)) < 5
    assert abs(slope(sizes, [-(end - exact).mean() for end in ends]) - 1) < 0.2


def test_milstein_of_the_decoupled_sde_in_one_dimension_is_of_strong_order_one():
    valley = bowl(1.0, learning_rate=0.5)
    process = sde.bowl_sde(valley)
    for scheme, order in (("euler", 0.5), ("milstein", 1.0)):
        _, ends = coupled_paths.coupled(
            process,
            np.ones(1),
            dt=1 / 8,
            steps=8,
            levels=5,
            seed=9,
            replicas=range(2000),
            scheme=scheme,
        )
        gaps = [abs(a - b).mean() for a, b in zip(ends[:-1], ends[1:], strict=True)]
        assert abs(slope(2.0 ** -np.arange(len(gaps)), gaps) - order) < 0.15


def test_euler_of_the_time_changed_sde_is_of_strong_order_one():
    process = sde.bowl_sde(bowl(1.0, 0.5, learning_rate=0.5), "time_changed")
    _, ends = coupled_paths.coupled(
        process, np.ones(2), dt=1 / 8, steps=8, levels=5, seed=9, replicas=range(2000)
    )
    gaps = [abs(a - b).mean() for a, b in zip(ends[:-1], ends[1:], strict=True)]
    assert abs(slope(2.0 ** -np.arange(len(gaps)), gaps) - 1) < 0.1


# ---- one Brownian motion


def test_coarse_increments_are_sums_of_fine_ones():
    options = {"replicas": range(3, 8), "noises": 5}
    fine = brownian.increments(1, steps=range(12), dt=0.1, **options)
    coarse = brownian.increments(1, steps=range(1, 3), dt=0.4, substeps=4, **options)
    assert np.allclose(coarse, fine.reshape(3, 4, 5, 5).sum(1)[1:])
    assert abs(fine.std() - math.sqrt(0.1)) < 0.05


def test_given_increments_are_used():
    options = {"dt": 0.1, "steps": 6, "seed": 1, "replicas": range(3)}
    dw = brownian.increments(1, steps=range(6), dt=0.1, replicas=range(3), noises=1)
    drawn = sde.simulate(geometric(), np.ones(1), **options)
    given = sde.simulate(geometric(), np.ones(1), increments=dw, **options)
    assert np.allclose(drawn.values, given.values, rtol=1e-14)
    flipped = sde.simulate(geometric(), np.ones(1), increments=-dw, **options)
    assert not np.allclose(drawn.values, flipped.values)


def clocks(tau_step, dt, records, *, steps=40_000, replicas=range(64)):
    valley = bowl(1.0, 0.5, learning_rate=0.5)
    return coupled_paths.coupled_clocks(
        sde.bowl_sde(valley),
        sde.bowl_sde(valley, "time_changed"),
        valley.loss,
        np.array([1.0, -1.0]),
        dt=dt,
        steps=steps,
        tau_step=tau_step,
        records=records,
        seed=2,
        replicas=replicas,
    )


def test_both_clocks_give_the_same_euler_path_when_the_steps_match():
    pair = clocks(1e-9, 0.05, 200)
    assert np.allclose(pair.t, 0.05 * np.arange(201)[:, None])
    assert np.allclose(pair.slow, pair.fast, rtol=1e-9, atol=1e-9)
    assert np.allclose(pair.t, pair.t_back)
    assert abs(pair.brownian[-1].var() / pair.tau[-1].mean() - 1) < 0.5


def test_both_clocks_converge_path_by_path():
    steps = np.array([0.2, 0.1, 0.05])
    errors, shifts = [], []
    for tau_step in steps:
        pair = clocks(tau_step, 5e-4, round(1 / tau_step))
        errors.append(abs(pair.slow[-1] - pair.fast[-1]).mean())
        shifts.append(abs(pair.t[-1] - pair.t_back[-1]).mean())
    assert slope(steps, errors) > 0.7 and errors[-1] < 0.05
    assert slope(steps, shifts) > 0.7


# ---- first passage


def test_drifting_brownian_motion_is_exact_with_the_bridge_only():
    options = {"thresholds": [0.5, 1.0], "dt": 0.5, "max_time": 100.0, "seed": 1, "start": [0.0]}
    n = range(10_000)
    with_bridge = sde.first_passage(BROWNIAN, watch=FIRST, replicas=n, **options)
    for k, level in enumerate((0.5, 1.0)):  # inverse Gaussian of mean c and shape c^2
        t = with_bridge.times[:, k]
        assert stats.kstest(t, stats.invgauss(1 / level, scale=level**2).cdf).pvalue > LEVEL
        assert abs(z_score(t, level)) < 5
    naive = sde.first_passage(BROWNIAN, watch=FIRST, replicas=n, bridge=False, **options)
    assert z_score(naive.times[:, 1], 1.0) > 30


@pytest.mark.parametrize(
    "process", ["decoupled", "gld", pytest.param("time_changed", marks=pytest.mark.slow)]
)
def test_order_of_the_mean_passage_time(process):
    """1 with the bridge and 1/2 without, on the exact answers of Eqs. (12), (5) and (14)."""
    c, diffusion = 1.5, 0.12
    exact = mean_passage(c, n=1, a=10.0)
    if process == "gld":
        exact = ou_passage(math.sqrt(c - 1), diffusion=diffusion)
    sizes = np.array([0.2, 0.1, 0.05])
    orders = {}
    for bridge in (True, False):
        errors = []
        for dt in sizes:
            p = sde.first_passage(
                bowl(1.0),
                process=process,
                diffusion=diffusion if process == "gld" else None,
                thresholds=[c],
                dt=dt / (2 if process == "time_changed" else 1),
                max_time=1e4,
                replicas=range(16_000),
                seed=11,
                bridge=bridge,
            )
            t = p.clocks if process == "time_changed" else p.times
            errors.append(abs(t.mean() / exact - 1))
        orders[bridge] = slope(sizes, errors)
    assert abs(orders[True] - 1) < 0.3
    assert 0.3 < orders[False] < 0.65


@pytest.mark.parametrize("n", [2, 5])
def test_mean_passage_times_of_an_isotropic_bowl(n):
    c, dt = (1.2, 1.6, 2.0), 0.004
    p = sde.first_passage(
        bowl(*[1.0] * n), thresholds=c, dt=dt, max_time=1e4, replicas=range(4000), seed=12
    )
    for k, ratio in enumerate(c):
        exact = mean_passage(ratio, n=n, a=10.0)
        error = p.times[:, k].std() / math.sqrt(4000)
        assert abs(p.times[:, k].mean() - exact) < 5 * error + 2 * dt * exact
        tau = p.clocks[:, k]
        assert (tau > 0.5 * p.times[:, k]).all() and (tau < ratio * 0.5 * p.times[:, k]).all()


def test_passages_are_ordered_censored_and_reproducible():
    valley = bowl(1.0, 0.3)
    options = {"thresholds": [1.05, 1.3, 9.0], "dt": 0.05, "max_time": 3.0, "seed": 13}
    p = sde.first_passage(valley, replicas=range(300), **options)
    assert np.isnan(p.times[:, 2]).all() and (p.last_time == 3.0).all()
    assert 0 < np.isnan(p.times[:, 1]).sum() < 300
    seen = ~np.isnan(p.times[:, 1])
    assert (p.times[seen, 0] <= p.times[seen, 1]).all() and (p.times[seen] <= 3.0).sum() >= 2
    assert not np.isnan(p.times[seen, 0]).any()
    longer = sde.first_passage(valley, replicas=range(300), **{**options, "max_time": 6.0})
    assert np.array_equal(longer.times[seen, 1], p.times[seen, 1])
    other = sde.first_passage(valley, replicas=range(300), **{**options, "seed": 14})
    assert not np.array_equal(other.times, p.times, equal_nan=True)


@pytest.mark.parametrize("engine", ["reference", "numba"])
def test_starts_beyond_a_threshold_and_divergence(engine):
    starts = np.array([[0.0], [0.9], [3.0]])
    options = {"dt": 0.05, "max_time": 2.0, "seed": 1, "replicas": range(3), "engine": engine}
    p = sde.first_passage(bowl(1.0), thresholds=[1.5, 4.0], start=starts, **options)
    assert p.times[1, 0] == 0.0 and p.times[2].tolist() == [0.0, 0.0]
    assert p.last_time[2] == 0.0 and np.array_equal(p.theta[2], starts[2])
    # |1 - h dt| > 1: Eq. (14)'s drift is bounded, Eq. (5)'s runs away
    wild = {**options, "dt": 60.0, "max_time": 60.0 * 400}
    p = sde.first_passage(bowl(1.0), thresholds=[1e300], process="gld", diffusion=1.0, **wild)
    assert (p.diverged_at[np.isnan(p.times[:, 0])] > 0).all()
    s = sde.stationary(
        bowl(1.0),
        process="gld",
        diffusion=1.0,
        dt=60.0,
        steps=10,
        burn_in=200,
        replicas=range(3),
        seed=1,
        engine=engine,
    )
    assert (s.diverged_at > 80).all() and not np.isfinite(s.loss).any()


def test_simulate_flags_divergence():
    explode = sde.Sde(lambda x: x**3, lambda x: 0 * x, lambda x, dw, dt: 0 * x)
    paths = sde.simulate(
        explode, np.array([[0.0], [9.0]]), dt=1.0, steps=9, seed=0, replicas=range(2)
    )
    assert paths.diverged_at[0] == -1 and 0 < paths.diverged_at[1] <= 9


# ---- tiers, chunks, threads


@pytest.mark.parametrize(
    "d, process, dtype",
    [
        *((d, process, "float64") for d in (1, 10) for process in PROCESSES),
        (3, "decoupled", "float64"),
        # slow: single precision compiles both kernels anew
        pytest.param(3, "decoupled", "float32", marks=pytest.mark.slow),
    ],
)
def test_kernel_follows_the_reference_for_a_thousand_steps(d, process, dtype):
    rounding = 1e-12 if dtype == "float64" else 2e-5
    options = {
        "process": process,
        "diffusion": 0.05 if process == "gld" else None,
        "dt": 0.05,
        "replicas": range(7, 87),
        "seed": 21,
        "dtype": dtype,
    }
    valley = bowl(*np.linspace(1, 0.4, d))
    averages = {"steps": 900, "burn_in": 100, "keep_every": 300, "record_every": 10}
    reference, kernel = (
        sde.stationary(valley, engine=e, edges=np.linspace(1, 3, 9), **averages, **options)
        for e in ("reference", "numba")
    )
    for field in fields(reference):
        a, b = getattr(reference, field.name), getattr(kernel, field.name)
        assert np.allclose(a, b, rtol=rounding, atol=rounding), field.name
    for bridge in (True, False) if d == 3 else (True,):
        passage = {"thresholds": [1.1, 1.5, 3.0], "max_time": 50.0, "bridge": bridge}
        reference, kernel = (
            sde.first_passage(valley, engine=e, **passage, **options)
            for e in ("reference", "numba")
        )
        for field in fields(reference):
            a, b = getattr(reference, field.name), getattr(kernel, field.name)
            assert np.allclose(a, b, rtol=rounding, atol=rounding, equal_nan=True), field.name


@pytest.mark.parametrize("quantity", ["loss_ratio", "radius"])
@pytest.mark.parametrize("clock", ["t", "tau"])
def test_without_edges_every_finite_record_counts(quantity, clock):
    options = {"dt": 60.0, "steps": 200, "burn_in": 0, "record_every": 3, "seed": 1}
    options |= {"process": "gld", "diffusion": 1.0, "quantity": quantity}  # runs away on the way
    if clock == "tau":
        options |= {"process": "decoupled", "diffusion": None, "clock": "tau", "dt": 0.05}
    a, b = (
        sde.stationary(bowl(1.0), replicas=range(70), engine=e, **options)
        for e in ("reference", "numba")
    )
    assert np.allclose(a.counts, b.counts, rtol=1e-10) and np.allclose(a.outside, b.outside)
    if clock == "t":
        assert b.counts[0] + b.outside[1] == 70 * 67 and b.counts[0] > 0 < b.outside[1]


@pytest.mark.parametrize("engine", ["reference", "numba"])
def test_chunks_of_replicas_give_the_same_paths(engine):
    valley = bowl(1.0, 0.3, 0.2)
    options = {"dt": 0.05, "seed": 22, "engine": engine}
    passage = {"thresholds": [1.3, 2.0], "max_time": 20.0, **options}
    whole = sde.first_passage(valley, replicas=range(200), **passage)
    parts = [sde.first_passage(valley, replicas=r, **passage) for r in (range(77), range(77, 200))]
    for name in ("times", "clocks", "last_time", "theta"):
        joined = np.concatenate([getattr(p, name) for p in parts])
        assert np.array_equal(joined, getattr(whole, name), equal_nan=True)
    averages = {"steps": 20, "burn_in": 10, **options}
    whole = sde.stationary(valley, replicas=range(200), **averages)
    parts = [sde.stationary(valley, replicas=r, **averages) for r in (range(77), range(77, 200))]
    assert np.array_equal(np.concatenate([p.loss for p in parts]), whole.loss)
    a, b = (
        sde.simulate(geometric(), np.ones(1), dt=0.1, steps=9, seed=1, replicas=r).values
        for r in (range(20), range(5, 9))
    )
    assert np.array_equal(a[:, 5:9], b)


@pytest.mark.parametrize("threads", [2, 5])
def test_any_number_of_threads_gives_the_same_numbers(monkeypatch, threads):
    options = {"dt": 0.05, "seed": 23, "replicas": range(500)}
    passage = {"thresholds": [1.3, 2.0], "max_time": 20.0, **options}
    edges = np.linspace(1, 2, 5)
    results = []
    for count in (1, threads):
        monkeypatch.setattr(nb.config, "NUMBA_NUM_THREADS", count)
        results.append(
            (
                sde.first_passage(bowl(1.0, 0.5), **passage).times,
                sde.stationary(bowl(1.0), steps=20, burn_in=0, edges=edges, **options).counts,
            )
        )
    assert np.array_equal(results[0][0], results[1][0], equal_nan=True)
    assert np.array_equal(results[0][1], results[1][1])


def test_numpy_and_torch_give_the_same_paths():
    valley = bowl(1.0, 0.4)
    options = {"dt": 0.05, "seed": 24, "replicas": range(50), "engine": "reference"}
    start = np.array([0.1, 0.2])
    passage = {"thresholds": [1.2, 1.6], "max_time": 10.0, **options}
    a = sde.first_passage(valley, start=start, **passage)
    b = sde.first_passage(valley, start=torch.tensor(start), **passage)
    for field in fields(a):
        assert np.allclose(getattr(a, field.name), getattr(b, field.name), equal_nan=True)
    averages = {"steps": 40, "burn_in": 5, **options}
    a = sde.stationary(valley, start=start, **averages)
    b = sde.stationary(valley, start=torch.tensor(start), **averages)
    assert np.allclose(a.loss, b.loss) and np.allclose(a.theta, b.theta)
    full = np.array([[1.0, 0.2], [0.2, 0.5]])
    process = sde.decoupled(
        lambda x: 0.5 + 0.5 * (x * x).sum(-1), lambda x: x, full, learning_rate=0.1, batch_size=2
    )
    x, y = (
        sde.simulate(process, s, dt=0.1, steps=9, seed=1, replicas=range(5)).values
        for s in (start, torch.tensor(start))
    )
    assert isinstance(y, torch.Tensor) and np.allclose(x, y.numpy())


def test_a_rotated_problem_has_the_same_noise_covariance():
    full = np.array([[1.0, 0.3], [0.3, 0.5]])
    options = {"learning_rate": 0.1, "batch_size": 2}
    loss, gradient = (lambda x: 0.5 + (x * x).sum(-1)), (lambda x: x)
    x = np.array([[0.3, -0.2]])
    for make, scale in ((sde.decoupled, loss(x)[0]), (sde.time_changed, 1.0)):
        g = make(loss, gradient, full, **options).noise(x)[0]
        assert np.allclose(g @ g.T, 2 * 0.1 * scale * full / 2)
    exact = sde.sgd(gradient, lambda x: full[None] * (1 + x[:, :1, None] ** 2), learning_rate=0.1)
    g = exact.noise(x)[0]
    assert np.allclose(g @ g.T, 0.1 * full * 1.09) and np.allclose(g, g.T)
    assert np.allclose(sde.gld(gradient, diffusion=0.7).noise(x) ** 2, 1.4)


# ---- the kernel's random numbers


@nb.njit(fastmath={"contract"}, error_model="numpy")
def compiled_normals(words, like):
    out = np.empty((words.shape[0], 2))
    for k in range(words.shape[0]):
        out[k, 0], out[k, 1] = normal_pair(words[k, 0], words[k, 1], like)
    return out


@pytest.mark.parametrize("dtype, rounding", [("float64", 2e-14), ("float32", 4e-6)])
def test_polynomial_normals(dtype, rounding):
    edge = [0, 1, 2**8, 2**29 - 1, 2**29, 2**30, 2**31 - 1, 2**31, 3 * 2**29, 2**32 - 1]
    grid = np.stack(np.meshgrid(edge, edge), -1).reshape(-1, 2).astype(np.uint32)
    drawn = philox.words(0, step=np.arange(20_000), draw=0, replica=0, stream=3)[:, :2]
    words = np.concatenate([grid, drawn])
    expected = philox.normals(np.tile(words, 2), dtype=dtype)[:, :2]
    got = compiled_normals(words, np.dtype(dtype).type(0))
    assert np.allclose(got, expected, rtol=rounding, atol=rounding)


@nb.njit
def wide_words(step, draw, replica, stream, k0, k1):
    return philox_numba.philox_wide(step, draw, replica, stream, k0, k1)


@nb.njit
def shared_words(step, draw, replica, stream, k0, k1):
    first, second, third = philox_numba.philox_prefix(draw, replica, k0)
    return philox_numba.philox_shared(step, first, second, third, stream, k0, k1)


@pytest.mark.parametrize("compiled", [wide_words, shared_words])
def test_wide_philox_gives_the_known_words(compiled):
    rng = np.random.default_rng(0)
    for counter in rng.integers(0, 2**32, (50, 6)).tolist() + [[2**32 - 1] * 6, [0] * 6]:
        step, draw, replica, stream, k0, k1 = counter
        expected = philox.words(
            k0 + (k1 << 32), step=step, draw=draw, replica=replica, stream=stream
        )
        assert compiled(step, draw, replica, stream, k0, k1) == tuple(expected)


def test_bridge_functions_against_a_fine_random_walk():
    n, fine = 2000, 512
    dw = brownian.increments(3, steps=range(fine), dt=1 / fine, replicas=range(n), noises=1)[..., 0]
    walk = np.concatenate([np.zeros((1, n)), dw.cumsum(0)])
    fraction = np.linspace(0, 1, fine + 1)[:, None]
    path = walk - fraction * walk[-1] + fraction * 0.3  # from 0 to 0.3
    words = brownian.bridge_words(4, step=0, replicas=np.arange(n))
    shift = 0.5826 / math.sqrt(fine)  # a walk sees its maximum so much too low (Chernoff)
    top = brownian.bridge_maximum(0.0, 0.3, 1.0, words)
    assert (top >= 0.3).all()
    assert stats.ks_2samp(path.max(0) + shift, top).pvalue > LEVEL
    for level in (0.2, 0.6):  # ends beyond, and below with a crossing in between
        hit = path.max(0) >= level - shift
        first = (path >= level - shift).argmax(0)[hit] / fine
        drawn = brownian.bridge_passage(0.0, 0.3, level, 1.0, words)
        assert stats.ks_2samp(first, drawn).pvalue > LEVEL


# ---- refusals

GOOD = {"dt": 0.1, "seed": 0, "replicas": range(3)}
PASSAGE = {"thresholds": [1.5], "max_time": 1.0, **GOOD}
AVERAGE = {"steps": 5, "burn_in": 0, **GOOD}


@pytest.mark.parametrize(
    "change, message",
    [
        ({"curvatures": (1.0, -0.5)}, "curvatures must be"),
        ({"curvatures": ()}, "curvatures must not be empty"),
        ({"minimum_loss": 0.0}, "minimum_loss must be positive and finite: got 0.0"),
        ({"learning_rate": -0.1}, "learning_rate must be positive and finite: got -0.1"),
        ({"batch_size": 0}, "batch_size must be at least 1: got 0"),
    ],
)
def test_bowl_refuses(change, message):
    with pytest.raises(ValueError, match=message):
        replace(bowl(1.0), **change)


@pytest.mark.parametrize(
    "change, error, message",
    [
        ({"dt": 0.0}, ValueError, "dt must be positive"),
        ({"dt": float("nan")}, ValueError, "dt must be positive"),
        ({"seed": -1}, ValueError, "seed must lie in"),
        ({"seed": 1.5}, TypeError, "seed must be an integer"),
        ({"replicas": 3}, TypeError, "replicas must be a range"),
        ({"replicas": range(0)}, ValueError, "not empty"),
        ({"replicas": range(0, 9, 2)}, ValueError, "step 1"),
        ({"max_time": -1.0}, ValueError, "max_time must be positive"),
        ({"max_time": 1e12}, ValueError, "max_time / dt must lie in"),
        ({"thresholds": [1.0, 2.0]}, ValueError, "thresholds must be above 1"),
        ({"thresholds": [2.0, 1.5]}, ValueError, "strictly increasing"),
        ({"thresholds": []}, ValueError, "thresholds must not be empty"),
        ({"process": "sgd"}, ValueError, "process must be one of 'decoupled'"),
        ({"process": "gld"}, ValueError, "diffusion must be positive"),
        ({"diffusion": 0.1}, ValueError, "diffusion belongs to process 'gld'"),
        ({"engine": "fortran"}, ValueError, "engine must be one of 'auto'"),
        ({"dtype": "float16"}, ValueError, "dtype must be one of 'float64'"),
        ({"start": np.zeros(2)}, ValueError, "start must have 1 coordinates"),
        ({"start": np.zeros((4, 1))}, ValueError, "with 3 replicas"),
        ({"start": [np.inf]}, ValueError, "start must be finite"),
        ({"watch": FIRST}, ValueError, "watch belongs to an Sde"),
    ],
)
def test_first_passage_refuses(change, error, message):
    with pytest.raises(error, match=message):
        sde.first_passage(bowl(1.0), **{**PASSAGE, **change})


@pytest.mark.parametrize(
    "change, error, message",
    [
        ({"watch": None}, TypeError, "watch must be a Watch"),
        ({"watch": sde.Watch(lambda x: x[:, 0])}, ValueError, "gradient"),
        ({"start": None}, ValueError, "start must be given"),
        ({"engine": "numba"}, ValueError, "engine must be 'auto' or 'reference'"),
    ],
)
def test_first_passage_of_an_sde_refuses(change, error, message):
    with pytest.raises(error, match=message):
        sde.first_passage(BROWNIAN, **{**PASSAGE, "watch": FIRST, "start": [0.0], **change})
    with pytest.raises(TypeError, match="problem must be a Bowl or an Sde: got str"):
        sde.first_passage("brownian", **PASSAGE)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"steps": 0}, "steps must be at least 1"),
        ({"burn_in": -1}, "burn_in must be at least 0"),
        ({"clock": "s"}, "clock must be one of 't', 'tau'"),
        ({"quantity": "angle"}, "quantity must be one of"),
        ({"edges": [2.0, 1.0]}, "edges must be"),
        ({"keep_every": 0}, "keep_every must be at least 1"),
        ({"process": "gld", "diffusion": 1.0, "clock": "tau"}, "clock must be 't'"),
    ],
)
def test_stationary_refuses(change, message):
    with pytest.raises(ValueError, match=message):
        sde.stationary(bowl(1.0), **{**AVERAGE, **change})


@pytest.mark.parametrize(
    "change, error, message",
    [
        ({"times": [1.0]}, ValueError, "either steps or times"),
        ({"steps": None}, ValueError, "either steps or times"),
        ({"steps": None, "times": [2.0, 1.0]}, ValueError, "times must be"),
        ({"scheme": "heun"}, ValueError, "scheme must be one of 'euler', 'milstein'"),
        ({"record_every": 0}, ValueError, "record_every must be at least 1"),
        ({"substeps": 1.5}, TypeError, "substeps must be an integer"),
        ({"increments": np.zeros((5, 3, 2))}, ValueError, r"increments must be \(steps, replicas"),
    ],
)
def test_simulate_refuses(change, error, message):
    with pytest.raises(error, match=message):
        sde.simulate(geometric(), np.ones(1), **{**GOOD, "steps": 5, **change})


def test_milstein_is_refused_where_the_noise_does_not_commute():
    process = sde.bowl_sde(bowl(1.0, 1.0))
    with pytest.raises(ValueError, match="does not commute"):
        sde.simulate(process, np.ones(2), steps=5, scheme="milstein", **GOOD)


def test_what_is_not_a_covariance_is_refused():
    options = {"learning_rate": 0.1, "batch_size": 1}
    for hessian in ([1.0, -1.0], [[1.0, 2.0], [2.0, 1.0]]):
        with pytest.raises(ValueError, match="positive semidefinite"):
            sde.decoupled(abs, abs, hessian, **options)
    with pytest.raises(ValueError, match="hessian must be symmetric"):
        sde.decoupled(abs, abs, [[1.0, 0.2], [0.1, 1.0]], **options)
    with pytest.raises(ValueError, match=r"hessian must be \(d,\) or \(d, d\)"):
        sde.time_changed(abs, abs, np.ones((2, 3)), **options)
    process = sde.sgd(lambda x: x, lambda x: -1 - x**2, learning_rate=0.1)
    with pytest.raises(ValueError, match="positive semidefinite"):
        process.noise(np.ones((1, 1)))
    with pytest.raises(TypeError, match="bowl must be a Bowl"):
        sde.bowl_sde(process)


# ---- what callbacks return


SHAPES = {
    "noise of one state": (
        lambda x: 0 * x,
        lambda x: np.array([0.1, 0.2]),
        {},
        "noise must return",
    ),
    "full noise of one state": (lambda x: 0 * x, lambda x: np.eye(2), {}, "noise must return"),
    "one noise, not said": (
        lambda x: 0 * x,
        lambda x: 0.1 + 0 * x[:, :, None],
        {},
        "noise must ret",
    ),
    "two noises, said one": (
        lambda x: 0 * x,
        lambda x: 0.1 + 0 * x,
        {"noises": 1},
        "noise must ret",
    ),
    "noise that is a number": (lambda x: 0 * x, lambda x: 0.1, {}, "noise must return an array"),
    "drift of one state": (lambda x: np.zeros(2), lambda x: 0.1 + 0 * x, {}, "drift must return"),
    "drift that is a sum": (lambda x: x.sum(1), lambda x: 0.1 + 0 * x, {}, "drift must return"),
    "drift that is None": (lambda x: None, lambda x: 0.1 + 0 * x, {}, "drift must return an array"),
}


@pytest.mark.parametrize("replicas", [range(2), range(3)])  # as many as coordinates, and not
@pytest.mark.parametrize("case", SHAPES)
def test_callbacks_must_not_broadcast(case, replicas):
    drift, noise, options, message = SHAPES[case]
    process = sde.Sde(drift, noise, **options)
    start = [0.5, 0.5]
    for call in (
        lambda: sde.simulate(process, start, dt=0.1, steps=2, seed=0, replicas=replicas),
        lambda: sde.first_passage(
            process, watch=FIRST, start=start, **PASSAGE | {"replicas": replicas}
        ),
    ):
        with pytest.raises((ValueError, TypeError), match=message):
            call()


def test_one_noise_for_two_coordinates_is_right_when_it_is_said():
    process = sde.Sde(lambda x: 0 * x, lambda x: 0.1 + 0 * x[:, :, None], noises=1)
    made = sde.simulate(process, np.zeros(2), dt=1.0, steps=1, seed=0, replicas=range(2))
    np.testing.assert_array_equal(made.theta[:, 0], made.theta[:, 1])
    assert (made.theta[0] != made.theta[1]).all()


@pytest.mark.parametrize(
    "watch, message",
    [
        (sde.Watch(lambda x: x, lambda x: 1 + 0 * x), r"watch.observable must return shape \(3,\)"),
        (sde.Watch(lambda x: 1.0, lambda x: 1 + 0 * x), "watch.observable must return an array"),
        (sde.Watch(lambda x: x[:, 0], lambda x: x[:, 0]), r"watch.gradient must .* \(3, 1\)"),
        (sde.Watch(lambda x: x[:, 0], lambda x: 1 + 0 * x, lambda x: x), "watch.clock_rate must"),
    ],
)
def test_what_is_watched_is_one_number_a_replica(watch, message):
    with pytest.raises((ValueError, TypeError), match=message):
        sde.first_passage(BROWNIAN, **PASSAGE, watch=watch, start=[0.0])


@pytest.mark.skipif(torch.cuda.is_available(), reason="CUDA is here")
@pytest.mark.parametrize("engine", ["auto", "reference", "numba"])
def test_cuda_where_there_is_none_is_refused(engine):
    for call in (
        lambda: sde.first_passage(bowl(1.0), **PASSAGE, engine=engine, device="cuda"),
        lambda: sde.stationary(bowl(1.0), **AVERAGE, engine=engine, device="cuda"),
    ):
        with pytest.raises(ValueError, match="device must be one of the 0 CUDA devices here"):
            call()

"""Simulations and operators against equations and exact laws; doors, seeds, imports."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from scipy import special, stats
from tests.core import coupled_paths

import sgdescape.random_time_change as rtc
from sgdescape.core.sde import bowl as sde
from sgdescape.core.stats.intervals import LEVEL
from sgdescape.random_time_change.measure import ensembles, operators, paths

from .tiny import TINY


def test_the_book_and_core_have_the_same_equations():
    bowl = paths.bowl(rtc.QUICK, (2.0, 0.5))
    z = np.array([[0.3, -1.2], [0.0, 2.0]])
    noise = {"learning_rate": 0.5, "batch_size": 1}
    slow, fast = (sde.bowl_sde(bowl, p) for p in ("decoupled", "time_changed"))
    loss, h = bowl.loss(z), np.array(bowl.curvatures)
    np.testing.assert_allclose(slow.noise(z) ** 2, rtc.diffusion(loss[:, None], h, **noise))
    np.testing.assert_allclose(fast.noise(z) ** 2, rtc.diffusion(np.ones((2, 1)), h, **noise))
    np.testing.assert_allclose(fast.drift(z), rtc.log_drift(bowl.gradient(z), loss))
    np.testing.assert_allclose(slow.drift(z), fast.drift(z) * loss[:, None])


def test_conventions_have_their_mean_steps():
    """One step of each scheme: its mean is that of the Ito equation plus alpha T grad L dt."""
    process = sde.bowl_sde(paths.bowl(rtc.QUICK))
    theta, dt = np.full((2, 1), 1.3), 1e-4
    dw = np.sqrt(dt) * np.array([[1.0], [-1.0]])  # the two-point law has the right moments
    schemes = (ensembles._ito, ensembles._stratonovich, ensembles._anti_ito)
    for scheme, point in zip(schemes, (0, 0.5, 1), strict=True):
        mean = (scheme(process, theta, dt, dw) - theta).mean() / dt
        assert mean == pytest.approx(-1.3 + point * 0.5 * 1.3, abs=1e-3)


def test_run_to_ends_exactly_on_the_other_clock():
    bowl = paths.bowl(rtc.QUICK)
    process = sde.bowl_sde(bowl, "time_changed")
    calls = []

    def rate(theta):
        calls.append(len(theta))
        return 1 / bowl.loss(theta)

    rng = np.random.default_rng(0)
    flat = sde.Sde(lambda x: 0 * x, lambda x: 0 * x)
    still, own = paths.run_to(flat, np.ones((3, 1)), rate, step=0.3, end=1.0, rng=rng)
    np.testing.assert_allclose(own, 1.0, rtol=1e-12)  # L = 1 there
    np.testing.assert_array_equal(still, 1.0)
    ended, own = paths.run_to(process, np.ones((50, 1)), rate, step=0.02, end=1.0, rng=rng)
    assert np.isfinite(ended).all() and (own > 0.5).all()
    assert calls[-1] < 50  # who has arrived leaves


def test_fine_path_agrees_with_the_pair_of_clocks_in_core():
    config = replace(TINY, fine_step=2.0**-9, paths=64)
    path = paths.one_path(config)
    bowl = paths.bowl(config)
    slow, fast = (sde.bowl_sde(bowl, p) for p in ("decoupled", "time_changed"))
    pair = coupled_paths.coupled_clocks(
        slow, fast, bowl.loss, np.full(1, config.start), dt=2.0**-9, steps=2000, tau_step=0.25,
        records=4, seed=1, replicas=range(64),
    )  # fmt: skip
    assert np.abs(pair.slow - pair.fast)[-1].mean() < 0.2
    column = np.arange(config.paths)
    index = paths._first_beyond(path.tau.values, np.array([1.0]))[0]
    ours = path.state.values[index, column]
    same = stats.ks_2samp(ours, pair.slow[-1, :, 0])
    assert same.pvalue > 1 - LEVEL
    driver = path.driver.values[index, column]
    assert abs(driver.mean()) < 5 / 8 and 0.3 < driver.var() < 2.2  # N(0, 1), 64 of them


def test_growth_samples_are_those_of_a_path():
    config = replace(TINY, growth_steps=4000, groups=8, growth_step=0.01)
    found = ensembles.growth(config)
    dt, n = 0.01, 3
    rng = np.random.default_rng(0)
    z = np.zeros((32_000, n)) + np.array([1.0, 0, 0])
    zero = sde.decoupled(
        lambda x: 0.5 * (x * x).sum(-1), lambda x: x, np.ones(n), learning_rate=0.5, batch_size=1
    )
    moved = z + zero.drift(z) * dt + zero.noise(z) * np.sqrt(dt) * rng.standard_normal(z.shape)
    path = np.log(np.linalg.norm(moved, axis=1)) / dt
    ours = found.growth.sel(dimension=n).values
    error = np.hypot(path.std() / np.sqrt(path.size), ours.std(ddof=1) / np.sqrt(ours.size))
    assert abs(path.mean() - ours.mean()) < 5 * error


def test_same_seed_same_numbers_other_seed_other_numbers():
    first, again = (ensembles.frozen(TINY).frozen_tau.values for _ in range(2))
    other = ensembles.frozen(replace(TINY, seed=1)).frozen_tau.values
    np.testing.assert_array_equal(first, again)
    assert not np.any(first == other)


def test_run_has_units_provenance_and_every_part():
    ds = rtc.run(TINY)
    assert ds.sizes["level"] == 3 and ds.sizes["convention"] == 3 and ds.sizes["floor"] == 4
    assert all(ds[name].attrs["units"] == units for name, units in rtc.UNITS.items())
    assert ds.attrs["seed"] == 0 and "numba" in ds.attrs
    assert all(np.isfinite(v).all() for name, v in ds.items() if name != "operator_error")


def test_operator_laws_are_the_power_laws():
    errors = []
    for cells in (400, 800):
        laws = operators.stationary_laws(rtc.QUICK, cells=cells)
        ratio = 1 + laws.cell**2  # scale 1: L* = 1/2, h = 1
        for law, phi in (("tau", 2.0), ("Ito", 3.0), ("Stratonovich", 2.5), ("anti-Ito", 2.0)):
            exact = ratio**-phi / special.beta(0.5, phi - 0.5)
            error = abs(laws.operator_density.sel(law=law) / exact - 1)
            errors.append(float(error.where(ratio < 1000).max()))
    assert max(errors[:4]) < 1e-3 and max(errors[4:]) < 0.5 * max(errors[:4])


def test_mapped_laws_of_the_operators_differ_as_the_claim_says():
    found = operators.laws_at_time(rtc.QUICK)
    assert np.all(np.diff(found.law_cdf.values, axis=1) >= -1e-12)
    np.testing.assert_allclose(found.law_cdf[:, -1], 1, atol=1e-3)
    fine = operators.laws_at_time(rtc.QUICK, cells=560)
    np.testing.assert_allclose(fine.rival_distance, found.rival_distance, atol=5e-3)


def test_operator_passage_is_the_quadrature():
    found = operators.regularised(rtc.QUICK).floor_passage[-1]
    for floor in found.floor.values:
        exact = rtc.passage_means(
            (floor + 0.5) / floor, temperature=0.5, curvature=1.0, minimum_loss=floor
        )[0]
        assert float(found.sel(floor=floor)) == pytest.approx(exact, rel=1e-3)


def test_minima_of_equal_height_have_the_passage_times_of_the_quadrature():
    found = operators.regularised(rtc.QUICK).equal_barrier[-1]
    for low in found.minimum.values:
        exact = rtc.passage_means(1 + 1 / low, temperature=0.5, curvature=1.0, minimum_loss=low)[0]
        assert float(found.sel(minimum=low)) == pytest.approx(exact, rel=1e-3)


def test_growth_samples_of_sgd_are_those_of_real_steps():
    config = replace(TINY, growth_steps=4000, groups=8, sgd_batch_size=3, sgd_dimensions=(4, 6))
    ours = ensembles.sgd_growth(config).sgd_growth.sel(sgd_dimension=4).values
    x = np.random.default_rng(0).standard_normal((32_000, 3, 4))
    step = np.array([1.0, 0, 0, 0]) - 0.1 / 3 * np.einsum("kbi,kb->ki", x, x[..., 0])
    path = np.log(np.linalg.norm(step, axis=1))
    error = np.hypot(path.std() / np.sqrt(path.size), ours.std(ddof=1) / np.sqrt(ours.size))
    assert abs(path.mean() - ours.mean()) < 5 * error


def test_importing_the_chapter_does_not_import_torch():
    code = "import sys, sgdescape.random_time_change; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


NAN, INF = float("nan"), float("inf")
COUNT = (-1, 0, 10**30, 1.5, NAN, True, "many")
SIZE = (-1.0, 0, NAN, INF, 1e300, True, "long", 1j)
COUNTS = ("batch_size", "paths", "samples", "passages", "stationary_samples", "gibbs_chains",
          "gibbs_kept", "wide", "runs", "most", "growth_steps", "groups", "lives",
          "sgd_batch_size")  # fmt: skip
SIZES = ("learning_rate", "curvature", "minimum_loss", "path_time", "fine_step", "step",
         "law_time", "driver_time", "bowl_time", "passage_step", "loss_ratio", "longest",
         "stationary_step", "stationary_time", "gibbs_step", "gibbs_time", "long_step",
         "long_time", "growth_step", "frozen_step", "frozen_time", "barrier_height",
         "sgd_learning_rate")  # fmt: skip
FIELDS = {
    **dict.fromkeys(COUNTS, COUNT),
    **dict.fromkeys(SIZES, SIZE),
    "loss_ratio": (1.0, *SIZE),
    "wide": (2, 8, *COUNT),
    "start": (0.0, NAN, INF, 1e300, True, "far"),
    "levels": ((), (2,), (2, 3), (0, 4), (2, 30), (2, 20), 5, (2.0, 6.0), "26"),
    "bowl_curvatures": ((), (1.0,), (1.0, -1.0), (1.0, NAN), 1.0, "ab"),
    "bowl_start": ((), (1.0,), (1.0, INF), (1.0, True), 1.0, "ab"),
    "floors": ((), (1e-2, 1e-3), (1e-3, 1e-2, 1e-1), (1e-2, 1e-3, 0.0), (NAN,) * 3, 0.1),
    "shifts": ((), (1e-3,), (1e-4, 1e-3), (1e-3, 0.0), 1e-3, "ab"),
    "minimum_losses": ((), (0.5,), (0.5, 0.1), (0.0, 0.5), 0.5, "ab"),
    "sgd_dimensions": ((), (5,), (5, 4), (1, 5), (4, 5.5), 5, "ab", (5, 10**30)),
    "gibbs_time": (0.1, *SIZE),
    "seed": (-1, 2**63, 1.5, NAN, True, "zero"),
}


@pytest.mark.parametrize("field", FIELDS)
def test_config_refuses(field):
    assert set(FIELDS) == set(rtc.Config.__dataclass_fields__)
    for value in FIELDS[field]:
        with pytest.raises((TypeError, ValueError), match=field):
            replace(rtc.QUICK, **{field: value})


def test_config_names_the_multiple_and_the_index():
    with pytest.raises(ValueError, match=r"multiple of 2\^23"):
        rtc.Config(levels=(2, 20))
    with pytest.raises(ValueError, match=r"wide must give an index nu in \(0, 1\)"):
        rtc.Config(wide=2)


def test_a_passage_that_takes_too_long_is_reported():
    with pytest.raises(RuntimeError, match="longest must let every run pass"):
        ensembles.passages(replace(TINY, loss_ratio=50.0, longest=0.2))

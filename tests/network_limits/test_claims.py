"""Claims of chapter `network_limits`: they hold, and fail under wrong theories or data."""

from dataclasses import asdict, replace

import contract
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

import sgdescape.network_limits as nl
from sgdescape.core.claims import ClaimError, declared
from sgdescape.core.runs import provenance
from sgdescape.network_limits import predictions
from sgdescape.network_limits.estimates.resnet import settled
from sgdescape.network_limits.measure import setting, small_network

STEM = "network_limits"
NOT_RUN = {
    "resnet_isotropic",
    "resnet_velocities",
    "resnet_equipartition",
    "resnet_exponent",
    "imagenet",
}


@pytest.mark.slow
@contract.each(STEM)
def test_claims_hold(measured, name):
    contract.holds(STEM, name, measured)


def times(name, factor):
    """A formula of `predictions` whose answer is off by a factor."""
    original = getattr(predictions, name)

    def wrong(*args, **options):
        found = original(*args, **options)
        if isinstance(found, tuple):
            return tuple(factor * x for x in found)
        return factor * np.asarray(found)

    return name, wrong


def with_replacement(name):
    """A formula that does not know epochs."""
    original = getattr(predictions, name)
    return name, lambda *args, samples=None, **options: original(*args, **options)


def unforced(name):
    """A formula of a walk that no force acts on."""
    original = getattr(predictions, name)
    return name, lambda h, *args, **options: original(1e-6 + 0 * h, *args, **options)


WRONG = {
    "speed": [times("local_displacement", 1.2)],
    "frozen_speed": [times("local_displacement", 1.5)],
    "modified_loss": [times("moments", 0.7), unforced("moments")],
    "modified_shape": [times("moments", 0.5)],
    "epoch_factor": [times("moments", 0.6), with_replacement("moments")],
    "rotation": [times("areal_rate", 1.1)],
    "ring_period": [times("ring", 1.05)],
    "ring_decay": [times("ring", 1.3)],
    "covariance_growth": [times("moments", 2.0)],
    "excess": [times("moments", 1.5), unforced("moments")],
    "excess_rule": [times("excess_loss", 1.5)],
    "excess_epochs": [times("moments", 2.0), with_replacement("moments")],
    "force": [times("excess_loss", 1.5)],
    "weight_decay": [times("moments", 1.8)],
    "negative_lobe": [times("autocorrelation", 0.2)],
    "transient": [times("moments", 1.3)],
    "memory_law": [times("moments", 1.3)],
    "memory_epochs": [with_replacement("moments")],
    "exponent": [unforced("displacement")],
    "exponent_later": [unforced("displacement")],
    "exponent_sweep": [unforced("displacement")],
    "exponent_epochs": [with_replacement("displacement")],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", WRONG)
def test_claims_reject_a_wrong_theory(measured, name, monkeypatch):
    contract.rejects_wrong_theory(STEM, name, measured, WRONG[name], monkeypatch)


def swapped(ds):
    """The two samplers' measurements exchanged, the predictions not."""
    exact = [name for name in ds.data_vars if name.endswith(("_exact", "_rule"))]
    other = ds.sel(sampler=["shuffle", "iid"]).assign_coords(sampler=["iid", "shuffle"])
    return other.assign({name: ds[name] for name in exact if "sampler" in ds[name].dims})


def scaled(**factors):
    """Some variables times a factor."""
    return lambda ds: ds.assign({name: factor * ds[name] for name, factor in factors.items()})


def powers(**exponents):
    """Some variables to a power."""
    return lambda ds: ds.assign({name: ds[name] ** power for name, power in exponents.items()})


def growing(ds):
    return ds.assign(speed_block=ds.speed_block * (1 + 0.1 * xr.DataArray(
        np.arange(ds.sizes["block"]), dims="block")))  # fmt: skip


def tailed(ds):
    return ds.assign(position_kurtosis=ds.position_kurtosis + 1, step_kurtosis=ds.step_kurtosis + 1)


def batched(ds):
    """c moves with S at the same steps, as it does by epochs."""
    power = xr.DataArray([1.0, 1.5, *4 * [1.0]], dims="point")
    return ds.assign(sweep_distance=ds.sweep_distance**power)


def late_ring(ds):
    """A ring that comes back as with statistics of all images."""
    step = xr.DataArray(np.arange(ds.sizes["residual_ring_step"]), dims="residual_ring_step")
    return ds.assign(residual_ring=0 * ds.residual_ring + 1 - step / 4.6)


def still(ds):
    """Convolutions that keep their length."""
    return ds.assign(residual_norm=0 * ds.residual_norm + 300.0)


def ends(ds):
    """Position and step correlated at full steps."""
    return ds.assign(midpoint_step=ds.position_step)


def straight(ds):
    """A distance that is one power of time."""
    scatter = ds.from_start / ds.from_start.mean("replica")
    return ds.assign(from_start=scatter * ds.lag**0.5)


def wrong_answers(ds):
    """An error that grows as the distance does."""
    grown = (ds.snapshot_step / float(ds.snapshot_step.values.ravel()[0])) ** 0.5
    wrong = 1 - 0.2 * grown + 0 * ds.accuracy
    return ds.assign(accuracy=wrong.transpose(*ds.accuracy.dims))


def round_valley(name, *dims):
    """A loss with round contours."""

    def changed(ds):
        x = xr.DataArray(np.linspace(-1, 1, ds.sizes[dims[0]]), dims=dims[0])
        y = xr.DataArray(np.linspace(-1, 1, ds.sizes[dims[1]]), dims=dims[1])
        return ds.assign({name: x**2 + y**2 + 0 * ds[name]})

    return changed


def stretched(name):
    """A cloud whose axes are longer in flat modes, as contours of the loss are."""
    return lambda ds: ds.assign({name: ds[name] / np.sqrt(ds.narrow_curvature)})


def along(name, dim, power):
    """Something that grows as a power of time along a dimension."""

    def changed(ds):
        time = xr.DataArray(np.arange(1.0, ds.sizes[dim] + 1), dims=dim)
        return ds.assign({name: ds[name] * time**power})

    return changed


def loud(ds):
    """Batches of 4 noisier, in their units, than those of 32."""
    noise = ds.narrow_noise
    return ds.assign(narrow_noise=noise * xr.where(noise.narrow_batch == 4, 1.6, 1.0))


DATA = {
    "power_law": straight,
    "accuracy": wrong_answers,
    "position_axes": swapped,
    "velocity_axes": powers(step_variance=0.5),
    "unseen_valley": round_valley("plane_test", "along_first", "along_last"),
    "power_iteration": scaled(power_residual=0.0),
    "dying_speed": lambda ds: ds.assign(fit_speed=0 * ds.fit_speed + 1),
    "interpolating": powers(fit_speed=0.5),
    "narrow_accuracy": lambda ds: ds.assign(
        narrow_test_accuracy=ds.narrow_test_accuracy
        * xr.DataArray(np.linspace(1, 0.4, ds.sizes["mark"]), dims="mark")
    ),
    "narrow_constant": along("narrow_speed", "narrow_step", 1.0),
    "narrow_exponent": powers(narrow_distance=2),
    "narrow_positions": stretched("narrow_position"),
    "narrow_velocities": stretched("narrow_move"),
    "narrow_valley": round_valley("narrow_test_plane", "along_one", "along_other"),
    "narrow_sweep": powers(narrow_speed=2),
    "narrow_small_batch": loud,
    "narrow_noise": powers(narrow_mode_noise=2),
    "narrow_equipartition": scaled(narrow_position=1.2),
    "narrow_small_speed": scaled(narrow_speed=3.0),
    "constant_speed": growing,
    "speed_sweep": powers(sweep_speed=2),
    "frozen_equipartition": scaled(frozen_variance=0.12),
    "noise_is_hessian": powers(all_noise=2),
    "isotropic": swapped,
    "velocities": powers(step_variance=0.5),
    "equipartition": swapped,
    "isotropic_epochs": swapped,
    "equipartition_epochs": swapped,
    "force_epochs": swapped,
    "force_identity": scaled(virial=1.05),
    "midpoint": ends,
    "exponent_batch": batched,
    "strong_speed": scaled(strong_speed=1.5),
    "path_noise": scaled(strong_speed=1.5),
    "strong_equipartition": scaled(strong_variance=0.6),
    "mean_point": scaled(strong_variance=0.6),
    "gaussian": tailed,
    "step_kurtosis": tailed,
    "resnet_speed": scaled(residual_speed=3.0),
    "resnet_norm": still,
    "resnet_mode": lambda ds: ds.assign(residual_mode_curvature=0 * ds.residual_mode_curvature + 1),
    "resnet_ring": late_ring,
    "resnet_batch": lambda ds: ds.assign(residual_group_loss=0 * ds.residual_group_loss + 1),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", DATA)
def test_claims_reject_other_data(measured, name):
    contract.rejects_other_data(STEM, name, DATA[name](measured))


def test_claims_on_what_is_kept_say_where_it_is_not():
    for name in (n for n in contract.claims(STEM) if n.startswith("narrow_")):
        assert contract.claims(STEM)[name](xr.Dataset()).evidence == "none"


def test_every_claim_is_given_a_wrong_theory_or_wrong_data():
    contract.complete(STEM, WRONG, DATA, exempt=NOT_RUN)


def test_the_page_shows_every_claim():
    contract.shown(STEM)


def long_runs(seed=3, *, equal=True):
    """Six long runs of oscillators in twelve curvatures, in the layout of the ResNet's."""
    rng, steps, h = np.random.default_rng(seed), 4000, np.geomspace(0.5, 8, 12)
    runs = [(eta, beta, 1, steps) for eta in (0.05, 0.1) for beta in (0.5, 0.7, 0.8)]
    position, move = np.zeros((6, steps, 12)), np.zeros((6, steps, 12))
    for run, (eta, beta, *_) in enumerate(runs):
        x, v = np.zeros(12), np.zeros(12)
        for k in range(steps):
            noise = np.sqrt(h) * rng.normal(size=12) if equal else rng.normal(size=12)
            v = beta * v - eta * (h * x + noise)
            x = x + v
            position[run, k], move[run, k] = x, v
    dims = ("residual_run", "residual_step", "residual_mode")
    ds = xr.Dataset(
        {
            "residual_position": (dims, position),
            "residual_move": (dims, move),
            "residual_curvature": ("residual_mode", h),
        }
    )
    config = {"residual_runs": runs, "weight_decay": 0.0}
    ds.attrs["config"] = provenance.to_json(config)
    return ds


def test_claims_of_the_resnet_measure_where_runs_are_long():
    ds = long_runs()
    for name in ("resnet_isotropic", "resnet_velocities", "resnet_equipartition"):
        assert contract.claims(STEM)[name](ds).verdict.startswith(("confirmed", "approximate"))
    white = long_runs(equal=False)
    for name in ("resnet_isotropic", "resnet_velocities"):
        with pytest.raises(ClaimError):
            contract.claims(STEM)[name](white)
    short = ds.isel(residual_mode=slice(5))
    assert contract.claims(STEM)["resnet_isotropic"](short).evidence == "none"


@pytest.mark.slow
def test_figures_show_the_data(measured):
    words = {"variances": "step", "narrow_path": "exponent", "narrow_cloud": "move"}
    for name in nl.figures.__all__:
        options = {"what": words[name]} if name in words else {}
        ax = getattr(nl.figures, name)(measured, plt.subplots()[1], **options)
        assert ax.get_xlabel() and ax.get_ylabel()
    plt.close("all")


@pytest.mark.slow
def test_drawn_slope_is_that_of_the_norm(measured):
    for run, (*_, steps) in enumerate(provenance.settings(measured).residual_runs):
        norm, first = measured.residual_norm.values[run, : int(steps)], settled(measured, run).start
        slope = (norm[-1] - norm[first]) / (len(norm) - 1 - first)
        assert float(measured.residual_drift[run]) == pytest.approx(slope, rel=0.01)


@pytest.mark.slow
def test_the_page_prints_the_summary(measured):
    contract.glued(STEM, nl.summary(measured))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_claims_hold_for_other_seeds(seed):
    dataset = nl.run(replace(nl.QUICK, seed=seed))
    for claim in declared(STEM):
        claim(dataset)


@pytest.mark.slow
def test_another_network_obeys_the_same_laws(measured):
    config = replace(nl.QUICK, network_seed=1)
    start = setting.prepare(config)
    first = setting.spectrum(config, start)
    kept = measured.drop_vars([n for n in measured.data_vars if n.endswith("_exact")])
    own = xr.merge([first, small_network.stationary(config, start)], combine_attrs="override")
    dataset = kept.assign(own.data_vars).assign_attrs(first.attrs)
    dataset.attrs["config"] = provenance.to_json(asdict(config))
    dataset = nl.predict(dataset)
    for name in ("speed", "equipartition", "epoch_factor", "excess_epochs"):
        contract.holds(STEM, name, dataset)

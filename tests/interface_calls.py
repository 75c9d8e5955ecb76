"""A working call of every public name: the first of its own docstring, or one written here.

`call_of(label, value)` gives it with its arguments bound. An example is executed up to the call
itself, which is recorded and not computed, so that tests start from what the interface page shows.
"""

import doctest
import importlib
import inspect
import sys
from pathlib import Path

import numpy as np
import torch
import xarray as xr
from matplotlib.figure import Figure

from sgdescape.core.training import sgd

AXES = Figure().subplots()
ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "book" / "_ext"))
interface = importlib.import_module("interface")


USUAL = {  # arguments that have the same meaning wherever they stand
    "ax": AXES,
    "batch_size": 2,
    "curvature": 1.0,
    "curvature_saddle": -0.5,
    "curvatures": np.array([1.0, 0.5]),
    "damping": 0.5,
    "diffusion": np.eye(2),
    "dimension": 2,
    "drift": np.array([[0.0, 1.0], [-1.0, -0.5]]),
    "hessian": np.diag([2.0, 1.0]),
    "learning_rate": 0.1,
    "loss_ratio": 2.0,
    "loss_ratios": [1.5, 2.0],
    "minimum_loss": 0.5,
    "momentum": 0.9,
    "noise": 0.5,
    "noise_covariance": np.diag([2.0, 1.0]),
    "rate": 0.1,
    "saddle_loss": 2.0,
    "square_step": 0.01,
    "start": 1.0,
    "steps": [0, 1, 2],
    "steps_per_epoch": 4,
    "temperature": 0.1,
    "times": [0.0, 1.0],
    "time": 1.0,
    "variances": [2.0, 1.0],
    "weight_decay": 0.01,
}


def _parts(diffusion=None):
    from sgdescape import modified_loss as ml

    two = _two_matrices()
    return ml.decompose(two["drift"], two["diffusion"] if diffusion is None else diffusion)


def _valley(transverse=()):
    from sgdescape import kramers_escape as ke

    return ke.Landscape(transverse=transverse)


def _data(n=60, d=2):
    rng = np.random.Generator(np.random.Philox(key=1))
    return rng.standard_normal((n, d)), rng.standard_normal(n)


def _interval():
    from sgdescape.core.stats.intervals import Interval

    return Interval(1.0, 0.5, 1.5, 0.99)


def _images():
    from sgdescape.core.networks import models

    generator = torch.Generator().manual_seed(0)
    x = torch.randn(6, 4, generator=generator)
    return {"model": models.mlp((4, 3, 1), seed=0), "inputs": x, "targets": x[:, 0].clone()}


def _bowl():
    from sgdescape.core.sde.models import Bowl

    return Bowl((1.0, 0.5), minimum_loss=0.5, learning_rate=0.1, batch_size=2)


def _valley_of(bowl):
    return {"loss": bowl.loss, "gradient": bowl.gradient, "hessian": (1.0, 0.5),
            "learning_rate": 0.1, "batch_size": 2}  # fmt: skip


def _generator(right="absorbing", **more):
    from sgdescape.core.fokker_planck import operators

    edges = np.linspace(-1.0, 1.0, 9)
    return {
        "generator": operators.operator_1d(lambda x: -x, lambda x: 0.5 + 0 * x, edges, right=right)
    } | more


def _regression(**more):
    from sgdescape.core.ensembles.regression_data import FiniteData

    x, y = _data()
    return {"problem": FiniteData(x, y), "learning_rate": 0.1, "batch_size": 2, "seed": 0,
            "replicas": range(2), "engine": "torch", "device": "cpu"} | more  # fmt: skip


PHASE = {"curvature": [1.0], "noise": [0.5], "learning_rate": 0.1, "momentum": 0.9,
         "batch_size": 2}  # fmt: skip
PAIR = PHASE | {"noise": [[0.5]]}
MODES = {"steps": [0, 1, 2], "curvatures": [1.0, 0.5], "noise": [0.5, 0.2], "learning_rate": 0.1,
         "momentum": 0.9, "batch_size": 2}  # fmt: skip
SAMPLES = np.geomspace(1.0, 30.0, 40)

CALLS = {  # label -> arguments, where the docstring has no example of its own
    "random_time_change.strong_order": lambda: {
        "steps": [0.1, 0.05, 0.025], "errors": np.outer([0.1, 0.05, 0.025], np.linspace(1, 2, 20))
    },
    "kramers_escape.Landscape": lambda: {},
    "kramers_escape.axis_density": lambda: {
        "log_rise": 0.5, "integral_beyond": 2.0, "current": 0.1, "temperature": 0.1
    },
    "kramers_escape.log_times": lambda: {"shape": _valley(), "noise": 10.0},
    "kramers_escape.path_slope": lambda: {"landscape": _valley(), "z": 0.5},
    "kramers_escape.path_widths": lambda: {"landscape": _valley((1.0,)), "points": 60},
    "kramers_escape.well_mass": lambda: {
        "learning_rate": 0.1, "batch_size": 2, "minimum_loss": 0.5, "dimension": 1
    },
    "decoupling.pairing_deviation": lambda: {
        "losses": [0.1, 0.2, 0.4], "weights": np.ones((2, 3)), "errors": [0.1, 0.1],
        "pairings": 10,
    },
    "noise_strength.moments": lambda: _images() | {
        "targets": _images()["targets"][:, None], "loss": sgd.square_loss
    },
    "linear_regression.data_passage": lambda: {
        "loss_ratio": 1.3, "inputs": np.array([1.0, 0.5, 2.0]), "targets": np.array([1.0, 0, 2]),
        "learning_rate": 0.1,
    },
    "underdamped_langevin.noise_covariance_at": lambda: {
        "inputs": _data()[0], "residuals": _data()[1], "position": [0.1, 0.2]
    },
    "underdamped_langevin.path_errors": lambda: {"learning_rates": [0.1, 0.05], "momentum": 0.9},
    "underdamped_langevin.regression_covariance": lambda: {
        "inputs": np.tile([[1.0, 1.0], [1.0, -1.0]], (4, 1)), "residuals": np.tile([0.5, -0.5], 4),
        "learning_rate": 0.02, "momentum": 0.5, "batch_size": 4,
    },
    "modified_loss.areal_rates": lambda: {"parts": _parts()},
    "modified_loss.entropy_rate": lambda: {"parts": _parts(np.eye(2))},
    "modified_loss.entropy_by_lyapunov": lambda: PAIR,
    "modified_loss.eigenbasis_circulation": lambda: {
        "drift": np.diag([2.0, 1.0]), "diffusion": np.array([[0.1, 0.02], [0.02, 0.1]])
    },
    **{
        f"modified_loss.{name}": lambda: PAIR
        for name in ("circulation", "covariance", "discrete_covariance", "entropy_by_spectrum")
    },
    "modified_loss.half_step": lambda: {"full": _covariance(), "learning_rate": 0.1},
    "kramers_escape.steps": lambda: {"valley_shape": _valley((1.0,))},
    "anomalous_diffusion.figures.published_sweeps": lambda: {"axes": Figure().subplots(1, 3)},
    "random_time_change.figures.landscapes": lambda: {"axes": Figure().subplots(1, 2)},
    "random_time_change.figures.double_well": lambda: {"theta": [0.0, 1.0], "floor": 0.1},
    "anomalous_diffusion.variables": lambda: {"data": _exponents()},
    "anomalous_diffusion.free_powers": lambda: {"data": _exponents(), "resamples": 200},
    "anomalous_diffusion.figures.windows": lambda: {
        "ax": AXES, "curvatures": [1.0, 0.5], "noise": [0.5, 0.2], "offsets": [0.1, 0.2],
        "learning_rate": 0.1, "momentum": 0.9, "batch_size": 2, "epoch": 20,
    },
    "core.claims.card.as_text": lambda: {"claim": _claim()},
    "core.claims.card.as_html": lambda: {"claim": _claim()},
    "core.claims.judging.as_expected": lambda: {"claim": _claim()},
    "core.claims.records.record": lambda: {"claim": _claim()},
    "core.claims.records.detectable": lambda: {"claim": _claim()},
    "core.claims.verdict.band": lambda: {"value": 1.0, "width": 0.1, "absolute": False},
    "core.claims.checks.identity": lambda: {
        "statement": "It is one.", "source": "Mori et al., Eq. (8)", "predicted": 1.0,
        "measured": 1.0, "error": 1e-9,
    },
    "core.claims.checks.not_testable": lambda: {
        "statement": "It is one.", "source": "Mori et al., Eq. (8)", "reason": "no data"
    },
    "core.claims.declaration.declared": lambda: {"stem": "large_deviations"},
    "core.power.kept.version": lambda: {"stem": "large_deviations"},
    **{
        f"core.power.analysis.{name}": lambda: {"outcomes": _outcomes()}
        for name in ("false_alarms", "wrong_theories", "seen", "summary")
    },
    "core.power.analysis.rejected": lambda: {"outcomes": _outcomes(), "name": "two"},
    "core.plotting.figure": lambda: {"size": "single"},
    "core.plotting.points": lambda: {"ax": AXES, "x": [1.0, 2.0], "value": [1.0, 2.0]},
    "core.plotting.theory": lambda: {"ax": AXES, "x": [1.0, 2.0], "y": [1.0, 2.0]},
    "core.plotting.log_axes": lambda: {"ax": AXES, "axes": "xy"},
    "core.plotting.power_guide": lambda: {
        "ax": AXES, "x": [1.0, 2.0], "through": (1.0, 2.0), "power": 2.0
    },
    "core.quasi_potential.action.path_cost": lambda: {
        "hamiltonian": _hamiltonian(), "points": np.array([[0.0, 0.0], [0.5, 0.5], [1.0, 1.0]])
    },
    "core.quasi_potential.action.diffusion_hamiltonian": lambda: {
        "drift": lambda x: -x, "covariance": lambda x: np.eye(2)
    },
    "core.spectra.products.gauss_newton_eigenpairs": lambda: {
        "model": _images()["model"], "inputs": _images()["inputs"], "k": 2
    },
    "core.networks.gradients.check_targets": lambda: {
        k: v for k, v in _images().items() if k != "model"
    },
    "core.networks.chains.check_inputs": lambda: {
        k: v for k, v in _images().items() if k != "targets"
    },
    "core.sde.bowl.Sde": lambda: {"drift": lambda x: -x, "noise": lambda x: 0 * x + 1},
    "core.stats.slopes.local_slope": lambda: {
        "x": np.geomspace(1, 9, 9), "y": np.geomspace(1, 9, 9) ** 2, "window": 5
    },
    "core.fokker_planck.generators.stationary": lambda: _generator(right="reflecting"),
    "core.fokker_planck.operators.currents": lambda: _generator(probability=np.full(8, 0.125)),
    "core.fokker_planck.faces.on_grid": lambda: {"name": "drift", "values": [1.0], "shape": (3,)},
    "momentum_escape.orbit_hamiltonian": lambda: {
        "position": np.array([0.5, 0.4]), "tilt": np.array([0.2, 0.1])
    },
    "modified_loss.shape_by_kronecker": lambda: _two_matrices(),
    "modified_loss.modified_loss": lambda: {"displacement": [0.1, 0.2], "parts": _parts()},
    "modified_loss.probability_velocity": lambda: {"displacement": [0.1, 0.2], "parts": _parts()},
    "modified_loss.phase_loss": lambda: {
        "position": 0.1, "velocity": 0.2, "curvature": 1.0, "learning_rate": 0.1, "momentum": 0.9
    },
    "underdamped_langevin.continuous_response": lambda: {
        "times": [0.0, 1.0], "damping": 0.5, "square_frequency": 2.0
    },
    "anomalous_diffusion.explained": lambda: {
        "variable": np.linspace(1, 2, 12), "exponents": np.linspace(1, 2, 12) ** 2, "degree": 2
    },
    **{
        f"anomalous_diffusion.{name}": (lambda drop=drop, more=more: {
            k: v for k, v in (MODES | more).items() if k not in drop
        })
        for name, drop, more in (
            ("fixed_order_displacement", (), {"steps_per_epoch": 4}),
            ("free_displacement", ("curvatures",), {"noise": 0.5}),
            ("overdamped_displacement", (), {}),
            ("overdamped_start", (), {"offsets": [0.1, 0.2]}),
            ("saturation", ("steps",), {}),
            ("shuffled_displacement", (), {"steps_per_epoch": 4}),
            ("summed_displacement", ("curvatures",), {"curvature": 1.0, "noise": 0.5}),
        )
    },
    "network_limits.displacement": lambda: PHASE | {"start": 2, "lags": [1, 2]},
    "network_limits.equipartition": lambda: {
        "square_step": 0.01, "variance": 0.1, "curvature": 1.0, "learning_rate": 0.1,
        "momentum": 0.9,
    },
    "network_limits.impulse": lambda: {
        "curvature": 1.0, "length": 5, "learning_rate": 0.1, "momentum": 0.9
    },
    "network_limits.moments": lambda: PHASE | {"steps": [1, 2]},
    "core.ensembles.network.images_gram": lambda: {"inputs": _images()["inputs"]},
    "core.ensembles.network.problem": _images,
    "core.ensembles.network.run": lambda: _network_run(),
    "core.explorer.explorer_html": lambda: _explorer(),
    "core.ensembles.regression_data.words_per_block": lambda: {"law": "gaussian"},
    "core.sde.bowl.Bowl": lambda: {
        "curvatures": (1.0, 0.5), "minimum_loss": 0.5, "learning_rate": 0.1, "batch_size": 2
    },
    "core.sde.bowl.bowl_sde": lambda: {"bowl": _bowl()},
    "core.sde.bowl.time_changed": lambda: _valley_of(_bowl()),
    "core.sde.passage.bowl_levels": lambda: {"bowl": _bowl(), "loss_ratios": [1.5, 2.0]},
    "core.sde.passage.increasing": lambda: {"name": "values", "values": [1.0, 2.0]},
    "core.networks.chains.parameter_count": lambda: {"model": _images()["model"]},
    "core.networks.plain.check_model": lambda: {"model": _images()["model"]},
    "core.networks.plain.check_losses": lambda: {"losses": torch.zeros(3), "count": 3},
    "core.spectra.gram.eigenvalues": lambda: {"matrix": torch.eye(3, dtype=torch.float64)},
    "core.spectra.module_products.gauss_newton_product": lambda: _images() | {"loss": _half_square},
    "core.spectra.module_products.hessian_product": lambda: _images() | {"loss": _half_square},
    "core.spectra.products.hessian_product": lambda: _images() | {"loss": _half_square},
    "core.spectra.density.smoothed_density": lambda: {
        "quadrature": _quadrature(), "grid": np.linspace(0, 1, 5), "width": 0.1
    },
    "core.spectra.density.quadrature_sum": lambda: {
        "quadrature": _quadrature(), "function": np.square
    },
    "core.stats.intervals.Interval": lambda: {"value": 1.0, "low": 0.5, "high": 1.5},
    "core.stats.intervals.weighted_sum": lambda: {
        "intervals": [_interval(), _interval()], "weights": [1.0, -1.0]
    },
    "core.stats.intervals.bootstrap_interval": lambda: {
        "samples": SAMPLES, "resamples": 200, "level": 0.95
    },
    "core.training.sgd.Config": lambda: {"learning_rate": 0.1, "batch_size": 2, "steps": 3},
    "core.runs.provenance.to_json": lambda: {"fields": {"a": 1}},
    "core.spectra.module_products.frozen": lambda: {
        "model": torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2)),
        "mode": "eval",
    },
    "core.runs.provenance.package_version": lambda: {"package": "numpy"},
    "core.runs.provenance.device_name": lambda: {"device": "cpu"},
    "core.plotting.points_style": lambda: {"index": 1},
    "core.random.brownian.batch_of_steps": lambda: {"replicas": 2, "noises": 1, "substeps": 1},
    "core.random.brownian.bridge_words": lambda: {"seed": 0, "step": 1, "replicas": np.arange(3)},
    "core.validate.scalars.between": lambda: {
        "name": "value", "value": 0.5, "low": 0.0, "high": 1.0
    },
    "core.validate.scalars.count": lambda: {"name": "value", "value": 2},
    "core.validate.devices.device": lambda: {"value": "cpu"},
    "core.validate.arrays.each_positive": lambda: {"name": "value", "value": [0.5]},
    "core.validate.arrays.finite": lambda: {"name": "array", "array": [0.5, 1.0]},
    "core.validate.scalars.one_of": lambda: {"name": "value", "value": "a", "allowed": ("a", "b")},
    "core.validate.scalars.positive": lambda: {"name": "value", "value": 0.5},
    "core.validate.arrays.real": lambda: {"name": "value", "value": [0.5, 1.0]},
    "core.validate.arrays.row": lambda: {"name": "value", "value": ("a", "b")},
    "core.validate.arrays.times": lambda: {"name": "value", "value": [0.5, 1.0]},
    "core.validate.arrays.within": lambda: {"name": "value", "value": [0.5, 1.0]},
    "core.networks.checkpoints.bundled": lambda: _bundled(),
    "core.networks.checkpoints.store": lambda: {"path": "a.npz", "checkpoints": {}},
    "core.data.sources.read_bundled": lambda: {"name": "mnist"},
    "core.data.sources.read_folder": lambda: {"name": "mnist", "folder": Path()},
    "core.networks.plain.foreign": lambda: {
        "model": _images()["model"], "kinds": (torch.nn.Linear, torch.nn.ReLU)
    },
    "core.runs.sweep.code_version": lambda: {"function": _half_square},
    "core.runs.kept.load": lambda: {"path": _kept(), "sha256": None},
    "core.runs.kept.same_settings": lambda: {"dataset": _result(), "fields": {"a": 1}},
    "core.runs.kept.save": lambda: {"dataset": _result(), "path": "a.nc", "cost": "a second"},
    "core.runs.store.about": lambda: {"path": _piece()},
    "core.runs.store.open_store": lambda: {"folder": "store"},
    "core.runs.store.drop_leftovers": lambda: {"folder": "store"},
    "core.runs.store.read": lambda: {"folder": _piece().parent, "identity": "{}"},
    "core.runs.store.write": lambda: {
        "folder": _piece().parent, "identity": "{}", "arrays": {"a": np.ones(2)}
    },
    "core.sde.passage.watch_bowl": lambda: {"bowl": _bowl(), "process": "decoupled"},
    "core.sde.paths.check": lambda: {"sde": _sde(), "dt": 0.1, "seed": 0},
    "core.sde.paths.starting_states": lambda: {"start": [0.5, 1.0], "replicas": range(2)},
    "core.training.updates.is_dense": lambda: {"model": _images()["model"]},
    "kramers_escape.table": lambda: {"found": _steps()},
    "core.validate.arrays.each_at_least": lambda: {"name": "value", "value": [0.5], "low": 0.0},
    "core.validate.arrays.each_between": lambda: {
        "name": "value", "value": [0.5], "low": 0.0, "high": 1.0
    },
    "core.validate.arrays.each_negative": lambda: {"name": "value", "value": [-0.5]},
    "core.validate.arrays.each_whole": lambda: {"name": "value", "value": [2.0]},
    "core.validate.scalars.fraction": lambda: {"name": "value", "value": 0.5},
    "core.validate.scalars.non_negative": lambda: {"name": "value", "value": 0.5},
    **{
        f"core.fokker_planck.generators.{name}": (lambda more=more: _generator(**more))
        for name, more in (
            ("absorb", {"cells": np.arange(8) == 0}),
            ("committor", {"target": np.arange(8) == 0}),
            ("escape_rate", {}),
            ("mean_first_passage", {}),
            ("quasi_stationary", {}),
            ("spectral_gap", {"modes": 2, "right": "reflecting"}),
        )
    },
}  # fmt: skip


def _half_square(outputs, targets):
    return 0.5 * (outputs[:, 0] - targets) ** 2


def _two_matrices():
    return {"drift": np.array([[0.0, -1.0], [1.0, 0.5]]), "diffusion": np.diag([0.0, 0.1])}


def _network_run():
    from sgdescape.core.ensembles import network

    return {"problem": network.problem(**_images()), "learning_rate": 0.1, "batch_size": 2,
            "max_steps": 3, "replicas": range(2), "seed": 0, "engine": "reference",
            "thresholds": [1.5], "device": "cpu"}  # fmt: skip


def _claim():
    from sgdescape.core.claims import check
    from sgdescape.core.stats.intervals import Interval

    return check("It is one.", source="Mori et al., Eq. (8)", predicted=1.0, expected="confirmed",
                 measured=Interval(1.0, 0.9, 1.1), rivals={"two": 2.0})  # fmt: skip


def _bundled():
    from sgdescape.network_limits.measure import minimum

    return {"file": minimum.BUNDLED, "sha256": minimum.SHA256, "recipe": minimum.Recipe}


def _result():
    return xr.Dataset({"a": ("x", [1.0, 2.0])}, attrs={"config": '{"a": 1}'})


def _kept():
    from sgdescape.core.runs import kept

    kept.save(_result(), "kept.nc", cost="a second")
    return "kept.nc"


def _piece():
    from sgdescape.core.runs import store

    return store.write(store.open_store("pieces"), "{}", {"a": np.ones(2)})


def _sde():
    from sgdescape.core.sde.models import Sde

    return Sde(lambda x: -x, lambda x: 0 * x + 1)


def _steps():
    from sgdescape.kramers_escape.theory.proof import Step

    return [Step("(18)", "the current", True, (0.0,))]


def _outcomes():
    from sgdescape.core.power.analysis import Outcome

    return [Outcome(_claim())] * 3


def _covariance():
    from sgdescape import modified_loss as ml

    return ml.discrete_covariance(**PAIR)


def _exponents():
    from sgdescape import anomalous_diffusion as ad

    return ad.published_exponents()


def _hamiltonian():
    from sgdescape.core.quasi_potential import action

    return action.diffusion_hamiltonian(lambda x: -x, lambda x: np.eye(2))


def _quadrature():
    from sgdescape.core.spectra.density import Quadrature

    return Quadrature(np.array([[0.1, 0.5], [0.2, 0.6]]), np.full((2, 2), 0.5), 4)


def _explorer():
    from sgdescape.core.explorer import Axes

    return {"axes": Axes(np.array([1.0, 2.0]), 2.0, "x", "y", "t"), "slider": "s", "start": 1.0,
            "curves": {1.0: [0.0, 1.0]}, "readings": {1.0: "one"}, "references": {}}  # fmt: skip


class _Called(Exception):
    """The example has reached the call; its arguments are the exception's."""


def names() -> dict:
    """Return label -> value of everything that the interface page shows and that can be called."""
    found = {}
    for stem in interface.chapters(ROOT):
        face = importlib.import_module(f"sgdescape.{stem}")
        for name in face.__all__:
            value = getattr(face, name)
            if inspect.ismodule(value):
                inner = {f"{name}.{n}": getattr(value, n) for n in interface.public_names(value)}
            else:
                inner = {name: value}
            found |= {f"{stem}.{n}": v for n, v in inner.items()}
    for module in interface.core_modules():
        room = importlib.import_module(module)
        short = module.removeprefix("sgdescape.")
        found |= {f"{short}.{n}": getattr(room, n) for n in interface.public_names(room)}
    own = {}
    for label, value in found.items():  # what is offered in two places is one name
        if inspect.isclass(value) or inspect.isroutine(inspect.unwrap(value)):
            own.setdefault(id(value), (label, value))
    return dict(own.values())


def call_of(label: str, value) -> inspect.BoundArguments | None:
    """Return a working call's arguments, with defaults filled in; None where there is none."""
    signature = inspect.signature(value)
    made = CALLS.get(label)
    if made is not None:
        bound = signature.bind(**made())
    elif (bound := example(value)) is None:
        needed = [p.name for p in signature.parameters.values() if p.default is p.empty]
        if not set(needed) <= set(USUAL):
            return None
        bound = signature.bind(**{name: USUAL[name] for name in needed})
    bound.apply_defaults()
    return bound


def example(value) -> inspect.BoundArguments | None:
    """Return the arguments of the first call in a function's own example, None without one."""
    function = inspect.unwrap(value)
    home = sys.modules[function.__module__]
    tests = doctest.DocTestFinder(recurse=False).find(value, function.__name__, module=home)
    signature, name = inspect.signature(value), function.__name__

    def record(*positional, **named):
        raise _Called(signature.bind(*positional, **named))

    scope = dict(vars(home)) | {"__name__": "__main__", name: record}
    holders = [m for m in list(sys.modules.values()) if vars(m).get(name) is value]
    for holder in holders:  # for examples that import the function themselves
        setattr(holder, name, record)
    try:
        for line in (e.source for t in tests for e in t.examples):
            exec(compile(line, "<example>", "single"), scope)
    except _Called as called:
        return called.args[0]
    finally:
        for holder in holders:
            setattr(holder, name, value)
    return None

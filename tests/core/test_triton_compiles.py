"""Every Triton kernel compiles for a GPU, which need not be here; the interpreter is more lenient.

The compiler makes a constant of a plain argument that is 1, rounds a Python float to float32, knows
no global but a constexpr, and reads on after a return in a branch.
"""

import importlib
import os

import numpy as np
import pytest
import torch

from sgdescape.core.ensembles import phase_space
from sgdescape.core.ensembles import regression as ensembles
from sgdescape.core.sde import bowl as sde

triton = pytest.importorskip("triton")
pytestmark = pytest.mark.skipif(
    os.environ.get("TRITON_INTERPRET") == "1", reason="the compiler, not the interpreter"
)


class Recorder:
    """Stands for a kernel and keeps what it is launched with."""

    def __init__(self, kernel):
        self.kernel, self.arguments = kernel, None

    def __getitem__(self, grid):
        def launch(*values, **constants):
            named = zip(self.kernel.arg_names, values, strict=False)
            self.arguments = dict(named) | constants

        return launch

    def source(self):
        """What Triton would compile for these arguments."""
        from triton.compiler import ASTSource

        kinds, constants = {}, {}
        for i, parameter in enumerate(self.kernel.params):
            value = self.arguments[parameter.name]
            one = isinstance(value, int) and value == 1 and not parameter.do_not_specialize
            if parameter.is_constexpr or one:
                kinds[parameter.name], constants[(i,)] = "constexpr", value
            elif isinstance(value, torch.Tensor):
                bits, letters = 8 * value.itemsize, "fp" if value.is_floating_point() else "i"
                kinds[parameter.name] = f"*{letters}{bits}"
            else:
                assert isinstance(value, int), f"{parameter.name} would be rounded to float32"
                kinds[parameter.name] = "i32" if -(2**31) <= value < 2**31 else "i64"
        return ASTSource(self.kernel, kinds, constants)


def compiled(monkeypatch, module, name, launch):
    """Compile the kernel for the arguments that it is launched with."""
    from triton.backends.compiler import GPUTarget

    kernels = importlib.import_module(f"sgdescape.core.{module}")
    recorder = Recorder(getattr(kernels, name))
    monkeypatch.setattr(kernels, name, recorder)
    if hasattr(kernels, "require"):
        monkeypatch.setattr(kernels, "require", lambda place: None)
    launch()
    made = triton.compile(recorder.source(), target=GPUTarget("cuda", 90, 32))
    assert len(made.asm["cubin"]) > 1000


STEPS = {"steps": 1, "burn_in": 1}
REGRESSION = (
    (
        phase_space.states,
        "ensembles.kernels.phase_triton",
        "_path",
        {"momentum": 0.5, "record_steps": [1, 2]},
    ),
    (
        phase_space.averages,
        "ensembles.kernels.phase_triton",
        "_averages",
        {"momentum": 0.5, **STEPS},
    ),
    (phase_space.averages, "ensembles.kernels.phase_triton", "_averages", STEPS),
    (
        ensembles.first_passage,
        "ensembles.kernels.linear_triton",
        "_passages",
        {"thresholds": [2.0], "max_steps": 1, "momentum": 0.5},
    ),
    (
        ensembles.first_passage,
        "ensembles.kernels.linear_triton",
        "_passages",
        {"thresholds": [2.0], "max_steps": 1},
    ),
    (ensembles.stationary, "ensembles.kernels.linear_triton", "_averages", STEPS),
)


def regression():
    """Seeds whose 32-bit words are 1, 0 and beyond the int32; the numbers 1 wherever they fit."""
    data, fresh = ensembles.gaussian_data(30, 2, seed=3), ensembles.FreshData(2)
    yield data, {"seed": 1, "dtype": "float32"}, ()
    for problem, sampler in (
        (data, "without_replacement"), (data, "shuffle"), (fresh, "iid"), (data, "iid"),
    ):  # fmt: skip
        for seed, dtype in ((2**32, "float64"), (2**64 - 1, "float32")):
            yield problem, {"seed": seed, "dtype": dtype, "sampler": sampler}, pytest.mark.slow


@pytest.mark.parametrize("function, module, name, options", REGRESSION)
@pytest.mark.parametrize(
    "problem, more", [pytest.param(p, more, marks=marks) for p, more, marks in regression()]
)
def test_regression(monkeypatch, function, module, name, options, problem, more):
    shared = {"learning_rate": 0.1, "batch_size": 2, "replicas": range(1), "device": "cpu"}
    compiled(
        monkeypatch, module, name,
        lambda: function(problem, engine="triton", **shared, **options, **more),
    )  # fmt: skip


@pytest.mark.parametrize("name", ["_passage", "_average"])
@pytest.mark.parametrize(
    "process, seed, dtype",
    [
        ("decoupled", 1, torch.float32),
        pytest.param("gld", 5, torch.float64, marks=pytest.mark.slow),
        pytest.param("time_changed", 2**64 - 1, torch.float32, marks=pytest.mark.slow),
    ],
)
def test_diffusion(monkeypatch, name, process, seed, dtype):
    from sgdescape.core.sde.kernels import sde_triton

    bowl = sde.Bowl((1.0, 0.5), minimum_loss=0.5, learning_rate=0.1, batch_size=1)
    start = torch.full((2, 2), 0.05, dtype=dtype)
    shared = {
        "process": process, "diffusion": 0.05 if process == "gld" else None, "dt": 0.05,
        "seed": seed, "replicas": range(1, 3), "steps": 1,
    }  # fmt: skip

    def passage():
        sde_triton.first_passage(bowl, start, loss_ratios=np.array([1.1]), bridge=True, **shared)

    def average():
        sde_triton.stationary(
            bowl, start, clock="t", burn_in=1, record_every=1, edges=np.array([1.0, 2.0]),
            quantity=sde_triton.QUANTITIES[0], keep_every=1, **shared,
        )  # fmt: skip

    compiled(
        monkeypatch, "sde.kernels.sde_triton", name, passage if name == "_passage" else average
    )

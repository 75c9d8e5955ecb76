"""Engines on a device against the CPU, replica by replica: the first part of ``tools/gpu.py``.

The CPU's side is the reference that all tiers are tested against (torch or NumPy: nothing to
compile while a card waits); without a card the numba kernels stand on the other side. Every engine
draws the same random numbers, so that a replica takes the same path everywhere, up to rounding. Of
whole numbers (steps of passages) a share may differ, where rounding moves a loss across a
threshold; of the others the largest difference counts, relative to the largest value.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields

import numpy as np

DOUBLE, SINGLE = 1e-11, 5e-5
"""Tolerances after hundreds of steps near a minimum, where errors do not grow: as on the CPU."""
MOVED = {"float64": 0.0, "float32": 0.01}
"""Shares of passages that rounding may move."""
TOLERANCE = {"float64": DOUBLE, "float32": SINGLE}
TIMES = {"float64": 1e-9, "float32": 1e-3}
"""Of passage times within their step (0.05), which end where a square root does; more has moved."""
NETWORK = {"float64": 1e-9, "float32": 1e-3}
"""Of networks, along whose paths rounding grows: after a hundred steps."""


@dataclass(frozen=True)
class Place:
    """Where the checks and rates of a run are made.

    Args:
        device: of torch, "cpu" or "cuda" with or without a number.
        kernels: how Triton runs: "compiled", "interpreter", or "none" where it is not installed.
        tiny: whether sizes only show that everything runs.
    """

    device: str
    kernels: str
    tiny: bool

    @property
    def engines(self) -> tuple[str, ...]:
        """Engines that are compared with the CPU's reference."""
        return (*(() if self.kernels == "none" else ("triton",)), self.plain)

    @property
    def plain(self) -> str:
        """The engine beside Triton: torch on a card, numba on the CPU."""
        return "numba" if self.device == "cpu" else "torch"

    def sized(self, card: int, tiny: int) -> int:
        """Return a size for a card or for a mere try."""
        return tiny if self.tiny else card


def compared(name: str, here, there, *, tolerance: float) -> dict:
    """Return how two arrays of one quantity differ.

    Args:
        name: of the quantity.
        here: by the CPU's engine.
        there: on the device, same shape.
        tolerance: largest difference relative to the largest value; of whole numbers the largest
            share that differs. Values that are not finite must be so in both.

    Returns:
        ``quantity``, ``difference``, ``tolerance``, ``same_bits`` and ``agree``.

    Example:
        >>> compared("x", [1.0, 2.0], [1.0, 2.5], tolerance=0.1)["difference"]
        0.25
        >>> compared("steps", [3, -1], [3, 4], tolerance=0.5)["agree"]
        True
    """
    a, b = (np.asarray(values) for values in (here, there))
    row = {"quantity": name, "tolerance": tolerance, "shape": list(a.shape)}
    if a.shape != b.shape or not a.size:
        return row | {"difference": None, "same_bits": False, "agree": False}
    if np.issubdtype(a.dtype, np.integer) or a.dtype == bool:
        difference = float((a != b).mean())
    else:
        known = np.isfinite(a)
        if (known != np.isfinite(b)).any():
            return row | {"difference": None, "same_bits": False, "agree": False}
        scale = np.abs(a[known]).max(initial=0) or 1.0
        difference = float(np.abs(a[known] - b[known]).max(initial=0) / scale)
    same = a.dtype == b.dtype and bool(np.array_equal(a, b, equal_nan=a.dtype.kind == "f"))
    return row | {
        "difference": difference,
        "same_bits": same,
        "agree": difference <= tolerance,
    }


def records(here, there, *, tolerance: float, moved: float) -> list[dict]:
    """Return the comparisons of all arrays of two results of one function.

    Args:
        here: dataclass of arrays, by the CPU's engine.
        there: the same on the device.
        tolerance: of numbers, as in `compared`.
        moved: of whole numbers.
    """
    rows, alike = [], _alike(here, there)
    for field in fields(here):
        a, b = (_array(getattr(result, field.name)) for result in (here, there))
        if isinstance(a, np.ndarray) and a.size:
            if field.name == "theta" and alike is not None:
                a, b = a[alike], b[alike]
            whole = np.issubdtype(a.dtype, np.integer)
            rows.append(compared(field.name, a, b, tolerance=moved if whole else tolerance))
    return rows


def _array(value):
    """A tensor as an array; everything else as it is."""
    return value.detach().cpu().numpy() if hasattr(value, "detach") else value


def _alike(here, there):
    """Replicas that stopped at the same step, so that their last states can be compared."""
    ends = [getattr(result, "last_step", None) for result in (here, there)]
    return None if ends[0] is None else ends[0] == ends[1]


def random_numbers(place: Place) -> Iterator[dict]:
    """Philox on the device gives the words of NumPy's, to the bit."""
    import torch

    from sgdescape.core.random import philox

    count = place.sized(1_000_000, 1000)
    at = {"draw": 1, "stream": philox.Stream.NOISE}
    for seed in (0, 2**63 + 5):
        here = philox.words(seed, step=7, replica=np.arange(count), **at)
        index = torch.arange(count, device=place.device)
        there = philox.torch_words(seed, step=7, replica=index, device=place.device, **at)
        row = compared(f"words, seed {seed}", here.astype(np.int64), there.cpu(), tolerance=0.0)
        yield {"function": "torch_words", "engine": "torch", "dtype": "int64"} | row


def regression(place: Place) -> Iterator[dict]:
    """First passages and stationary averages of linear regression, all samplers."""
    from sgdescape.core.ensembles import regression as ensembles

    steps, count = place.sized(200, 4), place.sized(128, 5)
    problem = ensembles.gaussian_data(place.sized(10_000, 60), place.sized(10, 2), seed=3)
    common = {"learning_rate": 0.05, "batch_size": place.sized(10, 3), "seed": 2**33 + 5}
    passage = {"thresholds": [1.02, 1.05, 1.5], "max_steps": steps}
    average = {"steps": steps, "burn_in": 0, "keep_every": max(1, steps // 4)}
    cases = [
        (ensembles.first_passage, passage | {"sampler": name}, ("float64", "float32"))
        for name in ensembles.SAMPLERS
    ]
    cases.append((ensembles.stationary, average, ("float64", "float32")))
    moving = {"momentum": 0.7, "weight_decay": 0.01}
    cases.append((ensembles.first_passage, passage | moving, ("float64", "float32")))
    yield from _ensembles(place, problem, cases, common | {"replicas": range(3, 3 + count)})


def phase_space(place: Place) -> Iterator[dict]:
    """States and averages of SGD with momentum and weight decay."""
    from sgdescape.core.ensembles import phase_space as phases
    from sgdescape.core.ensembles import regression as ensembles

    steps, count = place.sized(200, 4), place.sized(128, 5)
    problem = ensembles.gaussian_data(place.sized(10_000, 60), place.sized(10, 2), seed=3)
    common = {"learning_rate": 0.05, "batch_size": place.sized(10, 3), "seed": 11}
    common |= {"momentum": 0.9, "weight_decay": 0.01, "replicas": range(count)}
    cases = [
        (phases.states, {"record_steps": [0, 1, steps // 2, steps]}, ("float64", "float32")),
        (phases.averages, {"steps": steps, "burn_in": 0}, ("float64", "float32")),
    ]
    yield from _ensembles(place, problem, cases, common)


def _ensembles(place, problem, cases, common):
    for function, own, precisions in cases:
        for dtype in precisions:
            options = common | own | {"dtype": dtype}
            here = function(problem, engine="torch", device="cpu", **options)
            for engine in place.engines:
                there = function(problem, engine=engine, device=place.device, **options)
                found = records(here, there, tolerance=TOLERANCE[dtype], moved=MOVED[dtype])
                yield from (_named(r, function, engine, dtype, own.get("sampler")) for r in found)


def _named(row, function, engine, dtype, detail=None):
    named = {"function": function.__name__, "engine": engine, "dtype": dtype}
    return named | ({"case": detail} if detail else {}) | row


def sde(place: Place) -> Iterator[dict]:
    """First passages and averages of the SDEs in a bowl, all processes."""
    from sgdescape.core.sde import bowl as bowls

    steps, count = place.sized(300, 6), place.sized(256, 5)
    d = place.sized(10, 2)
    bowl = bowls.Bowl(tuple(np.linspace(1, 0.5, d)), 0.5, 0.1, 1)
    for process in ("decoupled", "time_changed", "gld"):
        common = {"process": process, "dt": 0.05, "replicas": range(count), "seed": 2**63 + 3}
        common |= {"diffusion": 0.05} if process == "gld" else {}
        cases = (
            (bowls.first_passage, {"thresholds": [1.05, 2.0, 4.0], "max_time": 0.05 * steps}),
            (bowls.stationary, {"steps": steps, "burn_in": 1, "keep_every": max(1, steps // 4)}),
        )
        for function, own in cases:
            for dtype in ("float64", "float32"):
                options = common | own | {"dtype": dtype}
                here = function(bowl, engine="reference", device="cpu", **options)
                for engine in place.engines:
                    name = "reference" if engine == "torch" else engine
                    there = function(bowl, engine=name, device=place.device, **options)
                    found = _sde_rows(here, there, dtype)
                    yield from (_named(r, function, name, dtype, process) for r in found)


def _sde_rows(here, there, dtype):
    """Of passages the steps in which they fall, for their times are numbers between the steps."""
    if not hasattr(here, "times"):
        return records(here, there, tolerance=TOLERANCE[dtype], moved=MOVED[dtype])
    a, b = (np.nan_to_num(result.times, nan=-1.0) for result in (here, there))
    kept = np.abs(a - b) <= TIMES[dtype]
    row = compared("passages", np.ones_like(kept), kept, tolerance=MOVED[dtype])
    return [row, compared("times", a[kept], b[kept], tolerance=TIMES[dtype])]


def network_ensembles(place: Place) -> Iterator[dict]:
    """Many runs of one small network, its full loss at every step."""
    from sgdescape.core.data import image_sets
    from sgdescape.core.ensembles import network
    from sgdescape.core.networks import models

    images = image_sets.load("mnist", n=place.sized(1000, 50))
    model = models.mlp((784, place.sized(10, 2), 1), seed=0)
    options = {"learning_rate": 0.05, "batch_size": 10, "max_steps": place.sized(100, 3)}
    options |= {"replicas": range(place.sized(200, 2)), "seed": 0, "record_every": 1}
    for dtype in ("float64", "float32"):
        problem = network.problem(model, images.inputs, images.targets, dtype=dtype)
        here = network.run(problem, engine="torch", device="cpu", **options)
        there = network.run(problem, engine=place.plain, device=place.device, **options)
        found = records(here, there, tolerance=NETWORK[dtype], moved=MOVED[dtype])
        found.append(compared("theta", here.theta, there.theta, tolerance=NETWORK[dtype]))
        yield from (_named(row, network.run, place.plain, dtype) for row in found)


def training(place: Place) -> Iterator[dict]:
    """Training by autograd, its recorder, and one batch of a ResNet-18, in both precisions."""
    import torch

    for dtype in ("float64", "float32"):
        devices = "cpu", place.device
        here, there = (_trained(device, place, getattr(torch, dtype)) for device in devices)
        for name in here:
            row = compared(name, here[name], there[name], tolerance=NETWORK[dtype])
            yield {"function": "training", "engine": "autograd", "dtype": dtype} | row


def _trained(device, place, dtype):
    """Losses, projections, gradient, curvature and eigenvalues of seeded networks on a device."""
    import torch

    from sgdescape.core.data import image_sets
    from sgdescape.core.networks import models, resnet
    from sgdescape.core.spectra import products
    from sgdescape.core.training import recorder, sgd

    data = image_sets.load("fashion_mnist", n=128, task="one_hot", dtype=dtype, device=device)
    model = models.mlp((784, 20, 10), seed=0, device=device).to(dtype)
    record = recorder.Recorder(model, directions=_directions(model), references=(0,))
    config = sgd.Config(
        learning_rate=0.05, batch_size=16, steps=place.sized(100, 3), momentum=0.9, seed=1
    )
    result = sgd.train(model, data.inputs, data.targets, config, record=record)
    path = record.path()
    loss = {"loss": sgd.cross_entropy}
    size = sum(p.numel() for p in model.parameters())
    product = products.hessian_product(model, data.inputs, data.targets, **loss)
    top = products.lanczos(product, size, k=2, max_iter=place.sized(40, 4), device=device)
    net = resnet.resnet18(seed=0, width=place.sized(16, 2), in_channels=1, device=device).to(dtype)
    images, count = data.inputs.reshape(-1, 1, 28, 28), place.sized(32, 8)
    net.train()
    sgd.cross_entropy(net(images[:count]), data.targets[:count]).mean().backward()
    gradient = torch.cat([p.grad.flatten() for p in net.parameters()])
    vector = _directions(net)[:, 0].to(device, dtype)
    curved = products.hessian_product(
        copy.deepcopy(net), images[:count], data.targets[:count], batch_norm="train", **loss
    )(vector)
    return {
        "losses of training": result.batch_losses,
        "positions": path.positions,
        "moves": path.moves[1:],
        "leading eigenvalue": top.eigenvalues[:1].cpu().numpy(),
        "gradient of a ResNet-18": gradient.cpu().numpy(),
        "product with its Hessian": curved.detach().cpu().numpy(),
    }


def _directions(model):
    import torch

    size = sum(p.numel() for p in model.parameters())
    generator = torch.Generator().manual_seed(2)
    return torch.randn(size, 3, dtype=torch.float64, generator=generator) / size**0.5


CHECKS: dict[str, Callable[[Place], Iterator[dict]]] = {
    "random numbers": random_numbers,
    "regression": regression,
    "phase space": phase_space,
    "SDE": sde,
    "network ensembles": network_ensembles,
    "training": training,
}

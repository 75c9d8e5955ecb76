"""Rates of the engines on a device beside what the device can do: a part of ``tools/gpu.py``.

The device's own rates are those of plain torch kernels on it. A bound is the rate at which an
ensemble could go if it did nothing but draw its random numbers, or nothing but move its data: an
engine that keeps numbers in registers may pass the first, whose torch kernel writes them to memory.
"""

import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial

from gpu_checks import Place

D, SAMPLES, BATCH = 10, 10_000, 10
"""The workload of ``benchmarks/linear_regression.py`` and ``momentum.py``."""
ROW = 16
"""Numbers of a padded sample (x, residual): what a replica gathers for one index."""
SLOW = 5.0
"""Seconds of a first call after which one more is enough."""


def timed(run: Callable[[], object], device: str, *, repeats: int) -> float:
    """Return the seconds of one call, the median; the first call, which compiles, is left out."""
    begin = time.perf_counter()
    run()
    slow = time.perf_counter() - begin > SLOW
    seconds = []
    for _ in range(1 if slow else repeats):
        _wait(device)
        begin = time.perf_counter()
        run()
        _wait(device)
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds)


def _wait(device):
    if device != "cpu":
        import torch

        torch.cuda.synchronize(device)


def bounded(rate: float, limits: dict, *, words: float = 0, gathered: float = 0, copied: float = 0):
    """Return a rate beside its bounds.

    Args:
        rate: steps a second.
        limits: of `limits`.
        words: random numbers a step.
        gathered: bytes a step that are gathered from a table that fits a cache.
        copied: bytes a step that are read or written in order.

    Returns:
        ``rate``, ``bounds`` (steps a second, by name) and ``share`` of the smallest bound.

    Example:
        >>> found = bounded(1e6, {"random_numbers": 1e8}, words=10)
        >>> found["bounds"], found["share"]
        ({'random_numbers': 10000000.0}, 0.1)
    """
    needs = {"random_numbers": words, "gathered_bytes": gathered, "copied_bytes": copied}
    bounds = {name: limits[name] / need for name, need in needs.items() if need and name in limits}
    share = rate / min(bounds.values()) if bounds else None
    return {"rate": rate, "bounds": bounds, "share": share}


def limits(place: Place) -> dict:
    """Return what plain torch kernels reach on the device, each per second.

    Returns:
        ``random_numbers`` (uniform float32, torch's own Philox), ``copied_bytes`` (read and
        written), ``gathered_bytes`` (rows of a table that fits a cache, summed) and
        ``operations`` of a float32 matrix product.
    """
    import torch

    device, repeats = place.device, place.sized(10, 1)
    best = {}
    for size in [2**22, 2**25, 2**28] if not place.tiny else [2**12]:
        numbers = torch.empty(size, device=device)
        seconds = timed(numbers.uniform_, device, repeats=repeats)
        best["random_numbers"] = max(best.get("random_numbers", 0), size / seconds)
    source, target = torch.ones_like(numbers), numbers
    seconds = timed(lambda: target.copy_(source), device, repeats=repeats)
    best["copied_bytes"] = 2 * source.nbytes / seconds
    count = place.sized(2**22, 2**8)
    table = torch.ones(SAMPLES, ROW, device=device)
    index = torch.randint(0, SAMPLES, (count, BATCH), device=device)
    seconds = timed(
        lambda: torch.nn.functional.embedding_bag(index, table, mode="sum"), device, repeats=repeats
    )
    best["gathered_bytes"] = index.numel() * ROW * table.itemsize / seconds
    n = place.sized(8192, 64)
    a = torch.randn(n, n, device=device)
    best["operations"] = 2 * n**3 / timed(lambda: a @ a, device, repeats=repeats)
    return best


def regression(place: Place, found: dict) -> Iterator[dict]:
    """Replica-steps a second of linear regression, plain and with momentum."""
    from sgdescape.core.ensembles import phase_space
    from sgdescape.core.ensembles import regression as ensembles

    problem = ensembles.gaussian_data(place.sized(SAMPLES, 60), place.sized(D, 2), seed=0)
    steps, count = place.sized(2000, 3), place.sized(2**17, 4)
    common = {"learning_rate": 0.1, "batch_size": BATCH, "seed": 1}
    passage = {"thresholds": [1e30], "max_steps": steps}
    average = {"steps": steps, "burn_in": 0}
    moving = {"momentum": 0.9, "weight_decay": 1e-3}
    both, fast = place.engines, place.engines[:1]
    cases = [
        ("first passage", ensembles.first_passage, passage, "float32", both),
        ("first passage", ensembles.first_passage, passage, "float64", both),
        ("averages", ensembles.stationary, average, "float32", both),
        ("first passage, momentum", ensembles.first_passage, passage | moving, "float32", both),
        ("phase-space averages", phase_space.averages, average | moving, "float32", both),
    ]
    for name in ensembles.SAMPLERS[1:]:
        own = passage | {"sampler": name}
        cases.append((f"first passage, {name}", ensembles.first_passage, own, "float32", fast))
    for case, function, own, dtype, engines in cases:
        for engine in engines:
            work = (count, steps) if engine == "triton" else _less(place, count, steps)
            options = _resized(common | own, work) | {"engine": engine, "dtype": dtype}
            row = _row(place, found, case, function, problem, options, work)
            yield row | {"samples": len(problem.inputs), "batch_size": BATCH}


def _less(place, count, steps):
    """The reference needs a launch for each operation: fewer steps tell its rate as well."""
    return count, place.sized(50, steps)


def _resized(options, work):
    count, steps = work
    sizes = {"max_steps", "steps"} & set(options)
    return options | dict.fromkeys(sizes, steps) | {"replicas": range(count)}


def _row(place, found, case, function, problem, options, work):
    count, steps = work
    run = partial(function, problem, device=place.device, **options)
    seconds = timed(run, place.device, repeats=place.sized(3, 1))
    itemsize = 8 if options["dtype"] == "float64" else 4
    needs = {"words": BATCH, "gathered": BATCH * ROW * itemsize}
    named = {"case": case, "engine": options["engine"], "dtype": options["dtype"]}
    named |= {"unit": "replica-steps per second", "replicas": count, "steps": steps}
    return named | bounded(count * steps / seconds, found, **needs)


def sde(place: Place, found: dict) -> Iterator[dict]:
    """Path-steps a second of the SDEs in a bowl, ten dimensions, loss in every step."""
    from sgdescape.core.sde import bowl as bowls

    bowl = bowls.Bowl((1.0,) * D, 0.5, 0.1, 2)
    cases = ("decoupled", "float32"), ("decoupled", "float64"), ("time_changed", "float32")
    for process, dtype in cases:
        for name in place.engines:
            engine = "reference" if name == "torch" else name
            count, steps = place.sized(2**17, 4), place.sized(2000, 3)
            if engine == "reference":
                count, steps = _less(place, count, steps)
            options = {"process": process, "dt": 0.1, "steps": steps, "burn_in": 0, "seed": 1}
            options |= {"replicas": range(count), "dtype": dtype, "engine": engine}
            run = partial(bowls.stationary, bowl, device=place.device, **options)
            seconds = timed(run, place.device, repeats=place.sized(3, 1))
            named = {"case": f"SDE, {process}", "engine": engine, "dtype": dtype}
            named |= {"unit": "path-steps per second", "replicas": count, "steps": steps}
            yield named | bounded(count * steps / seconds, found, words=D)


def network_ensembles(place: Place, found: dict) -> Iterator[dict]:
    """Replica-steps a second of 784-10-1 networks, the full loss at every step."""
    import torch

    from sgdescape.core.ensembles import network
    from sgdescape.core.networks import models

    model = models.mlp((784, 10, 1), seed=0)
    generator = torch.Generator().manual_seed(0)
    for n, size in ((1000, 100), (1000, 10), (10_000, 10)):
        n, size = place.sized(n, 20), place.sized(size, 5)
        inputs = torch.rand(n, 784, generator=generator)
        targets = torch.where(torch.rand(n, generator=generator) < 0.5, -1.0, 1.0)
        problem = network.problem(model, inputs, targets)
        steps, count = place.sized(100, 2), place.sized(1024, 2)
        options = {"learning_rate": 0.01, "batch_size": size, "max_steps": steps, "seed": 0}
        options |= {"replicas": range(count), "record_every": 1, "engine": place.plain}
        run = partial(network.run, problem, device=place.device, **options)
        seconds = timed(run, place.device, repeats=place.sized(3, 1))
        named = {"case": "network 784-10-1", "engine": place.plain, "dtype": "float32"}
        named |= {"unit": "replica-steps per second", "images": n, "batch_size": size}
        needs = {"words": size, "gathered": 4 * size * n}  # rows of the Gram matrix
        yield named | bounded(count * steps / seconds, found, **needs)


def residual_network(place: Place, found: dict) -> Iterator[dict]:
    """Steps a second of a ResNet-18, and what recording projections adds to them."""
    for width, size in ((8, 64), (64, 32), (64, 256)) if not place.tiny else ((1, 4),):
        block = place.sized(20, 2)
        steps, parameters, operations = _stepping(place, width, size, block)
        plain, both = (
            timed(partial(steps, recorded), place.device, repeats=place.sized(3, 1)) / block
            for recorded in (False, True)
        )
        bound = found["operations"] / operations
        yield {
            "case": f"ResNet-18, {width} channels",
            "engine": "autograd",
            "dtype": "float32",
            "unit": "steps per second",
            "batch_size": size,
            "parameters": parameters,
            "rate": 1 / plain,
            "bounds": {"operations": bound},
            "share": 1 / plain / bound,
            "recorder_cost": both / plain - 1,
        }


def _stepping(place, width, size, block):
    """Return what makes a block of steps, recorded or not; parameters; operations a step."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from sgdescape.core.networks import resnet
    from sgdescape.core.training import recorder, sgd, updates

    device = place.device
    model = resnet.resnet18(seed=0, width=width, in_channels=1, device=device)
    inputs = torch.randn(size, 1, 28, 28, device=device)
    targets = torch.eye(10, device=device)[torch.arange(size, device=device) % 10]
    buffers = [torch.zeros_like(p) for p in model.parameters()]
    options = {"learning_rate": 1e-4, "momentum": 0.9, "weight_decay": 1e-4}
    update = updates.autograd_update(model, buffers, loss=sgd.cross_entropy, **options)
    parameters = sum(p.numel() for p in model.parameters())
    directions = torch.randn(parameters, place.sized(30, 2), dtype=torch.float64, device=device)
    record = recorder.Recorder(model, directions=directions, block=block)
    with FlopCounterMode(display=False) as counter:
        update(inputs, targets)
    numbers = itertools.count()

    def steps(recorded):
        for _ in range(block):
            update(inputs, targets)
            if recorded:
                record(next(numbers))

    return steps, parameters, counter.get_total_flops()


RATES: dict[str, Callable[[Place, dict], Iterator[dict]]] = {
    "regression": regression,
    "SDE": sde,
    "network ensembles": network_ensembles,
    "ResNet-18": residual_network,
}

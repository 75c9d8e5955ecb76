"""Streaming projections: against the path itself, kept whole and measured in double precision."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from sgdescape.core.training import recorder as projections
from sgdescape.core.training import sgd

F64 = torch.float64
NORM = nn.BatchNorm1d(4, eps=1e-30)  # with the usual 1e-5 it is scale invariant to about 1e-5


def normal(*shape, seed=0, dtype=F64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=F64).to(dtype)


def network(dtype):
    model = nn.Sequential(nn.Linear(5, 4), copy.deepcopy(NORM), nn.Tanh(), nn.Linear(4, 2)).to(
        dtype
    )
    with torch.no_grad():
        for index, p in enumerate(model.parameters()):
            p.copy_(normal(*p.shape, seed=index))
    return model


def flat(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


SETTINGS = {"learning_rate": 0.02, "momentum": 0.8, "weight_decay": 0.01}


def run(dtype=torch.float32, *, steps=23, sampler="iid", settings=SETTINGS, **options):
    model = network(dtype)
    rows, gradients = [flat(model).double()], []
    recorder = projections.Recorder(model, **options)
    x, y = normal(40, 5, seed=9, dtype=dtype), normal(40, 2, seed=8, dtype=dtype)
    config = sgd.Config(batch_size=8, steps=steps, sampler=sampler, seed=3, **settings)
    keep = sgd.batches(40, 8, sampler=sampler, seed=3)
    parameters = list(model.parameters())

    def record(step):
        if step:
            rows.append(flat(model).double())
        recorder(step)
        index = next(keep)
        loss = sgd.square_loss(model(x[index]), y[index]).mean()
        gradients.append(torch.cat([g.flatten() for g in torch.autograd.grad(loss, parameters)]))

    sgd.train(model, x, y, config, record=record)
    return torch.stack(rows), torch.stack(gradients).double(), recorder.path(), model


def by_tensor(model, values):
    sizes = [p.numel() for p in model.parameters()]
    return torch.stack([part.sum(1) for part in values.split(sizes, dim=1)], 1)


@pytest.mark.parametrize("dtype", [torch.float32, F64])
@pytest.mark.parametrize("sampler", ["iid", "shuffle"])
@pytest.mark.parametrize("block", [1, 4, None])
def test_everything_is_that_of_the_path_kept_whole(dtype, sampler, block):
    size = flat(network(F64)).numel()
    q, point = normal(size, 3, seed=5), normal(size, seed=6, dtype=dtype)
    rows, _, path, model = run(
        dtype, sampler=sampler, directions=q, references=(0, point, 7), block=block
    )
    moves = rows.diff(dim=0)
    references = torch.stack([rows[0], point.double(), rows[7]])
    away = rows[:, None] - references  # (m, references, P)
    known = torch.ones(24, 3, dtype=bool)
    known[:7, 2] = False

    def compare(mine, exact, where=None):
        where = np.ones(mine.shape[:1], bool) if where is None else where
        np.testing.assert_allclose(mine[where], exact[where], rtol=1e-10, atol=1e-13)
        assert np.isnan(mine[~np.asarray(where)]).all()

    first = np.arange(24) > 0
    late = [torch.cat([torch.zeros_like(m[:1]), m]) for m in (moves @ q, moves**2)]
    assert path.steps.tolist() == list(range(24))
    compare(path.positions, (away @ q).numpy(), known.numpy())
    compare(path.square_distance, away.square().sum(2).numpy(), known.numpy())
    compare(path.moves, late[0].numpy(), first)
    compare(path.square_move, by_tensor(model, late[1]).numpy(), first)
    compare(path.square_norm, by_tensor(model, rows**2).numpy())
    late = torch.cat([torch.zeros_like(rows[:1]), moves])
    compare(path.position_move, by_tensor(model, rows * late).numpy(), first)
    assert path.tensors == tuple(name for name, _ in model.named_parameters())


def test_displacements_keep_what_single_precision_sums_lose():
    model = nn.Linear(1, 1, bias=False)
    record = projections.Recorder(model, directions=torch.ones(1, 1), block=3)
    step = 2.0**-20
    with torch.no_grad():
        model.weight.fill_(8.0)
        for k in range(11):
            record(k)
            model.weight += step
    path = record.path()
    assert path.positions[:, 0, 0].tolist() == [k * step for k in range(11)]
    assert path.square_distance[-1, 0] == (10 * step) ** 2
    # The difference of squared norms in single precision would be 0 or 2^-17.
    assert path.position_move[1, 0] == (8 + step) * step


def test_recording_goes_on_over_several_calls_of_train():
    def segments(stops):
        model = network(torch.float32)
        record = projections.Recorder(model, directions=normal(42, 2), references=(0, 5), block=4)
        x, y, state = normal(40, 5, dtype=torch.float32), normal(40, 2, dtype=torch.float32), None
        for stop in stops:
            config = sgd.Config(batch_size=8, steps=stop, sampler="shuffle", **SETTINGS)
            state = sgd.train(model, x, y, config, record=record, state=state).state
            record.path()  # looking in between changes nothing
        return record.path()

    one, three = segments([17]), segments([3, 9, 17])
    for name in ("steps", "positions", "moves", "square_distance", "square_move", "position_move"):
        np.testing.assert_allclose(
            getattr(three, name), getattr(one, name), rtol=1e-12, atol=1e-15, equal_nan=True
        )


def test_recording_does_not_change_the_path():
    with_record = run(steps=9)[3]
    model = network(torch.float32)
    x, y = normal(40, 5, seed=9, dtype=torch.float32), normal(40, 2, seed=8, dtype=torch.float32)
    sgd.train(model, x, y, sgd.Config(batch_size=8, steps=9, sampler="iid", seed=3, **SETTINGS))
    assert torch.equal(flat(model), flat(with_record))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_path_on_a_gpu_is_measured_as_on_the_cpu():
    paths = []
    for device in ("cpu", "cuda"):
        model = network(torch.float32).to(device)
        record = projections.Recorder(model, directions=normal(42, 3), references=(0, 2), block=4)
        for step in range(7):
            with torch.no_grad():
                for index, p in enumerate(model.parameters()):
                    p.copy_(normal(*p.shape, seed=100 * step + index))
            record(step)
        paths.append(record.path())
    for name in ("positions", "moves", "square_distance", "square_move", "position_move"):
        mine, other = (getattr(path, name) for path in paths)
        np.testing.assert_allclose(mine, other, rtol=1e-11, atol=1e-13, equal_nan=True)


def test_equipartition_of_a_noisy_parabola():
    """E δ² / Var θ = 2 η h / (1 + β) for iid noise, exactly."""
    model = nn.Linear(1, 1, bias=False, dtype=F64)
    nn.init.zeros_(model.weight)
    h, beta, eta, steps = 0.5, 0.6, 0.1, 20_000
    noise, buffer = normal(steps, 1, 1, seed=1), torch.zeros(1, 1, dtype=F64)
    record = projections.Recorder(model, directions=torch.ones(1, 1))
    record(0)
    for k in range(steps):
        buffer = beta * buffer + h * model.weight.data + noise[k]
        model.weight.data -= eta * buffer
        record(k + 1)
    path = record.path()
    square = path.square_move[1000:, 0].mean()
    variance = (path.positions[1000:, 0, 0] ** 2).mean()
    assert square / variance == pytest.approx(2 * eta * h / (1 + beta), rel=0.1)


def test_refuses_bad_arguments():
    model = network(torch.float32)
    for options, message in (
        ({"directions": torch.ones(3, 2)}, r"directions must have shape \(42, r\): got \(3, 2\)"),
        ({"references": (torch.ones(3),)}, r"references must have shape \(42,\): got \(3,\)"),
        ({"references": (-1,)}, "references must be at least 0: got -1"),
        ({"block": 0}, "block must be at least 1: got 0"),
    ):
        with pytest.raises(ValueError, match=message):
            projections.Recorder(model, **options)
    with pytest.raises(TypeError, match="references must be an integer: got 'start'"):
        projections.Recorder(model, references=("start",))
    with pytest.raises(ValueError, match="all of one dtype"):
        projections.Recorder(nn.ReLU())
    record = projections.Recorder(model)
    with pytest.raises(ValueError, match="at least 1 recorded step"):
        record.path()
    record(0)
    with pytest.raises(ValueError, match="step must be 1, the next: got 2"):
        record(2)

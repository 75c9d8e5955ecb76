"""`core.training.sgd` against loops written by hand, `torch.optim.SGD` and exact sampling
statistics."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from sgdescape.core.networks import models
from sgdescape.core.training import sgd, updates


def regression(n=40, d=3, outputs=1, seed=0, dtype=torch.float64):
    rng = np.random.default_rng(seed)
    x = torch.tensor(rng.standard_normal((n, d)), dtype=dtype)
    y = torch.tensor(rng.standard_normal((n, outputs)), dtype=dtype)
    return x, y


def flat(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def small_cnn(dtype=torch.float64):
    return models.cnn(1, stacks=((3, 1),), outputs=3, image_size=6, seed=1, dtype=dtype)


# losses ------------------------------------------------------------------------------------------


def test_square_loss_has_the_half_and_is_not_mse():
    f, y = torch.tensor([[1.0, 2.0], [0.0, 5.0]]), torch.tensor([[0.0, 0.0], [0.0, 1.0]])
    assert sgd.square_loss(f, y).tolist() == [2.5, 8.0]
    one = f[:, :1]
    mse = nn.functional.mse_loss(one, y[:, :1])
    assert sgd.square_loss(one, y[:, :1]).mean() == mse / 2 != mse


def test_square_loss_does_not_broadcast_a_column_against_a_row():
    f, y = torch.arange(3.0)[:, None], torch.arange(3.0)
    assert sgd.square_loss(f, y).tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match=r"\(3, 1\).*got \(9,\)"):
        sgd.square_loss(f, torch.zeros(9))
    with pytest.raises(ValueError, match=r"\(2, 3\).*got \(3, 2\)"):
        sgd.square_loss(torch.zeros(2, 3), torch.zeros(3, 2))


def test_cross_entropy_exact_and_stable():
    f = torch.tensor([[0.0, math.log(3.0)], [1000.0, 0.0]], dtype=torch.float64)
    y = torch.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=torch.float64)
    assert torch.allclose(sgd.cross_entropy(f, y), torch.tensor([math.log(4 / 3), 0.0]).double())
    assert torch.allclose(
        sgd.cross_entropy(f, y), nn.functional.cross_entropy(f, y.argmax(1), reduction="none")
    )
    with pytest.raises(ValueError, match="at least 2 outputs: got 1"):
        sgd.cross_entropy(f[:, :1], y[:, :1])


# the update --------------------------------------------------------------------------------------


@pytest.mark.parametrize("sampler", sgd.SAMPLERS)
def test_linear_regression_equals_a_numpy_loop(sampler):
    x, y = regression(n=23)
    model = models.mlp((3, 1), seed=0, dtype=torch.float64)
    w, b = model[0].weight.detach().numpy()[0].copy(), 0.0
    config = sgd.Config(learning_rate=0.05, batch_size=5, steps=200, sampler=sampler, seed=3)
    result = sgd.train(model, x, y, config)
    stream = sgd.batches(23, 5, sampler=sampler, seed=3)
    losses = []
    for index in itertools.islice(stream, 200):
        xb, yb = x[index].numpy(), y[index].numpy()[:, 0]
        residual = xb @ w + b - yb
        losses.append(np.sum(residual**2) / (2 * 5))
        w = w - 0.05 * xb.T @ residual / 5
        b = b - 0.05 * residual.sum() / 5
    np.testing.assert_allclose(model[0].weight.detach()[0], w, rtol=0, atol=1e-13)
    np.testing.assert_allclose(model[0].bias.detach()[0], b, rtol=0, atol=1e-13)
    np.testing.assert_allclose(result.batch_losses, losses, rtol=1e-12)


def test_mse_loss_would_move_twice_as_far():
    x, y = regression()
    config = sgd.Config(learning_rate=0.01, batch_size=40, steps=1)
    ours, mse = (models.mlp((3, 1), seed=0, dtype=torch.float64) for _ in range(2))
    start = flat(ours)
    sgd.train(ours, x, y, config)
    optimiser = torch.optim.SGD(mse.parameters(), lr=0.01)
    nn.functional.mse_loss(mse(x), y).backward()
    optimiser.step()
    assert torch.allclose(2 * (flat(ours) - start), flat(mse) - start, atol=1e-15)


@pytest.mark.parametrize(
    "momentum, weight_decay", [(0.0, 0.0), (0.9, 0.0), (0.9, 0.02), (0.0, 0.1)]
)
@pytest.mark.parametrize("make", [lambda: models.mlp((36, 7, 5, 3), seed=1), small_cnn])
@pytest.mark.parametrize("loss", sgd.LOSSES.values(), ids=sgd.LOSSES)
def test_equals_torch_optim_sgd(make, momentum, weight_decay, loss):
    ours, theirs = make().double(), make().double()
    x, _ = regression(n=30, d=36)
    if isinstance(ours[0], nn.Conv2d):
        x = x.reshape(30, 1, 6, 6)
    y = nn.functional.one_hot(torch.arange(30) % 3, 3).double()
    config = sgd.Config(
        learning_rate=0.1, batch_size=7, steps=60, momentum=momentum, weight_decay=weight_decay
    )
    result = sgd.train(ours, x, y, config, loss=loss)
    optimiser = torch.optim.SGD(
        theirs.parameters(), lr=0.1, momentum=momentum, weight_decay=weight_decay
    )
    losses = []
    for index in itertools.islice(sgd.batches(30, 7, sampler="shuffle", seed=0), 60):
        optimiser.zero_grad()
        batch_loss = loss(theirs(x[index]), y[index]).mean()
        batch_loss.backward()
        optimiser.step()
        losses.append(batch_loss.item())
    assert losses[-1] != losses[0]
    np.testing.assert_allclose(result.batch_losses, losses, rtol=1e-10)
    torch.testing.assert_close(flat(ours), flat(theirs), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    "momentum, weight_decay", [(0.0, 0.0), (0.9, 0.0), (0.9, 0.02), (0.0, 0.1)]
)
@pytest.mark.parametrize("dtype, atol", [(torch.float64, 1e-13), (torch.float32, 1e-5)])
@pytest.mark.parametrize("widths", [(6, 3), (6, 8, 3), (6, 8, 5, 4, 3)])
def test_dense_update_equals_autograd(widths, dtype, atol, momentum, weight_decay):
    x, y = regression(n=12, d=6, outputs=3, dtype=dtype)
    settings_ = dict(
        loss=sgd.square_loss, learning_rate=0.1, momentum=momentum, weight_decay=weight_decay
    )
    finals = []
    for rule in (updates.autograd_update, updates.dense_update):
        model = models.mlp(widths, seed=2, dtype=dtype)
        buffers = [torch.zeros_like(p) for p in model.parameters()] if momentum else []
        update = rule(model, buffers, **settings_)
        losses = [update(x, y).item() for _ in range(20)]
        finals.append((flat(model), torch.tensor(losses, dtype=dtype)))
    torch.testing.assert_close(finals[0], finals[1], rtol=0, atol=atol)


def test_dense_update_is_chosen_by_structure():
    assert updates.is_dense(models.mlp((4, 3, 2), seed=0))
    assert not updates.is_dense(small_cnn())
    assert not updates.is_dense(nn.Linear(2, 1))
    assert not updates.is_dense(nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1)))
    assert not updates.is_dense(nn.Sequential(nn.Linear(2, 2), nn.ReLU()))
    assert not updates.is_dense(nn.Sequential(nn.Linear(2, 1, bias=False)))
    shared = nn.Linear(2, 2)
    assert not updates.is_dense(nn.Sequential(shared, nn.ReLU(), shared))
    frozen = models.mlp((4, 3, 2), seed=0)
    frozen[0].weight.requires_grad_(False)
    assert not updates.is_dense(frozen)


@pytest.mark.parametrize("make", [lambda: models.mlp((36, 5, 3), seed=1), small_cnn])
@pytest.mark.parametrize("sampler", ["without_replacement", "shuffle"])
def test_full_batch_is_gradient_descent_to_the_last_bit(make, sampler):
    x, y = regression(n=11, d=36, outputs=3)
    one, two, other_seed = make().double(), make().double(), make().double()
    if isinstance(one[0], nn.Conv2d):
        x = x.reshape(11, 1, 6, 6)
    config = dict(learning_rate=0.1, batch_size=11, steps=30, sampler=sampler)
    sgd.train(one, x, y, sgd.Config(**config, seed=0))
    sgd.train(other_seed, x, y, sgd.Config(**config, seed=1))
    descend = updates.update_rule(
        two, [], loss=sgd.square_loss, learning_rate=0.1, momentum=0.0, weight_decay=0.0
    )
    for _ in range(30):
        descend(x, y)
    assert torch.equal(flat(one), flat(two))
    assert torch.equal(flat(one), flat(other_seed))


def test_full_batch_with_replacement_is_not_gradient_descent():
    x, y = regression(n=11)
    finals = []
    for seed in (0, 1):
        model = models.mlp((3, 1), seed=0, dtype=torch.float64)
        sgd.train(model, x, y, sgd.Config(0.1, 11, 5, sampler="iid", seed=seed))
        finals.append(flat(model))
    assert not torch.allclose(*finals)


@given(order=st.permutations(range(9)))
@settings(max_examples=20, deadline=None)
def test_order_of_the_data_does_not_matter_at_full_batch(order):
    x, y = regression(n=9)
    finals = []
    for index in (list(range(9)), list(order)):
        model = models.mlp((3, 4, 1), seed=0, dtype=torch.float64)
        sgd.train(model, x[index], y[index], sgd.Config(0.1, 9, 10))
        finals.append(flat(model))
    torch.testing.assert_close(*finals, rtol=0, atol=1e-13)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dtype_is_kept(dtype):
    x, y = regression(dtype=dtype)
    model = models.mlp((3, 4, 1), seed=0, dtype=dtype)
    result = sgd.train(model, x, y, sgd.Config(0.1, 10, 20, momentum=0.5))
    assert (
        {p.dtype for p in model.parameters()} == {b.dtype for b in result.state.buffers} == {dtype}
    )


# samplers ----------------------------------------------------------------------------------------


@given(
    n=st.integers(1, 30),
    share=st.floats(0, 1),
    sampler=st.sampled_from(sgd.SAMPLERS),
    seed=st.integers(0, 2**64 - 1),
)
@settings(max_examples=60, deadline=None)
def test_batches_have_size_range_order_and_no_repeats(n, share, sampler, seed):
    size = 1 + int(share * (n - 1))
    for index in itertools.islice(sgd.batches(n, size, sampler=sampler, seed=seed), 7):
        assert index.shape == (size,) and index.dtype == torch.int64
        assert index.min() >= 0 and index.max() < n
        assert (index.diff() >= (0 if sampler == "iid" else 1)).all()


@pytest.mark.parametrize("n, size", [(12, 4), (13, 4), (5, 5)])
def test_an_epoch_of_shuffle_is_a_permutation_less_the_remainder(n, size):
    stream = sgd.batches(n, size, sampler="shuffle", seed=1)
    left_out = []
    for _ in range(50):
        epoch = torch.cat(list(itertools.islice(stream, n // size))).tolist()
        assert len(set(epoch)) == len(epoch) == n - n % size
        left_out += sorted(set(range(n)) - set(epoch))
    assert len(left_out) == 50 * (n % size)
    assert not left_out or len(set(left_out)) > 1  # not the same ones every epoch


@pytest.mark.parametrize("sampler", sgd.SAMPLERS)
def test_indices_and_pairs_are_uniform(sampler):
    n, size, draws = 7, 3, 30_000
    stream = sgd.batches(n, size, sampler=sampler, seed=5)
    member = np.zeros((draws, n))
    for k, index in enumerate(itertools.islice(stream, draws)):
        np.add.at(member[k], index.numpy(), 1)
    products = np.einsum("ki,kj->kij", member, member)
    if sampler == "iid":  # counts are multinomial
        square, product = size / n + size * (size - 1) / n**2, size * (size - 1) / n**2
    else:  # membership of a random subset
        square, product = size / n, size * (size - 1) / (n * (n - 1))
    expected = np.where(np.eye(n, dtype=bool), square, product)
    # batches of one shuffled epoch are anti-correlated, which only makes the errors smaller
    for sample, mean in ((member, size / n), (products, expected)):
        z = (sample.mean(0) - mean) / (sample.std(0) / math.sqrt(draws))
        assert np.abs(z).max() < 5
    spread = {"iid": True, "without_replacement": False, "shuffle": False}[sampler]
    assert (member.max() > 1) == spread


def test_batches_within_an_epoch_are_disjoint_only_for_shuffle():
    def overlap(sampler):
        stream = sgd.batches(6, 3, sampler=sampler, seed=0)
        pairs = [(next(stream), next(stream)) for _ in range(200)]
        return sum(bool(set(a.tolist()) & set(b.tolist())) for a, b in pairs)

    assert overlap("shuffle") == 0
    assert overlap("without_replacement") > 150


@pytest.mark.parametrize("sampler", sgd.SAMPLERS)
def test_batch_k_depends_on_seed_and_k_alone(sampler):
    def take(seed, start, count):
        stream = sgd.batches(10, 3, sampler=sampler, seed=seed, start=start)
        return torch.stack(list(itertools.islice(stream, count)))

    whole = take(0, 0, 20)
    for start in (1, 3, 7):
        assert torch.equal(take(0, start, 20 - start), whole[start:])
    assert not torch.equal(take(1, 0, 20), whole)
    state = torch.random.get_rng_state()
    take(0, 0, 5)
    assert torch.equal(state, torch.random.get_rng_state())


# the loop ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("stop", [1, 5, 17])
def test_resumed_equals_uninterrupted_to_the_last_bit(momentum, stop):
    x, y = regression(n=20)

    def observe(step, model):
        return {"norm": flat(model).square().sum(), "step": step}

    def config(steps):
        return sgd.Config(0.05, 6, steps, momentum=momentum, weight_decay=0.01, seed=4)

    kw = dict(observe=observe, observe_every=5)
    whole, parts = (models.mlp((3, 5, 1), seed=0, dtype=torch.float64) for _ in range(2))
    one = sgd.train(whole, x, y, config(30), **kw)
    first = sgd.train(parts, x, y, config(stop), **kw)
    second = sgd.train(parts, x, y, config(30), **kw, state=first.state)
    assert torch.equal(flat(whole), flat(parts))
    for name in ("norm", "step"):
        joined = np.concatenate([r.observed[name] for r in (first, second) if r.observed])
        assert np.array_equal(joined, one.observed[name])
    assert np.array_equal(np.r_[first.batch_losses, second.batch_losses], one.batch_losses)
    assert one.observed_steps.tolist() == [0, 5, 10, 15, 20, 25, 30]
    assert second.state.step == 30


def test_observation_defaults_to_once_an_epoch_and_sees_the_current_model():
    x, y = regression(n=25)
    model = models.mlp((3, 1), seed=0, dtype=torch.float64)
    seen = []

    def observe(step, model):
        seen.append(flat(model).clone())
        return {"loss": sgd.square_loss(model(x), y).mean()}

    steps = sgd.steps_of(3, n=25, batch_size=10)
    result = sgd.train(model, x, y, sgd.Config(0.01, 10, steps), observe=observe)
    assert result.observed_steps.tolist() == [0, 2, 4, 6]
    assert torch.equal(seen[-1], flat(model))
    assert (np.diff(result.observed["loss"]) < 0).all()


@pytest.mark.parametrize("make", [lambda: models.mlp((36, 4, 3), seed=0), small_cnn])
def test_divergence_is_reported_with_its_first_step(make):
    x, y = regression(n=20, d=36, outputs=3)
    model = make().double()
    if isinstance(model[0], nn.Conv2d):
        x = x.reshape(20, 1, 6, 6)
    result = sgd.train(model, x, y, sgd.Config(50.0, 20, 5000))
    assert result.diverged_at is not None and 0 < result.diverged_at < 5000
    assert len(result.batch_losses) == result.diverged_at + 1
    assert np.isfinite(result.batch_losses[:-1]).all()
    assert not np.isfinite(result.batch_losses[-1])
    assert result.state.step < 5000


def test_no_divergence_is_none():
    x, y = regression()
    result = sgd.train(models.mlp((3, 1), seed=0).double(), x, y, sgd.Config(0.1, 10, 450))
    assert result.diverged_at is None and len(result.batch_losses) == 450


def test_zero_steps_change_nothing():
    x, y = regression()
    model = models.mlp((3, 1), seed=0).double()
    before = flat(model)
    result = sgd.train(model, x, y, sgd.Config(0.1, 10, 0), observe=lambda k, m: {"one": 1.0})
    assert torch.equal(before, flat(model))
    assert result.observed["one"].tolist() == [1.0] and result.batch_losses.shape == (0,)


def with_nan():
    x, y = regression()
    return torch.where(x == x.max(), torch.nan, x), y


@pytest.mark.parametrize(
    "change, error, message",
    [
        (dict(learning_rate=0.0), ValueError, "learning_rate must be positive.*0.0"),
        (dict(learning_rate=-0.1), ValueError, "learning_rate must be positive.*-0.1"),
        (dict(learning_rate=math.nan), ValueError, "learning_rate.*nan"),
        (dict(learning_rate="fast"), TypeError, "learning_rate.*'fast'"),
        (dict(batch_size=0), ValueError, "batch_size must be at least 1: got 0"),
        (dict(batch_size=2.5), TypeError, "batch_size must be an integer"),
        (dict(batch_size=41), ValueError, r"batch_size must lie in \[1, 40\]: got 41"),
        (dict(steps=-1), ValueError, "steps must be at least 0: got -1"),
        (dict(momentum=1.0), ValueError, r"momentum must be in \[0, 1\): got 1.0"),
        (dict(weight_decay=-1e-3), ValueError, "weight_decay.*-0.001"),
        (dict(sampler="random"), ValueError, "sampler must be one of 'iid'.*'random'"),
        (dict(seed=-1), ValueError, "seed.*-1"),
        (dict(data=with_nan()), ValueError, "inputs must be finite"),
        (dict(data=regression(dtype=torch.float32)), TypeError, "inputs must have dtype torch.fl"),
        (dict(data=(regression()[0], regression(n=39)[1])), ValueError, "as many samples.*40.*39"),
        (
            dict(data=(torch.zeros(0, 3).double(), torch.zeros(0, 1))),
            ValueError,
            "at least 1 sample",
        ),
        (dict(data=(torch.zeros(4, 3).long(), torch.zeros(4))), TypeError, "inputs.*int64"),
        (dict(data=([[1.0]], torch.zeros(1))), TypeError, "inputs.*list"),
        (
            dict(data=(regression()[0], regression(outputs=2)[1])),
            ValueError,
            r"\(10, 1\).*\(10, 2\)",
        ),
        (dict(observe_every=0), ValueError, "observe_every must be at least 1: got 0"),
        (dict(state=sgd.State(200, ())), ValueError, "state.step.*200"),
        (dict(state=sgd.State(2, (torch.zeros(1),))), ValueError, "state must come from the same"),
    ],
)
def test_refusals(change, error, message):
    x, y = change.pop("data", regression())
    call = {k: change.pop(k) for k in ("observe_every", "state") if k in change}
    model = models.mlp((3, 1), seed=0, dtype=torch.float64)
    before = flat(model)
    with pytest.raises(error, match=message):
        config = sgd.Config(**{**dict(learning_rate=0.1, batch_size=10, steps=100), **change})
        sgd.train(model, x, y, config, **call)
    assert torch.equal(before, flat(model))


@pytest.mark.parametrize(
    "arguments, message",
    [
        (dict(n=0), "n must be at least 1"),
        (dict(batch_size=6), r"batch_size must lie in \[1, 5\]: got 6"),
        (dict(sampler="x"), "sampler"),
        (dict(start=-1), "start"),
    ],
)
def test_batches_refuses_at_the_call(arguments, message):
    with pytest.raises(ValueError, match=message):
        sgd.batches(**{**dict(n=5, batch_size=2, sampler="iid", seed=0), **arguments})


def test_seeds_fill_the_64_bits_of_a_key():
    assert sgd.Config(0.1, 2, 3, seed=2**64 - 1).seed == 2**64 - 1
    with pytest.raises(ValueError, match="seed must lie in"):
        sgd.Config(0.1, 2, 3, seed=2**64)

"""Training on a folder of ImageNet's layout: one process or two, interrupted or not."""

import copy
import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from sgdescape.core.networks.resnet import resnet18
from sgdescape.core.training import sgd
from sgdescape.network_limits.imagenet import reader, weights
from sgdescape.network_limits.imagenet import train as training
from sgdescape.network_limits.imagenet.data_parallel import Batches, update_step

from .tiny_imagenet import write

TINY = training.Config(
    epochs=2, batch_size=8, shards=2, learning_rate=0.05, stem="cifar", width=2, size=8
)
OPTIONS = {"device": "cpu", "workers": 0}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write(tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="module")
def whole(root, tmp_path_factory):
    out = tmp_path_factory.mktemp("whole")
    return training.train(TINY, data=root, out=out, record=True, **OPTIONS), out


def saved(out):
    return torch.load(out / training.CHECKPOINT, weights_only=True)


def assert_same(one, other, **tolerance):
    assert one["step"] == other["step"]
    for name, value in one["weights"].items():
        torch.testing.assert_close(value, other["weights"][name], **tolerance)
    for a, b in zip(one["buffers"], other["buffers"], strict=True):
        torch.testing.assert_close(a, b, **tolerance)
    torch.testing.assert_close(one["losses"], other["losses"], **tolerance)
    torch.testing.assert_close(
        torch.tensor(one["evaluations"]), torch.tensor(other["evaluations"]), **tolerance
    )


EXACT = {"rtol": 0, "atol": 0}


def test_checkpoint_holds_the_run(whole, root):
    progress, out = whole
    found = saved(out)
    assert progress.step == found["step"] == 6  # 24 images, batches of 8, two epochs
    assert found["losses"][0].shape == (6,)
    assert [row[0] for row in found["evaluations"]] == [3.0, 6.0]
    assert all(v.dtype in (torch.float32, torch.int64) for v in found["weights"].values())
    assert found["weights"]["bn1.num_batches_tracked"] == 6


@pytest.mark.parametrize("stops", [(1, 4), (3, 5)])
def test_an_interrupted_run_continues_to_the_last_bit(whole, root, tmp_path, stops):
    for stop in (*stops, None):
        training.train(TINY, data=root, out=tmp_path, stop=stop, record=True, **OPTIONS)
    assert_same(saved(tmp_path), saved(whole[1]), **EXACT)


def test_it_learns_what_there_is_to_learn(root, tmp_path):
    config = replace(TINY, epochs=16, batch_size=12, learning_rate=0.02, decay_epochs=(12,))
    progress = training.train(config, data=root, out=tmp_path, **OPTIONS)
    assert progress.evaluations[-1][2] == 1.0
    losses = progress.losses[0]
    assert losses[-4:].mean() < 0.5 * losses[:2].mean()


def test_workers_do_not_change_the_run(whole, root, tmp_path):
    training.train(TINY, data=root, out=tmp_path, stop=2, device="cpu", workers=2)
    assert torch.equal(saved(tmp_path)["losses"][0], saved(whole[1])["losses"][0][:2])


def launch(root, out, *arguments, processes=2):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", str(processes), "-m", "sgdescape.network_limits.imagenet.train"]
    command += [str(root), str(out), "--device", "cpu", "--workers", "0", *arguments]
    fields = {"epochs": 2, "batch_size": 8, "shards": 2, "learning_rate": 0.05}
    fields |= {"stem": "cifar", "width": 2, "size": 8}
    for name, value in fields.items():
        command += [f"--{name.replace('_', '-')}", str(value)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)


def test_two_processes_follow_the_path_of_one(whole, root, tmp_path):
    """Same batch, same shards: alike but for how many threads take part in a convolution."""
    stopped = launch(root, tmp_path, "--stop", "4", "--record")
    assert stopped.returncode == 0, stopped.stderr
    assert saved(tmp_path)["step"] == 4
    # One process goes on where two have stopped.
    training.train(TINY, data=root, out=tmp_path, **OPTIONS)
    assert_same(saved(tmp_path), saved(whole[1]), rtol=1e-6, atol=1e-7)
    assert torch.equal(saved(tmp_path)["losses"][0][:1], saved(whole[1])["losses"][0][:1])


def test_command_line_reads_every_field(root, tmp_path, capsys):
    arguments = "--epochs 1 --batch-size 12 --shards 3 --learning-rate 0.01 --decay-epochs 2 5"
    arguments += " --momentum 0.5 --weight-decay 0.002 --sampler iid --stem cifar --width 2"
    arguments += " --size 8 --seed 3 --device cpu --workers 0"
    training.main([str(root), str(tmp_path), *arguments.split()])
    found = json.loads(saved(tmp_path)["identity"])
    expected = training.Config(
        epochs=1, batch_size=12, shards=3, learning_rate=0.01, decay_epochs=(2, 5), momentum=0.5,
        weight_decay=0.002, sampler="iid", stem="cifar", width=2, size=8, seed=3,
    )  # fmt: skip
    assert found.pop("images") == 24 and len(found.pop("classes")) == 3
    assert found == json.loads(json.dumps(asdict(expected)))
    assert "step 2: held-out loss" in capsys.readouterr().out


def test_learning_rate_decays_at_the_epochs_given():
    config = replace(TINY, decay_epochs=(2, 3))
    rates = [training._rate(config, epoch) for epoch in range(4)]
    assert rates == pytest.approx([0.05, 0.05, 0.005, 0.0005])


@pytest.mark.slow
def test_two_processes_resume_and_end_where_one_does(whole, root, tmp_path):
    for arguments in (("--stop", "2"), ("--stop", "5"), ()):
        done = launch(root, tmp_path, *arguments)
        assert done.returncode == 0, done.stderr
    assert "held-out loss" in done.stdout and done.stdout.count("step 6") == 1
    assert_same(saved(tmp_path), saved(whole[1]), rtol=1e-6, atol=1e-7)


def test_shards_are_part_of_the_question(whole, root, tmp_path):
    training.train(replace(TINY, shards=1), data=root, out=tmp_path, stop=2, **OPTIONS)
    assert not torch.allclose(saved(tmp_path)["losses"][0], saved(whole[1])["losses"][0][:2])


def test_recorded_stretches_join_to_one_path(whole, root):
    files = sorted(whole[1].glob("path-*.npz"))
    assert [f.name for f in files] == ["path-00000000-00000003.npz", "path-00000003-00000006.npz"]
    one, two = (np.load(f) for f in files)
    assert two["steps"].tolist() == [3, 4, 5, 6]
    assert two["square_distance"][0] == one["square_distance"][-1]
    start = saved(whole[1])["start"].double()
    names = [name for name, _ in resnet18(seed=0, width=2).named_parameters()]
    end = torch.cat([saved(whole[1])["weights"][name].flatten() for name in names]).double()
    expected = (end - start).square().sum().item()
    assert two["square_distance"][-1, 0] == pytest.approx(expected, rel=1e-10)


def test_projections_on_given_directions_from_given_weights(root, tmp_path):
    model = resnet18(seed=7, width=2, classes=3)
    torch.save(model.state_dict(), tmp_path / "weights.pt")
    size = sum(p.numel() for p in model.parameters())
    torch.save(torch.eye(size, 2), tmp_path / "directions.pt")
    options = {"start": tmp_path / "weights.pt", "directions": tmp_path / "directions.pt"}
    out = tmp_path / "run"
    training.train(TINY, data=root, out=out, stop=2, **options, **OPTIONS)
    found = saved(out)
    first = torch.cat([p.detach().flatten() for p in model.parameters()])
    assert torch.equal(found["start"], first)
    moved = found["weights"]["conv1.weight"].flatten()[:2].double() - first[:2].double()
    path = np.load(out / "path-00000000-00000002.npz")
    np.testing.assert_allclose(path["positions"][-1, 0], moved, rtol=1e-12)


# --- the step --------------------------------------------------------------------------------


def test_one_shard_is_the_step_of_pytorch():
    ours, theirs = (resnet18(seed=0, width=2, classes=3) for _ in range(2))
    settings = {"momentum": 0.9, "weight_decay": 0.01}
    buffers = [torch.zeros_like(p) for p in ours.parameters()]
    step = update_step(ours, buffers, shards=1, **settings)
    reference = torch.optim.SGD(theirs.parameters(), lr=0.05, **settings)
    generator = torch.Generator().manual_seed(0)
    for k in range(4):
        x, y = torch.randn(6, 3, 8, 8, generator=generator), torch.arange(6) % 3
        reference.zero_grad()
        loss = F.cross_entropy(theirs.train()(x), y)
        loss.backward()
        reference.step()
        assert step(x, y, 0.05).item() == pytest.approx(loss.item(), rel=1e-6), k
    for (name, a), b in zip(ours.state_dict().items(), theirs.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6, msg=name)


def test_shards_average_gradients_and_running_statistics():
    model = nn.Sequential(nn.Linear(4, 3, bias=False), nn.BatchNorm1d(3)).double()
    x, y = torch.randn(12, 4, dtype=torch.float64), torch.arange(12) % 3
    hidden = (x @ model[0].weight.detach().T).chunk(3)
    mean = sum(h.mean(0) for h in hidden) / 3
    variance = sum(h.var(0) for h in hidden) / 3
    losses = [
        F.cross_entropy(F.batch_norm(x_ @ model[0].weight.T, None, None, training=True), y_)
        for x_, y_ in zip(x.chunk(3), y.chunk(3), strict=True)
    ]
    (slope,) = torch.autograd.grad(sum(losses) / 3, model[0].weight)
    expected = model[0].weight.detach() - 0.1 * slope
    buffers = [torch.zeros_like(p) for p in model.parameters()]
    step = update_step(model, buffers, shards=3, momentum=0.5, weight_decay=0.0)
    assert step(x, y, 0.1).item() == pytest.approx(float(sum(losses).detach()) / 3)
    torch.testing.assert_close(model[0].weight.detach(), expected)
    torch.testing.assert_close(model[1].running_mean, 0.1 * mean)
    torch.testing.assert_close(model[1].running_var, 0.9 + 0.1 * variance)
    assert model[1].num_batches_tracked == 1


# --- batches ---------------------------------------------------------------------------------


def keys(batches, epoch, first=0):
    batches.set_epoch(epoch, first=first)
    return list(batches)


@pytest.mark.parametrize("sampler", sgd.SAMPLERS)
def test_processes_share_the_batches_of_one_stream(sampler):
    options = {"shards": 4, "sampler": sampler, "seed": 1}
    stream = sgd.batches(37, 8, sampler=sampler, seed=1, start=4 * 2)
    ranks = [Batches(37, 8, rank=r, world=2, **options) for r in range(2)]
    alone = keys(Batches(37, 8, **options), 2)
    shares = [keys(b, 2) for b in ranks]
    assert len(alone) == len(ranks[0]) == 4
    for k in range(4):
        index = next(stream)
        assert sorted(i for _, i in alone[k]) == index.tolist()
        assert alone[k] == shares[0][k] + shares[1][k]  # in the order of the shards
        assert [i for _, i in alone[k][:2]] == index[::4].tolist()
        assert {epoch for epoch, _ in alone[k]} == {2}


def test_every_epoch_has_a_permutation_of_its_own_and_none_can_be_forgotten():
    """The authors' code did not call `set_epoch`, and repeated one permutation."""
    batches = Batches(40, 8, shards=1, sampler="shuffle", seed=0)
    with pytest.raises(RuntimeError, match="set_epoch must be called before each epoch"):
        list(batches)
    epochs = [[i for batch in keys(batches, e) for _, i in batch] for e in (0, 1)]
    assert epochs[0] != epochs[1]
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(40))
    with pytest.raises(RuntimeError, match="set_epoch"):
        list(batches)
    assert keys(batches, 1, first=3) == keys(batches, 1)[3:]


# --- bad input -------------------------------------------------------------------------------


def test_refuses_bad_arguments(root, tmp_path, whole):
    for field, value, message in (
        ("shards", 3, "shards must divide batch_size = 8: got 3"),
        ("stem", "small", "stem must be one of"),
        ("learning_rate", -1.0, "learning_rate must be positive"),
        ("decay_epochs", (0,), "decay_epochs must be at least 1: got 0"),
    ):
        with pytest.raises(ValueError, match=message):
            replace(TINY, **{field: value})
    with pytest.raises(ValueError, match="batch_size must lie in"):
        big = replace(TINY, batch_size=26)
        training.train(big, data=root, out=tmp_path, **OPTIONS)
    with pytest.raises(ValueError, match="multiple of the number of processes, 2: got 3"):
        Batches(12, 6, shards=3, sampler="shuffle", seed=0, world=2)
    other = replace(TINY, momentum=0.5)
    with pytest.raises(ValueError, match="is of another run: momentum 0.9, not 0.5"):
        training.train(other, data=root, out=whole[1], **OPTIONS)


def test_a_loss_that_is_not_finite_stops_the_run(root, tmp_path):
    wild = replace(TINY, learning_rate=1e30)
    with pytest.raises(ValueError, match="loss must be finite: got .* at step"):
        training.train(wild, data=root, out=tmp_path, **OPTIONS)


def test_a_broken_image_is_named(tmp_path):
    root = write(tmp_path / "images")
    broken = Path(root) / "train" / "n00000001" / "n00000001_3.JPEG"
    broken.write_bytes(broken.read_bytes()[:300])
    with pytest.raises(ValueError, match="cannot be decoded: .*n00000001_3.JPEG"):
        training.train(TINY, data=root, out=tmp_path / "run", **OPTIONS)
    assert reader.read_folder(root, "train").files.size == 24


# --- files of weights ------------------------------------------------------------------------


def network(**options):
    return resnet18("cifar", seed=1, width=2, classes=3, **options)


class Pickled:
    """Stands for a whole model in a file: code that is not run."""


FOREIGN = {
    "plain": lambda own: own,
    "of DataParallel": lambda own: {f"module.{k}": v for k, v in own.items()},
    "compiled": lambda own: {f"_orig_mod.{k}": v for k, v in own.items()},
    "compiled, then DataParallel": lambda own: {f"module._orig_mod.{k}": v for k, v in own.items()},
    "DataParallel, then compiled": lambda own: {f"_orig_mod.module.{k}": v for k, v in own.items()},
    "in a checkpoint": lambda own: {"epoch": 3, "state_dict": own, "best": 0.5},
    "both": lambda own: {"model": {f"module.{k}": v for k, v in own.items()}},
    "without counters": lambda own: {k: v for k, v in own.items() if "num_batches" not in k},
}


@pytest.mark.parametrize("case", FOREIGN)
def test_weights_in_the_usual_wrappers_are_read(case, tmp_path):
    source, target = network(), resnet18("cifar", seed=2, width=2, classes=3)
    torch.save(FOREIGN[case](source.state_dict()), tmp_path / "w.pt")
    weights.load_foreign(target, tmp_path / "w.pt")
    for name, value in source.named_parameters():
        assert torch.equal(value, target.get_parameter(name)), name


def saved_as(change):
    def write(path):
        content = dict(network().state_dict())
        torch.save(change(content), path)

    return write


REFUSED = {
    "missing": (lambda path: None, "there is no"),
    "empty": (lambda path: path.write_bytes(b""), "is empty"),
    "pointer": (
        lambda path: path.write_bytes(b"version https://git-lfs.github.com/spec/v1\n"),
        "is a pointer of Git LFS",
    ),
    "text": (lambda path: path.write_text("weights", encoding="utf-8"), "cannot be read by torch"),
    "cut off": (
        lambda path: (saved_as(dict)(path), path.write_bytes(path.read_bytes()[:-999])),
        "cannot be read by torch",
    ),
    "pickled model": (saved_as(lambda _: Pickled()), "cannot be read by torch"),
    "list": (saved_as(lambda own: list(own.values())), "holds a list"),
    "numbers": (saved_as(lambda _: {"a": 1}), "holds a dict"),
    "nothing": (saved_as(lambda _: {}), "holds a dict"),
    "other network": (
        saved_as(lambda own: own | {"fc.extra": torch.zeros(1)}),
        r"lacks \[\] and has \['fc.extra'\]",
    ),
    "part of it": (
        saved_as(lambda own: {k: v for k, v in own.items() if k != "fc.bias"}),
        r"lacks \['fc.bias'\]",
    ),
    "other classes": (
        saved_as(lambda own: own | {"fc.bias": torch.zeros(4)}),
        r"hold fc.bias of shape \(3,\): .* has \(4,\)",
    ),
    "NaN": (saved_as(lambda own: own | {"fc.bias": torch.full((3,), float("nan"))}), "has NaN"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_other_files_are_refused_in_one_sentence(case, tmp_path):
    write, message = REFUSED[case]
    write(tmp_path / "w.pt")
    model = network()
    before = copy.deepcopy(model.state_dict())
    with pytest.raises((ValueError, FileNotFoundError), match=f"start must .*{message}") as caught:
        weights.load_foreign(model, tmp_path / "w.pt")
    assert len(str(caught.value)) < 400 and "\n" not in str(caught.value)
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())


def test_no_flipped_bit_of_a_checkpoint_is_ever_believed(whole, tmp_path):
    good = (whole[1] / training.CHECKPOINT).read_bytes()
    path = tmp_path / training.CHECKPOINT
    path.write_bytes(good)
    right = weights.read_checkpoint(path)
    rng = np.random.default_rng(0)
    accepted = 0
    for position in rng.integers(0, len(good), 60):
        damaged = bytearray(good)
        damaged[position] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        try:
            found = weights.read_checkpoint(path)
        except ValueError as error:
            assert "is damaged" in str(error) and "remove it to start again" in str(error)
        else:  # a byte of the archive that no reader looks at
            accepted += 1
            assert_same(found | {"losses": found["losses"][0]},
                        right | {"losses": right["losses"][0]}, **EXACT)  # fmt: skip
    assert accepted < 30


def test_a_checkpoint_without_a_checksum_is_refused(whole, root, tmp_path):
    found = saved(whole[1])
    del found["sha256"]
    torch.save(found, tmp_path / training.CHECKPOINT)
    with pytest.raises(ValueError, match="checkpoint .* is damaged"):
        training.train(TINY, data=root, out=tmp_path, **OPTIONS)


@pytest.mark.parametrize("write", ["checkpoint", "path"])
def test_a_full_disk_keeps_the_earlier_files(whole, root, tmp_path, monkeypatch, write):
    training.train(TINY, data=root, out=tmp_path, stop=2, record=True, **OPTIONS)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    real = os.replace

    def full(source, target):
        if (Path(target).suffix == ".pt") == (write == "checkpoint"):
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        training.train(TINY, data=root, out=tmp_path, stop=4, record=True, **OPTIONS)
    monkeypatch.undo()
    after = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    assert {n: after[n] for n in before} == before and not list(tmp_path.glob(".*.tmp"))
    training.train(TINY, data=root, out=tmp_path, record=True, **OPTIONS)
    assert_same(saved(tmp_path), saved(whole[1]), **EXACT)

"""Bad input: every refusal names argument, value and allowed range, and changes nothing.

One table for the whole package. A case is a call, the error it must give and a pattern of its
message. Around each call the model's parameters, every file in reach, the random state and torch's
defaults are recorded: a refusal must leave all of them as they were.
"""

import gzip
import hashlib
import math
import re
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from sgdescape import (
    anomalous_diffusion,
    cli,
    decoupling,
    intro,
    kramers_escape,
    linear_regression,
    modified_loss,
    network_limits,
    noise_covariance,
    noise_strength,
    underdamped_langevin,
)
from sgdescape.core import claims, plotting
from sgdescape.core.data import formats, image_sets, sources
from sgdescape.core.networks import gradients, models
from sgdescape.core.roots import PACKAGE
from sgdescape.core.runs import provenance
from sgdescape.core.runs import store as chunk_store
from sgdescape.core.runs import sweep as runner
from sgdescape.core.spectra import products
from sgdescape.core.stats import intervals, slopes
from sgdescape.core.stats.intervals import Interval
from sgdescape.core.training import sgd

NAN, INF = math.nan, math.inf


@dataclass(frozen=True)
class Case:
    """A call that must be refused."""

    name: str
    call: object  # takes the bench
    error: type
    message: str  # pattern that the message must contain


def images(n=8, features=6, dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    return torch.rand(n, features, generator=generator, dtype=dtype)


def spoiled(value):
    tensor = images()
    tensor[3, 2] = value
    return tensor


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """A small network, good data, and folders that can be watched."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "notes.txt").write_text("keep me", encoding="utf-8")
    (tmp_path / "file").write_text("a file where a folder is wanted", encoding="utf-8")
    monkeypatch.setenv("SGDESCAPE_DATA", str(tmp_path / "cache"))
    monkeypatch.setattr(sources, "SYSTEM_FOLDERS", ())
    monkeypatch.setattr(sources, "_fetch", lambda *_: pytest.fail("network used"))
    monkeypatch.chdir(home)
    inputs = images()
    return SimpleNamespace(
        model=models.mlp((6, 5, 1), seed=0),
        inputs=inputs,
        targets=torch.where(inputs.sum(1) > 3, 1.0, -1.0),
        folder=home,
        file=tmp_path / "file",
        root=tmp_path,
        patch=monkeypatch,
    )


def train(s, *, inputs=None, targets=None, model=None, loss=sgd.square_loss, **settings):
    fields = {"learning_rate": 0.1, "batch_size": 2, "steps": 3}
    observing = {k: settings.pop(k) for k in ("observe", "observe_every") if k in settings}
    return sgd.train(
        s.model if model is None else model,
        s.inputs if inputs is None else inputs,
        s.targets if targets is None else targets,
        sgd.Config(**{**fields, **settings}),
        loss=loss,
        **observing,
    )


def norms(s, *, model=None, inputs=None, targets=None, loss=sgd.square_loss, **options):
    return gradients.per_sample_gradient_norms(
        s.model if model is None else model,
        s.inputs if inputs is None else inputs,
        s.targets if targets is None else targets,
        loss=loss,
        **options,
    )


def claim(**changes):
    fields = {
        "source": "Mori et al., Eq. (8)",
        "predicted": 1.0,
        "measured": Interval(1.0, 0.9, 1.1),
        "rivals": {"half": 0.5},
        "expected": "confirmed",
    }
    fields |= changes
    return claims.check("It is one.", **fields)


def load_from(s, images):
    """Load from a folder whose image file holds these bytes; they must stay as they are."""
    folder = s.root / "data" / "mnist"
    folder.mkdir(parents=True)
    (folder / "train-images-idx3-ubyte.gz").write_bytes(images)
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(b"")
    watch(s)
    return image_sets.load("mnist", data_dir=s.root / "data")


def corrupt_bundle(s, harm):
    good = PACKAGE / "bundled" / "mnist.npz"
    (s.root / "bundled").mkdir()
    (s.root / "bundled" / "mnist.npz").write_bytes(harm(good.read_bytes()))
    s.patch.setattr(sources.resources, "files", lambda _: s.root)
    watch(s)
    return image_sets.load("mnist", n=5)


def refused(number, reason):
    # root may write anywhere, whatever chmod says: the system's refusal is put in by hand
    def refuse(*_, **__):
        raise OSError(number, reason)

    return refuse


def no_permission(s):
    s.patch.setattr(sources.Path, "mkdir", refused(13, "Permission denied"))
    return image_sets.download("mnist")


def full_disk(s):
    no_space = refused(28, "No space left on device")
    s.patch.setattr(sources.tempfile, "TemporaryFile", no_space)
    (s.root / "new" / "cifar10").mkdir(parents=True)
    watch(s)
    return image_sets.download("cifar10", s.root / "new")


DATA = [
    Case("unknown set", lambda s: image_sets.load("mnits"), ValueError,
         r"name must be one of 'mnist', 'fashion_mnist', 'cifar10': got 'mnits'"),
    Case("set that is no text", lambda s: image_sets.load(3), TypeError,
         r"name must be a text: got 3 of type int"),
    Case("unknown task", lambda s: image_sets.load("mnist", n=4, task="sum"), ValueError,
         r"task must be one of 'parity', 'one_hot': got 'sum'"),
    Case("no images", lambda s: image_sets.load("mnist", n=0), ValueError,
         r"n must lie in \[1, 60000\]: got 0"),
    Case("negative number of images", lambda s: image_sets.load("mnist", n=-5), ValueError,
         r"n must lie in \[1, 60000\]: got -5"),
    Case("fractional number of images", lambda s: image_sets.load("mnist", n=10.0), TypeError,
         r"n must be an integer: got 10.0 of type float"),
    Case("more images than exist", lambda s: image_sets.load("mnist", n=60_001), ValueError,
         r"n must lie in \[1, 60000\]: got 60001"),
    Case("more images than bundled",
         lambda s: image_sets.load("fashion_mnist", n=5_001), ValueError,
         r"n must lie in \[1, 5000\] with the bundled fashion_mnist: got 5001.*sgdescape download"),
    Case("set that is not here", lambda s: image_sets.load("cifar10", n=5), FileNotFoundError,
         r"cifar10 is not bundled.*sgdescape download cifar10.*SGDESCAPE_DATA"),
    Case("negative seed of a draw", lambda s: image_sets.load("mnist", n=4, seed=-1), ValueError,
         r"seed must lie in \[0, \d+\]: got -1"),
    Case("seed that is no integer", lambda s: image_sets.load("mnist", n=4, seed=0.5), TypeError,
         r"seed must be an integer: got 0.5"),
    Case("integer pixels asked for", lambda s: image_sets.load("mnist", n=4, dtype=torch.uint8),
         TypeError, r"dtype must be a floating torch.dtype.*got torch.uint8"),
    Case("dtype as text", lambda s: image_sets.load("mnist", n=4, dtype="float32"), TypeError,
         r"dtype must be a floating torch.dtype.*got 'float32'"),
    Case("unknown device", lambda s: image_sets.load("mnist", n=4, device="gpu"), ValueError,
         r"device must be 'auto' or one that torch knows: got 'gpu'"),
    Case("data folder without the set", lambda s: image_sets.load("mnist", n=4, data_dir=s.folder),
         FileNotFoundError, r"data_dir must hold .*/home/mnist/ with train-images"),
    Case("data folder that is no path",
         lambda s: image_sets.load("mnist", n=4, data_dir=7), TypeError,
         r"data_dir must be a path: got 7 of int"),
    Case("corrupt bundled file", lambda s: corrupt_bundle(s, lambda b: b[:500] + b"?" + b[501:]),
         ValueError, r"bundled mnist.npz is corrupt: SHA-256 must be [0-9a-f]{64}, got [0-9a-f]+"),
    Case("truncated bundled file", lambda s: corrupt_bundle(s, lambda b: b[:1000]),
         ValueError, r"bundled mnist.npz is corrupt: SHA-256"),
    Case("empty file in the data folder",
         lambda s: load_from(s, b""), ValueError,
         r"train-images-idx3-ubyte.gz is truncated: must hold 47040016 bytes, got 0"),
    Case("cut-off download",
         lambda s: load_from(s, gzip.compress(b"x" * 999)[:-9]),
         ValueError, r"train-images-idx3-ubyte.gz is truncated or corrupt"),
    Case("another file under the right name",
         lambda s: load_from(s, bytes(47_040_016)),
         ValueError, r"train-images.* is not the published file: SHA-256 .*must be ba89[^,]*, got"),
    Case("a file larger than the published",
         lambda s: load_from(s, gzip.compress(bytes(47_040_017), 1)),
         ValueError, r"train-images.* must unpack to at most 47040016 bytes"),
    Case("a web page in place of the archive",
         lambda s: formats.parse_cifar10_archive(
             b"<html>404</html>", name="cifar-10-binary.tar.gz", members=("a",)),
         ValueError, r"cifar-10-binary.tar.gz is truncated or corrupt"),
    Case("labels file in place of images",
         lambda s: formats.parse_idx(bytes([0, 0, 8, 1, 0, 0, 0, 0]), name="f", dimensions=3),
         ValueError, r"f must start with the idx magic number 0x00000803: got 0x00000801"),
    Case("idx header that promises more",
         lambda s: formats.parse_idx(b"\0\0\x08\1\0\0\0\x09\1", name="f", dimensions=1),
         ValueError, r"f is truncated: its header announces 9 = 9 bytes of data, got 1"),
    Case("CIFAR label above 9",
         lambda s: formats.parse_cifar10(bytes([11]) + bytes(3072), name="b.bin"),
         ValueError, r"b.bin must have labels in \[0, 9\]: got 11 in record 0"),
    Case("unknown set to download", lambda s: image_sets.download("imagenet"), ValueError,
         r"name must be one of 'mnist'.*got 'imagenet'"),
    Case("cache folder that is a file", lambda s: image_sets.download("mnist", s.file), OSError,
         r"data folder .*/file/mnist cannot be written.*SGDESCAPE_DATA"),
    Case("cache variable that names a file",
         lambda s: [s.patch.setenv("SGDESCAPE_DATA", str(s.file)),
                    image_sets.load("cifar10", download=True)],
         OSError, r"data folder .*/file/cifar10 cannot be written.*SGDESCAPE_DATA"),
    Case("cache folder without permission", no_permission, OSError,
         r"data folder .*/cache/mnist cannot be written \(Permission denied\).*SGDESCAPE_DATA"),
    Case("cache folder on a full disk", full_disk, OSError,
         r"data folder .* cannot be written \(No space left on device\)"),
]  # fmt: skip

MODELS = [
    Case("one width", lambda s: models.mlp((784,), seed=0), ValueError,
         r"widths must hold at least 2 integers: got \(784,\)"),
    Case("width zero", lambda s: models.mlp((784, 0, 1), seed=0), ValueError,
         r"widths\[1\] must be at least 1: got 0"),
    Case("fractional width", lambda s: models.mlp((784, 2.5, 1), seed=0), TypeError,
         r"widths\[1\] must be an integer: got 2.5"),
    Case("negative seed of a network", lambda s: models.mlp((4, 1), seed=-1), ValueError,
         r"seed must lie in \[0, \d+\]: got -1"),
    Case("integer parameters", lambda s: models.mlp((4, 1), seed=0, dtype=torch.int64), TypeError,
         r"dtype must be a floating-point torch.dtype: got torch.int64"),
    Case("network on an unknown device", lambda s: models.mlp((4, 1), seed=0, device="gpu"),
         ValueError, r"device must be 'auto' or one that torch knows: got 'gpu'"),
    Case("network on a device that is not here",
         lambda s: models.mlp((4, 1), seed=0, device="cuda:99"), ValueError,
         r"device must be one of the \d+ CUDA devices here: got 'cuda:99'"),
    Case("image too small for the pools", lambda s: models.cnn(1, image_size=4, seed=0), ValueError,
         r"image_size must be at least 8: got 4"),
    Case("no channels", lambda s: models.cnn(0, seed=0), ValueError,
         r"channels must be at least 1: got 0"),
    Case("no stacks", lambda s: models.cnn(1, stacks=(), seed=0), ValueError,
         r"stacks must hold at least one \(filters, depth\) pair: got \(\)"),
]  # fmt: skip

TRAINING = [
    Case("negative learning rate", lambda s: train(s, learning_rate=-0.1), ValueError,
         r"learning_rate must be positive and finite: got -0.1"),
    Case("learning rate zero", lambda s: train(s, learning_rate=0.0), ValueError,
         r"learning_rate must be positive and finite: got 0.0"),
    Case("learning rate NaN", lambda s: train(s, learning_rate=NAN), ValueError,
         r"learning_rate must be positive and finite: got nan"),
    Case("learning rate as text", lambda s: train(s, learning_rate="0.1"), TypeError,
         r"learning_rate must be a real number: got '0.1' of type str"),
    Case("batch of nothing", lambda s: train(s, batch_size=0), ValueError,
         r"batch_size must be at least 1: got 0"),
    Case("batch larger than the data", lambda s: train(s, batch_size=9), ValueError,
         r"batch_size must lie in \[1, 8\]: got 9"),
    Case("fractional batch", lambda s: train(s, batch_size=2.5), TypeError,
         r"batch_size must be an integer: got 2.5"),
    Case("negative steps", lambda s: train(s, steps=-1), ValueError,
         r"steps must be at least 0: got -1"),
    Case("momentum one", lambda s: train(s, momentum=1.0), ValueError,
         r"momentum must be in \[0, 1\): got 1.0"),
    Case("negative weight decay", lambda s: train(s, weight_decay=-1e-4), ValueError,
         r"weight_decay must be non-negative and finite: got -0.0001"),
    Case("unknown sampler", lambda s: train(s, sampler="random"), ValueError,
         r"sampler must be one of 'iid', 'without_replacement', 'shuffle': got 'random'"),
    Case("observing every 0 steps", lambda s: train(s, observe=dict, observe_every=0), ValueError,
         r"observe_every must be at least 1: got 0"),
    Case("no samples", lambda s: train(s, inputs=images(0), targets=torch.zeros(0)), ValueError,
         r"inputs must hold at least 1 sample: got shape \(0, 6\)"),
    Case("NaN pixel", lambda s: train(s, inputs=spoiled(NAN)), ValueError,
         r"inputs must be finite: got NaN or infinity"),
    Case("infinite pixel", lambda s: train(s, inputs=spoiled(INF)), ValueError,
         r"inputs must be finite"),
    Case("NaN target", lambda s: train(s, targets=torch.full((8,), NAN)), ValueError,
         r"targets must be finite"),
    Case("raw uint8 images", lambda s: train(s, inputs=images().byte()), TypeError,
         r"inputs must be a floating-point tensor: got torch.uint8"),
    Case("NumPy images", lambda s: train(s, inputs=images().numpy()), TypeError,
         r"inputs must be a torch.Tensor: got ndarray"),
    Case("images of another precision", lambda s: train(s, inputs=images(dtype=torch.float64)),
         TypeError, r"inputs must have dtype torch.float32: got torch.float64"),
    Case("class labels as targets", lambda s: train(s, targets=torch.arange(8)), TypeError,
         r"targets must be a floating-point tensor: got torch.int64"),
    Case("too few targets", lambda s: train(s, targets=torch.ones(7)), ValueError,
         r"targets must have as many samples as inputs, 8: got 7"),
    Case("targets for other outputs", lambda s: train(s, targets=torch.ones(8, 10)), ValueError,
         r"targets must have one value for each output, shape \(2, 1\): got \(2, 10\)"),
    Case("images of another size", lambda s: train(s, inputs=images(8, 7)), ValueError,
         r"inputs must be samples of a shape that the model takes: got \(7,\)"),
    Case("images in planes for a dense network", lambda s: train(s, inputs=images()[:, None]),
         ValueError, r"inputs must have shape \(n, features\): got \(2, 1, 6\)"),
    Case("small images for a convolution",
         lambda s: train(s, model=models.cnn(1, stacks=((2, 1),), image_size=8, seed=0),
                         inputs=torch.zeros(8, 1, 6, 6)),
         ValueError, r"inputs must be samples of a shape that the model takes: got \(1, 6, 6\)"),
    Case("network without parameters", lambda s: train(s, model=nn.Sequential(nn.ReLU())),
         ValueError, r"model must have parameters: got none"),
    Case("cross-entropy of one output", lambda s: train(s, loss=sgd.cross_entropy), ValueError,
         r"cross_entropy needs at least 2 outputs: got 1"),
    Case("batches larger than the data",
         lambda s: sgd.batches(10, 11, sampler="iid", seed=0), ValueError,
         r"batch_size must lie in \[1, 10\]: got 11"),
    Case("negative epochs", lambda s: sgd.steps_of(-2, n=100, batch_size=10), ValueError,
         r"epochs must be non-negative and finite: got -2"),
]  # fmt: skip

GRADIENTS = [
    Case("unsupported layer", lambda s: norms(s, model=s.model.append(nn.Tanh())),
         TypeError, r"layer 3 must be Linear, Conv2d, ReLU, MaxPool2d or Flatten: got Tanh"),
    Case("network that is no chain", lambda s: norms(s, model=s.model[0]), TypeError,
         r"model must be a torch.nn.Sequential: got Linear"),
    Case("NaN pixel in gradient norms", lambda s: norms(s, inputs=spoiled(NAN)), ValueError,
         r"inputs must be finite: they hold NaN or infinite values"),
    Case("no samples in gradient norms",
         lambda s: norms(s, inputs=images(0), targets=torch.zeros(0)), ValueError,
         r"inputs must not be empty: got shape \(0, 6\)"),
    Case("other precision in gradient norms",
         lambda s: norms(s, inputs=images(dtype=torch.float64)), TypeError,
         r"inputs must be torch.float32 as the model: got torch.float64"),
    Case("too few targets in gradient norms", lambda s: norms(s, targets=torch.ones(3)), ValueError,
         r"inputs and targets must have the same length: got 8 and 3"),
    Case("mean loss in place of per-sample", lambda s: norms(s, loss=lambda f, y: f.mean()),
         ValueError, r"loss must return per-sample values of shape \(8,\): got \(\)"),
    Case("chunk zero", lambda s: norms(s, chunk=0), ValueError,
         r"chunk must be at least 1: got 0"),
    Case("gradient norms of images of another size", lambda s: norms(s, inputs=images(8, 7)),
         ValueError, r"layer 0 takes shape \(6,\) .* samples of shape \(7,\) give it \(7,\)"),
    Case("gradient norms of colour images in a grey network",
         lambda s: norms(s, model=models.cnn(1, stacks=((2, 1),), seed=0),
                         inputs=torch.ones(8, 3, 28, 28)),
         ValueError, r"layer 0 takes shape \(1, height, width\) .* samples of shape \(3, 28, 28\)"),
    Case("gradient norms for targets of another width",
         lambda s: norms(s, targets=torch.ones(8, 3)),
         ValueError, r"targets must have one value for each .* \(8, 1\): got \(8, 3\)"),
]  # fmt: skip

SPECTRA = [
    Case("Gram matrix with a NaN pixel", lambda s: products.gram(s.model, spoiled(NAN)), ValueError,
         r"inputs must be finite"),
    Case("spectra of a matrix and losses that differ",
         lambda s: products.noise_spectra(torch.eye(4), torch.ones(3)), ValueError,
         r"gram must have shape \(3, 3\) for 3 losses: got \(4, 4\)"),
    Case("negative loss", lambda s: products.noise_spectra(torch.eye(2), torch.tensor([1.0, -2.0])),
         ValueError, r"losses must be non-negative: got a smallest value of -2.0"),
    Case("NaN loss", lambda s: products.noise_spectra(torch.eye(2), torch.tensor([1.0, NAN])),
         ValueError, r"losses must be finite: 1 of 2 values are NaN or infinite"),
    Case("NaN in the Gram matrix",
         lambda s: products.noise_spectra(torch.full((2, 2), NAN), torch.ones(2)), ValueError,
         r"gram must be finite"),
    Case("product with a vector of another length",
         lambda s: products.hessian_product(s.model, s.inputs, s.targets, loss=sgd.square_loss)(
             torch.ones(3)),
         ValueError, r"vector must have shape \(41,\): got \(3,\)"),
    Case("more eigenpairs than samples",
         lambda s: products.gauss_newton_eigenpairs(s.model, s.inputs, k=9), ValueError,
         r"k must lie in \[1, 8\]: got 9"),
    Case("no eigenpairs", lambda s: products.lanczos(lambda v: v, 5, k=0), ValueError,
         r"k must lie in \[1, 5\]: got 0"),
    Case("fewer iterations than eigenpairs",
         lambda s: products.lanczos(lambda v: v, 5, k=3, max_iter=2), ValueError,
         r"max_iter must lie in \[3, 5\]: got 2"),
    Case("negative tolerance of an eigenvalue",
         lambda s: products.lanczos(lambda v: v, 5, k=1, tol=-1e-8), ValueError,
         r"tol must be positive and finite: got -1e-08"),
    Case("product that gives NaN", lambda s: products.lanczos(lambda v: v * NAN, 5, k=1),
         ValueError, r"matvec must return finite values: NaN or infinite at step 1"),
    Case("trace from one probe", lambda s: products.trace(lambda v: v, 5, probes=1), ValueError,
         r"probes must be at least 2: got 1"),
    Case("density without width",
         lambda s: products.smoothed_density(
             products.spectral_density(lambda v: v, 5), np.linspace(0, 2, 9), width=0.0),
         ValueError, r"width must be positive and finite: got 0.0"),
]  # fmt: skip

STATISTICS = [
    Case("mean of one sample", lambda s: intervals.mean_interval([1.0]), ValueError,
         r"samples must be one-dimensional with at least 2: got \(1,\)"),
    Case("mean with NaN", lambda s: intervals.mean_interval([1.0, NAN]), ValueError,
         r"samples must be finite: 1 of 2 values are NaN or infinite"),
    Case("level in percent", lambda s: intervals.mean_interval([1.0, 2.0], level=95), ValueError,
         r"level must lie in \(0, 1\): got 95"),
    Case("more successes than trials", lambda s: intervals.proportion_interval(11, 10), ValueError,
         r"successes must lie in \[0, 10\]: got 11"),
    Case("logarithm of zero", lambda s: slopes.log_log_slope([1, 2, 3, 4, 5], [0, 1, 2, 3, 4]),
         ValueError, r"y must be positive for a log-log fit: least is 0"),
    Case("slope of unequal lengths", lambda s: slopes.log_log_slope(range(1, 7), range(1, 6)),
         ValueError, r"x and y must match: got shapes \(6,\) and \(5,\)"),
    Case("even window",
         lambda s: slopes.local_slope(range(1, 10), range(1, 10), window=6), ValueError,
         r"window must be odd.*got 6"),
    Case("interval upside down", lambda s: Interval(1.0, 2.0, 0.5), ValueError,
         r"low must not exceed high: got \[2.0, 0.5\]"),
]  # fmt: skip

CLAIMS = [
    Case("claim without a rival", lambda s: claim(rivals={}), ValueError,
         r"rivals must name at least one other prediction: got \{\}"),
    Case("claim with a bad name", lambda s: claims.claim(lambda ds: None), ValueError,
         r"a claim must be named in lower case: got '.*<lambda>'"),
    Case("claim from nowhere", lambda s: claim(source="folklore"), ValueError,
         r"source must begin with one of this book.*: got 'folklore'"),
    Case("claims of no chapter", lambda s: claims.declared("no_chapter"), ValueError,
         r"no chapter 'no_chapter' with claims"),
    Case("claim that expects anything", lambda s: claim(expected="maybe"), ValueError,
         r"expected must be one of 'confirmed', .*: got 'maybe'"),
    Case("claim without an interval", lambda s: claim(measured=1.0), TypeError,
         r"measured must be an Interval: got float"),
    Case("claim that predicts NaN", lambda s: claim(predicted=NAN), ValueError,
         r"predicted must be finite: 1 of 1 values are NaN or infinite"),
    Case("negative tolerance", lambda s: claim(tolerance=-0.1), ValueError,
         r"tolerance must be non-negative and finite: got -0.1"),
    Case("claim without power", lambda s: claim(rivals={"near": 1.05}), claims.ClaimError,
         r"no power against 'near' \(1.05\)"),
    Case("verdict that was not expected", lambda s: claim(predicted=2.0), claims.ClaimError,
         r"verdict 'refuted', expected 'confirmed'"),
]  # fmt: skip


def doubles(replicas, *, seed, rate):
    return {"value": rate * np.arange(replicas.start, replicas.stop)}


def short(replicas, *, seed, rate):
    return {"value": np.zeros(1)}


def fails(replicas, *, seed, rate):
    raise ArithmeticError("no result")


def sweep(function=doubles, grid=None, **options):
    return runner.sweep(function, {"rate": [1.0, 2.0]} if grid is None else grid, **options)


def stored_then_full(s):
    """A run that another has left pieces for, on a disk that is full by now."""
    store = s.root / "store"
    sweep(replicas=2, store=store)
    s.patch.setattr(chunk_store.os, "fsync", refused(28, "No space left on device"))
    watch(s)
    return sweep(replicas=6, chunk_size=2, store=store)


RUNNER = [
    Case("no replicas", lambda s: sweep(replicas=0), ValueError,
         r"replicas must be at least 1: got 0"),
    Case("chunks of nothing", lambda s: sweep(chunk_size=0), ValueError,
         r"chunk_size must be at least 1: got 0"),
    Case("negative seed of an ensemble", lambda s: sweep(seed=-3), ValueError,
         r"seed must be at least 0: got -3"),
    Case("grid that is no mapping", lambda s: sweep(grid=[1.0]), TypeError,
         r"grid must map parameters to values: got list"),
    Case("empty grid axis", lambda s: sweep(grid={"rate": []}), ValueError,
         r"grid axis 'rate' must be a list of numbers or texts: got \[\]"),
    Case("grid axis with a repeat", lambda s: sweep(grid={"rate": [1.0, 1.0]}), ValueError,
         r"grid axis 'rate' must not repeat a value: got \[1.0, 1.0\]"),
    Case("results of another length", lambda s: sweep(short, replicas=3), runner.ChunkError,
         r"replicas 0 to 2 at rate=1.0: ValueError: 'value' must have 3 rows: got shape \(1,\)"),
    Case("ensemble that fails", lambda s: sweep(fails, replicas=3), runner.ChunkError,
         r"replicas 0 to 2 at rate=1.0: ArithmeticError: no result"),
    Case("lambda to be stored", lambda s: sweep(lambda *_, **__: {}, store=s.root / "s"), TypeError,
         r"function must be defined at the top of a module.*got <function"),
    Case("store that is a file", lambda s: sweep(store=s.file), OSError,
         r"store must be a folder that can be written: .*/file"),
    Case("store in a place without permission",
         lambda s: [s.patch.setattr(chunk_store.Path, "mkdir", refused(13, "Permission denied")),
                    sweep(store=s.root / "new")],
         OSError, r"store must be a folder that can be written: .*/new.*Permission denied"),
    Case("store on a disk that fills up", stored_then_full, OSError,
         r"cannot write a finished piece to .*/store: No space left.*are complete"),
    Case("no workers", lambda s: runner.processes(0), ValueError,
         r"workers must be at least 1: got 0"),
    Case("provenance of no configuration", lambda s: provenance.record({"a": 1}, seconds=1.0),
         TypeError, r"config must be a dataclass instance: got dict"),
    Case("negative duration",
         lambda s: provenance.record(sgd.Config(0.1, 1, 1), seconds=-1.0), ValueError,
         r"seconds must be non-negative and finite: got -1.0"),
]  # fmt: skip

FIGURES = [
    Case("unknown size of a figure", lambda s: plotting.figure("huge"), ValueError,
         r"size must be one of .*got 'huge'"),
    Case("half an interval", lambda s: plotting.points(None, [1], [1], low=[0]), ValueError,
         r"low and high must be given together"),
    Case("interval beside its value",
         lambda s: plotting.points(None, [1], [1], low=[2], high=[3]), ValueError,
         r"every interval must contain its value: 1 ends do not"),
    Case("logarithm of an unknown axis", lambda s: plotting.log_axes(None, "z"), ValueError,
         r"axes must be one of 'x', 'y', 'xy': got 'z'"),
]  # fmt: skip


def moments(**changes):
    fields = {"curvature": 1.0, "noise": (0, 0, 0), "batch_size": 1, "learning_rate": 0.1}
    return noise_covariance.sgd_moments(1.0, **{**fields, "steps": 3, **changes})


CHAPTERS = [
    Case("noise of batches larger than the data", lambda s: noise_covariance.batch_factor(5, 6),
         ValueError, r"batch_size must lie in \[1, 5\]: got 6"),
    Case("noise of one sample", lambda s: noise_covariance.batch_factor(1, 1), ValueError,
         r"samples must be at least 2: got 1"),
    Case("noise of an unknown sampler",
         lambda s: noise_covariance.batch_factor(5, 2, sampler="shuffle"), ValueError,
         r"sampler must be one of 'without_replacement', 'iid': got 'shuffle'"),
    Case("covariance of NaN gradients",
         lambda s: noise_covariance.noise_covariance(np.full((4, 2), NAN), batch_size=2),
         ValueError, r"gradients must be finite: 8 of 8 values are NaN or infinite"),
    Case("covariance of no gradients",
         lambda s: noise_covariance.noise_covariance(np.empty((0, 2)), batch_size=1), ValueError,
         r"gradients must not be empty: got shape \(0, 2\)"),
    Case("loss of NaN outputs", lambda s: noise_covariance.mean_square_loss([NAN], [1.0]),
         ValueError, r"outputs must be finite: 1 of 1 values are NaN or infinite"),
    Case("step backwards",
         lambda s: noise_covariance.sgd_step(0.0, np.ones((2, 1)), learning_rate=-1), ValueError,
         r"learning_rate must be positive and finite: got -1"),
    Case("moments at a negative rate", lambda s: moments(learning_rate=-0.1), ValueError,
         r"learning_rate must be positive and finite: got -0.1"),
    Case("moments of no batch", lambda s: moments(batch_size=0), ValueError,
         r"batch_size must be at least 1: got 0"),
    Case("moments on a flat line", lambda s: moments(curvature=0.0), ValueError,
         r"curvature must be positive and finite: got 0.0"),
    Case("loss below the minimum", lambda s: noise_covariance.mean_share(0.5), ValueError,
         r"loss_ratio must be at least 1: got 0.5"),
    Case("kurtosis below one", lambda s: noise_covariance.kurtosis_noise(2.0, kurtosis=0.5),
         ValueError, r"kurtosis must be at least 1: got 0.5"),
    Case("barrier without noise",
         lambda s: noise_covariance.path_barrier([1, 2, 3], [1, 0, 1], learning_rate=0.1),
         ValueError, r"variances must be positive: got 0"),
    Case("chapter with batches larger than its data",
         lambda s: noise_covariance.Config(samples=10, batch_sizes=(20,)), ValueError,
         r"batch_sizes must lie in \[1, 10\]: got 20"),
    Case("escape at a negative rate",
         lambda s: kramers_escape.escape_rate(
             2.0, learning_rate=-0.1, batch_size=1, curvature_minimum=1.0, curvature_saddle=-1.0,
             effective_dimension=2),
         ValueError, r"learning_rate must be positive: got -0.1"),
    Case("escape below the minimum",
         lambda s: linear_regression.mean_first_passage_time(
             0.9, dimension=1, learning_rate=0.1, batch_size=1),
         ValueError, r"loss_ratio must be at least 1: got 0.9"),
    Case("escape of no batch",
         lambda s: linear_regression.linear_barrier_time(
             2.0, dimension=1, learning_rate=0.1, batch_size=0),
         ValueError, r"batch_size must be a whole number, at least 1: got 0"),
    Case("spectra of too few images", lambda s: decoupling.Config(images=50), ValueError,
         r"images must lie in \[100, 70000\]: got 50"),
    Case("spectra with batches larger than the data",
         lambda s: decoupling.Config(images=200, batch_size=201), ValueError,
         r"batch_size must lie in \[1, 200\]: got 201"),
    Case("epochs that go back", lambda s: decoupling.Config(epochs=(0, 50, 5)), ValueError,
         r"epochs must increase from 0 or more: got \(0, 50, 5\)"),
    Case("factor of agreement one", lambda s: decoupling.Config(factor=1.0), ValueError,
         r"factor must lie in \(1, 1e\+06\): got 1.0"),
    Case("logarithm of a zero loss", lambda s: decoupling.mean_log_ratio([1.0, 0.0]), ValueError,
         r"losses must be positive: got 0"),
    Case("traces with a NaN loss", lambda s: decoupling.trace_ratio([1.0, NAN], [1.0, 1.0]),
         ValueError, r"losses must be finite: 1 of 2 values are NaN or infinite"),
    Case("effective dimension above all", lambda s: decoupling.scale_of([1.0, 2.0], 1.5),
         ValueError, r"fraction must lie in \(0, 1\): got 1.5"),
    Case("noise of an unknown data set", lambda s: noise_strength.Config(cnn_data="imagenet"),
         ValueError, r"cnn_data must be one of 'mnist', .*, 'cifar10': got 'imagenet'"),
    Case("noise at a negative rate", lambda s: noise_strength.Config(learning_rate=-0.1),
         ValueError, r"learning_rate must be positive and finite: got -0.1"),
    Case("noise from one replica", lambda s: noise_strength.Config(replicas=1), ValueError,
         r"replicas must be at least 2: got 1"),
    Case("noise with batches larger than the data",
         lambda s: noise_strength.Config(images=50, batch_size=100), ValueError,
         r"batch_size must lie in \[1, 50\]: got 100"),
    Case("noise of no outputs", lambda s: noise_strength.predicted_noise(1.0, 2.0, outputs=0),
         ValueError, r"outputs must be at least 1: got 0"),
    Case("residual noise of no outputs",
         lambda s: noise_strength.residual_noise(1.0, 2.0, outputs=0), ValueError,
         r"outputs must be at least 1: got 0"),
    Case("network without layers", lambda s: noise_strength.margin_exponent(0), ValueError,
         r"layers must be at least 1: got 0"),
    Case("spiral without friction", lambda s: intro.spiral([0, 1], momentum=1.0), ValueError,
         r"momentum must lie in \[0, 1\): got 1.0"),
]  # fmt: skip

SETTING = {"learning_rate": 0.1, "momentum": 0.9, "batch_size": 8}
LIMITS = [
    Case("variance beyond the edge",
         lambda s: underdamped_langevin.stationary_covariance(50.0, 1.0, **SETTING), ValueError,
         r"must lie below 2 \(1 \+ momentum\) / learning_rate = 38: got 50.0"),
    Case("variance of a free mode",
         lambda s: underdamped_langevin.stationary_covariance(0.0, 1.0, **SETTING), ValueError,
         r"curvature \+ weight_decay must be positive: got 0.0"),
    Case("negative noise",
         lambda s: underdamped_langevin.stationary_covariance(1.0, -1.0, **SETTING), ValueError,
         r"noise must lie in \[0, inf\): got -1.0"),
    Case("critical curvature at rate 0",
         lambda s: underdamped_langevin.critical_curvature(learning_rate=0.0, momentum=0.9),
         ValueError, r"learning_rate must lie in \(0, inf\): got 0.0"),
    Case("displacement after half a step",
         lambda s: anomalous_diffusion.mean_squared_displacement(0.5, [1.0], [1.0], **SETTING),
         ValueError, r"steps must be whole numbers: got 0.5"),
    Case("displacement with a NaN curvature",
         lambda s: anomalous_diffusion.mean_squared_displacement(1, [NAN], [1.0], **SETTING),
         ValueError, r"curvatures must be finite"),
    Case("displacement in batches of none",
         lambda s: anomalous_diffusion.mean_squared_displacement(
             1, [1.0], [1.0], **SETTING | {"batch_size": 0}
         ), ValueError, r"batch_size must be at least 1: got 0"),
    Case("equipartition at full momentum",
         lambda s: modified_loss.equipartition_curvature(
             1.0, 1.0, learning_rate=0.1, momentum=1.0
         ), ValueError, r"momentum must be in \[0, 1\): got 1.0"),
    Case("covariance with noise of another size",
         lambda s: modified_loss.covariance([1.0, 2.0], np.eye(3), **SETTING), ValueError,
         r"noise must have shape \(2, 2\): got \(3, 3\)"),
    Case("strength of a negative trace",
         lambda s: network_limits.noise_ratio(-1.0, **SETTING), ValueError,
         r"trace must be non-negative and finite: got -1.0"),
]  # fmt: skip

TABLE = [
    *DATA,
    *MODELS,
    *TRAINING,
    *GRADIENTS,
    *SPECTRA,
    *STATISTICS,
    *CLAIMS,
    *RUNNER,
    *FIGURES,
    *CHAPTERS,
    *LIMITS,
]


@dataclass(frozen=True)
class Command:
    """A command line that must be refused; "{file}" and "{root}" stand for paths of the bench."""

    name: str
    arguments: str
    code: int
    message: str


COMMANDS = [
    Command("unknown command", "fly", 2, r"No such command 'fly'"),
    Command("unknown chapter", "run fly", 2, r"No such command 'fly'"),
    Command("unknown set", "download imagenet", 2,
            r"NAME must be one of mnist, fashion_mnist, cifar10: got 'imagenet'"),
    Command("data folder that is a file", "download mnist --folder {file}", 1,
            r"data folder .*/file/mnist cannot be written .*SGDESCAPE_DATA"),
    Command("number that is a word", "run noise_covariance --groups many", 2,
            r"--groups must be a whole number: got 'many'"),
    Command("number out of range", "run noise_covariance --groups 2", 2,
            r"groups must lie in \[4, 10000\]: got 2"),
    Command("negative seed", "run noise_covariance --seed -1", 2,
            r"--seed must be at least 0: got -1"),
    Command("unknown option", "run noise_covariance --speed 1", 2, r"No such option: --speed"),
    Command("unknown scale", "run noise_covariance --scale huge", 2,
            r"--scale must be one of 'quick', 'paper': got 'huge'"),
    Command("unknown device", "run noise_covariance --device tpu", 2,
            r"--device must be auto, cpu, cuda or cuda:N: got 'tpu'"),
    Command("result into nowhere", "run noise_covariance --out {root}/no/x.nc", 2,
            r"--out must name a file in an existing folder: got .*/no/x.nc"),
    Command("result over an old one", "run noise_covariance --out {file}", 2,
            r"--out exists: .*/file; give --overwrite to replace it"),
    Command("result that is not there", "show {root}/none.nc", 1, r"No such file.*none.nc"),
    Command("result that is none", "show {file}", 1, r"NetCDF: Unknown file format: .*/file"),
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_bad_command_lines_are_refused_clearly_and_change_nothing(command, bench, capfd):
    watch(bench)
    words = [word.format(file=bench.file, root=bench.root) for word in command.arguments.split()]
    with pytest.raises(SystemExit) as caught:
        cli.main(words)
    shown = capfd.readouterr()
    assert caught.value.code == command.code
    assert re.search(command.message, " ".join(shown.err.split())), shown.err
    assert shown.out == "" and "Traceback" not in shown.err
    bench.patch.undo()
    assert state(bench) == bench.before


def files(root):
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        if path.is_file()
        else "folder"
        for path in sorted(root.rglob("*"))
    }


def watch(s):
    """Record everything a refusal must leave alone (a case may call it again after set-up)."""
    s.before = state(s)


def state(s):
    return {
        "files": files(s.root),
        "parameters": [p.detach().clone().numpy().tobytes() for p in s.model.parameters()],
        "inputs": (s.inputs.numpy().tobytes(), s.targets.numpy().tobytes()),
        "torch random": torch.get_rng_state().numpy().tobytes(),
        "numpy random": hashlib.sha256(np.random.get_state()[1].tobytes()).hexdigest(),  # noqa: NPY002
        "defaults": (torch.get_default_dtype(), torch.is_grad_enabled(), torch.get_num_threads()),
    }


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.name)
def test_bad_input_is_refused_clearly_and_changes_nothing(case, bench):
    watch(bench)
    with pytest.raises(case.error, match=case.message) as caught:
        case.call(bench)
    bench.patch.undo()
    assert type(caught.value).__module__ != "torch", "a raw error of torch came through"
    after = state(bench)
    assert after == bench.before


def test_the_table_is_long_enough_and_each_case_has_its_own_name():
    assert len(TABLE) >= 40
    assert len({case.name for case in TABLE}) == len(TABLE)

"""Images: exact pixels and labels, every source, every way a file can be wrong."""

import dataclasses
import functools
import gzip
import hashlib
import http.server
import io
import runpy
import shutil
import socket
import struct
import tarfile
import threading
from importlib import resources

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sgdescape.core.data import formats, image_sets, pinned, sources
from sgdescape.core.roots import PROJECT


@pytest.fixture(autouse=True)
def bare_machine(monkeypatch, tmp_path):
    """No data folder but what a test makes, and no way out of the machine."""
    monkeypatch.setenv("SGDESCAPE_DATA", str(tmp_path / "cache"))
    monkeypatch.setattr(sources, "SYSTEM_FOLDERS", ())
    connect = socket.socket.connect

    def loopback_only(self, address):
        if not (isinstance(address, tuple) and address[0] in ("127.0.0.1", "localhost")):
            raise AssertionError(f"network used: {address}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", loopback_only)


def idx(array):
    array = np.asarray(array, dtype=np.uint8)
    return (
        bytes([0, 0, 8, array.ndim])
        + struct.pack(f">{array.ndim}I", *array.shape)
        + array.tobytes()
    )


def sha(content):
    return hashlib.sha256(content).hexdigest()


IMAGES = np.random.Generator(np.random.Philox(key=1)).integers(0, 256, (12, 4, 5), dtype=np.uint8)
LABELS = np.arange(12, dtype=np.uint8) % 10
CIFAR = np.random.Generator(np.random.Philox(key=2)).integers(0, 256, (15, 3073), dtype=np.uint8)
CIFAR[:, 0] = np.arange(15) % 10


def tar_gz(files):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


CIFAR_TAR = tar_gz(
    {m: CIFAR[3 * i : 3 * i + 3].tobytes() for i, m in enumerate(pinned.CIFAR_MEMBERS)}
)


@pytest.fixture
def tiny(monkeypatch):
    """Twelve images in place of the sixty thousand, pinned in the same way; returns the files."""
    contents = {
        "train-images-idx3-ubyte.gz": idx(IMAGES),
        "train-labels-idx1-ubyte.gz": idx(LABELS),
    }
    packed = {name: gzip.compress(content, mtime=0) for name, content in contents.items()}
    pins = tuple(
        pinned.Pinned(name, sha(contents[name]), len(contents[name]), sha(packed[name]))
        for name in contents
    )
    cifar = (
        pinned.Pinned("cifar-10-binary.tar.gz", sha(CIFAR_TAR), len(CIFAR_TAR), sha(CIFAR_TAR)),
    )
    for name, files in (("mnist", pins), ("fashion_mnist", pins), ("cifar10", cifar)):
        source = dataclasses.replace(sources.SOURCES[name], files=files, mirrors=())
        monkeypatch.setitem(sources.SOURCES, name, source)
    return {**packed, "cifar-10-binary.tar.gz": CIFAR_TAR}


def put(folder, files, names=("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz")):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(files[name])
    return folder


# the bundled images


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_bundled_images_are_whole_and_their_pixels_are_scaled(name):
    raw, labels, hashes = sources.read_bundled(name)
    loaded = image_sets.load(name, subset=True)
    assert loaded.inputs.shape == (5000, 784) and loaded.inputs.dtype == torch.float32
    assert torch.equal(loaded.inputs, torch.from_numpy(raw.reshape(5000, 784)).float() / 255)
    assert loaded.inputs.min() == 0 and loaded.inputs.max() == 1
    assert torch.equal(loaded.labels, torch.from_numpy(labels.astype(np.int64)))
    assert loaded.provenance == {
        "name": name, "source": "bundled", "sha256": hashes, "n": 5000, "seed": None,
        "task": "parity", "total": 5000,
    }  # fmt: skip


def test_the_bundled_subsets_are_what_their_readme_says():
    readme = (
        resources.files("sgdescape").joinpath("bundled", "README.md").read_text(encoding="utf-8")
    )
    for name in ("mnist", "fashion_mnist"):
        assert sources.SOURCES[name].bundled in readme
    assert np.bincount(image_sets.load("mnist", subset=True).labels).tolist() == [500] * 10
    counts = np.bincount(image_sets.load("fashion_mnist", subset=True).labels)
    assert (counts.min(), counts.max()) == (457, 556)
    # fixed shuffled order: the first n of sorted images would be one class
    assert np.bincount(image_sets.load("mnist", n=100).labels, minlength=10).min() >= 6
    # Fashion-MNIST's published file starts with an ankle boot, a T-shirt, another one, a dress
    assert image_sets.load("fashion_mnist", n=4).labels.tolist() == [9, 0, 0, 3]


def test_digits_look_like_digits():
    # independent of how the file was made: ones have the least ink, zeros the most
    loaded = image_sets.load("mnist", subset=True, dtype=torch.float64)
    ink = [float(loaded.inputs[loaded.labels == c].mean()) for c in range(10)]
    assert int(np.argmin(ink)) == 1 and int(np.argmax(ink)) == 0
    assert 0.12 < np.mean(ink) < 0.14  # MNIST's mean pixel is 0.1307


@pytest.mark.parametrize("kind", ["corrupt", "truncated", "missing"])
def test_a_wrong_bundled_file_is_refused(kind, monkeypatch, tmp_path):
    good = resources.files("sgdescape").joinpath("bundled", "mnist.npz").read_bytes()
    (tmp_path / "bundled").mkdir()
    if kind != "missing":
        bad = good[:-1] if kind == "truncated" else good[:99] + bytes([good[99] ^ 1]) + good[100:]
        (tmp_path / "bundled" / "mnist.npz").write_bytes(bad)
    monkeypatch.setattr(sources.resources, "files", lambda _: tmp_path)
    with pytest.raises(ValueError, match=r"bundled mnist.npz (is corrupt: SHA-256|cannot)"):
        image_sets.load("mnist", n=10)


# choosing images


def test_tasks():
    parity, one_hot = (image_sets.load("mnist", n=200, task=task) for task in image_sets.TASKS)
    assert parity.targets.shape == (200,) and one_hot.targets.shape == (200, 10)
    assert torch.equal(parity.targets, torch.where(parity.labels % 2 == 0, 1.0, -1.0))
    assert torch.equal(one_hot.targets.argmax(1), one_hot.labels)
    assert torch.equal(one_hot.targets.sum(1), torch.ones(200))


def test_layout_dtype_and_device():
    rows = image_sets.load("fashion_mnist", n=3, dtype=torch.float64)
    planes = image_sets.load("fashion_mnist", n=3, dtype=torch.float64, images=True, device="auto")
    assert planes.inputs.shape == (3, 1, 28, 28)
    assert torch.equal(planes.inputs.cpu().reshape(3, 784), rows.inputs)
    assert rows.inputs.dtype == rows.targets.dtype == torch.float64
    assert rows.labels.dtype == torch.int64
    assert torch.equal(rows.inputs.mul(255).round(), rows.inputs * 255)  # exact in double


@settings(deadline=None, max_examples=25)
@given(n=st.integers(1, 5000), seed=st.integers(0, 2**64 - 1))
def test_a_random_subset_has_no_repeats_and_depends_on_the_seed_alone(n, seed):
    order = image_sets.load("mnist", n=n, seed=seed)
    again = image_sets.load("mnist", n=n, seed=seed)
    assert torch.equal(order.inputs, again.inputs) and torch.equal(order.labels, again.labels)
    assert len(torch.unique(order.inputs, dim=0)) == n  # no image occurs twice in the bundle
    assert order.provenance["seed"] == seed and order.provenance["n"] == n


def test_a_random_subset_keeps_image_and_label_together():
    everything, drawn = (
        image_sets.load("mnist", subset=True),
        image_sets.load("mnist", n=300, seed=7),
    )
    place = {row.tobytes(): i for i, row in enumerate(everything.inputs.numpy())}
    where = [place[row.tobytes()] for row in drawn.inputs.numpy()]
    assert torch.equal(everything.labels[where], drawn.labels)
    other = image_sets.load("mnist", n=300, seed=8)
    assert not torch.equal(drawn.inputs, other.inputs)
    assert torch.equal(image_sets.load("mnist", n=300).inputs, everything.inputs[:300])


def test_draws_are_uniform():
    # each of 5000 images is in a draw of 50 with probability 1/100; 200 draws, chi-square by class
    labels = torch.cat([image_sets.load("mnist", n=50, seed=s).labels for s in range(200)])
    counts = np.bincount(labels, minlength=10)
    chi_square = ((counts - 1000) ** 2 / 1000).sum() / 0.99  # 9 degrees of freedom
    assert chi_square < 45  # level 1e-6


# folders


@pytest.mark.parametrize("sub", ["mnist", "MNIST/raw", "MNIST"])
@pytest.mark.parametrize("how", ["argument", "variable", "system"])
def test_the_full_set_is_found_in_a_data_folder(tiny, tmp_path, monkeypatch, sub, how):
    folder = put(tmp_path / "root" / sub, tiny)
    if how == "variable":
        monkeypatch.setenv("SGDESCAPE_DATA", str(tmp_path / "root"))
    if how == "system":
        monkeypatch.setattr(sources, "SYSTEM_FOLDERS", (tmp_path / "root",))
    argument = {"data_dir": tmp_path / "root"} if how == "argument" else {}
    loaded = image_sets.load("mnist", images=True, task="one_hot", **argument)
    assert torch.equal(loaded.inputs, torch.from_numpy(IMAGES)[:, None].float() / 255)
    assert loaded.labels.tolist() == LABELS.tolist()
    assert loaded.provenance["source"] == str(folder) == image_sets.available("mnist", **argument)
    assert loaded.provenance["total"] == 12
    assert loaded.provenance["sha256"]["train-images-idx3-ubyte.gz"] == sha(idx(IMAGES))
    # another set's files of the same names do not answer for it
    assert image_sets.available("fashion_mnist", n=5001, **argument) == "missing"


def test_a_folder_named_for_the_set_may_hold_the_files_itself(tiny, tmp_path):
    folder = put(tmp_path / "fashion-mnist", tiny)
    assert image_sets.load("fashion_mnist", data_dir=folder).provenance["source"] == str(folder)


def test_plain_idx_files_will_do(tiny, tmp_path):
    folder = tmp_path / "mnist"
    folder.mkdir()
    (folder / "train-images-idx3-ubyte").write_bytes(idx(IMAGES))
    (folder / "train-labels-idx1-ubyte").write_bytes(idx(LABELS))
    assert image_sets.load("mnist", data_dir=tmp_path).labels.tolist() == LABELS.tolist()


def test_the_bundle_serves_small_n_whatever_else_is_there(tiny, tmp_path, monkeypatch):
    put(tmp_path / "cache" / "mnist", tiny)
    assert image_sets.available("mnist", n=10) == "bundled"
    assert image_sets.load("mnist", n=10).provenance["source"] == "bundled"
    assert image_sets.load("mnist").provenance["total"] == 12
    assert image_sets.load("mnist", n=10, data_dir=tmp_path / "cache").provenance["total"] == 12


def test_cifar10_from_its_archive(tiny, tmp_path):
    put(tmp_path / "cifar10", tiny, names=["cifar-10-binary.tar.gz"])
    loaded = image_sets.load("cifar10", data_dir=tmp_path, images=True)
    expected = torch.from_numpy(CIFAR[:, 1:].reshape(15, 3, 32, 32)).float() / 255
    assert torch.equal(loaded.inputs, expected)
    assert loaded.labels.tolist() == CIFAR[:, 0].tolist()
    assert image_sets.load("cifar10", data_dir=tmp_path, n=2).inputs.shape == (2, 3072)


@pytest.mark.skipif(
    sources.find("fashion_mnist", data_dir="/usr/share/datasets") is None,
    reason="Debian's dataset-fashion-mnist is not installed",
)
def test_debians_files_are_the_published_ones_and_start_with_the_bundled():
    full = image_sets.load("fashion_mnist", data_dir="/usr/share/datasets")
    bundled = image_sets.load("fashion_mnist", subset=True, n=5000)
    assert full.inputs.shape == (60_000, 784)
    assert torch.equal(full.inputs[:5000], bundled.inputs)
    assert np.bincount(full.labels).tolist() == [6000] * 10


@pytest.mark.parametrize(
    "harm, message",
    [
        (lambda packed: packed[:-20], "truncated or corrupt"),
        (
            lambda packed: packed[:30] + bytes([packed[30] ^ 255]) + packed[31:],
            "corrupt|not the pub",
        ),
        (lambda packed: gzip.compress(gzip.decompress(packed)[:-1]), "is truncated: must hold 256"),
        (lambda packed: gzip.compress(gzip.decompress(packed) + b"\0"), "at most 256 bytes"),
        (
            lambda packed: gzip.compress(b"\1" + gzip.decompress(packed)[1:]),
            "not the published file",
        ),
        (lambda packed: b"", "is truncated: must hold 256 bytes, got 0"),
    ],
)
def test_wrong_files_are_named_and_refused(tiny, tmp_path, harm, message):
    name = "train-images-idx3-ubyte.gz"
    put(tmp_path / "mnist", {**tiny, name: harm(tiny[name])})
    with pytest.raises(ValueError, match=rf"mnist/{name} .*({message})"):
        image_sets.load("mnist", data_dir=tmp_path)
    with pytest.raises(ValueError, match=name):  # refused, not replaced by the bundled images
        image_sets.load("mnist", n=5, data_dir=tmp_path)


# what is not there


def test_too_many_images_for_the_bundle_says_how_to_get_more():
    with pytest.raises(
        ValueError, match=r"n must lie in \[1, 5000\].*got 5001.*sgdescape download mnist"
    ):
        image_sets.load("mnist", n=5001)
    with pytest.raises(FileNotFoundError, match=r"cifar10 is not bundled.*SGDESCAPE_DATA"):
        image_sets.load("cifar10", n=10)
    assert image_sets.available("cifar10") == image_sets.available("mnist", n=5001) == "missing"


def test_the_full_set_does_not_shrink_silently(tmp_path, monkeypatch):
    monkeypatch.setenv("SGDESCAPE_DATA", str(tmp_path / "mistyped"))
    assert image_sets.available("mnist") == "missing"
    assert image_sets.available("mnist", subset=True) == "bundled"
    with pytest.raises(FileNotFoundError, match="full set of 60000 images of mnist") as error:
        image_sets.load("mnist")
    said = str(error.value)
    for part in ("mistyped (SGDESCAPE_DATA, no such folder)", "train-images-idx3-ubyte.gz",
                 "MNIST/raw", "subset=True", "sgdescape download mnist"):  # fmt: skip
        assert part in said
    assert len(image_sets.load("mnist", subset=True).inputs) == 5000
    with pytest.raises(FileNotFoundError, match="data_dir must hold"):  # nothing else will do
        image_sets.load("mnist", subset=True, data_dir=tmp_path)


def test_the_origin_of_images_names_no_path(tiny, tmp_path):
    put(tmp_path / "mnist", tiny)
    found = image_sets.origin(image_sets.load("mnist", data_dir=tmp_path))
    assert found["source"] == "data folder" and str(tmp_path) not in str(found)
    assert found["sha256"]["train-images-idx3-ubyte.gz"] == sha(idx(IMAGES))
    assert image_sets.origin(image_sets.load("mnist", n=7))["n"] == 7


def test_a_data_dir_without_the_set_is_said_and_not_passed_over(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"data_dir must hold .*/mnist/ with train-im"):
        image_sets.load("mnist", n=10, data_dir=tmp_path)


# downloads, from a server on this machine


@pytest.fixture
def server(tmp_path):
    root = tmp_path / "served"
    root.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Quiet, directory=str(root))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield root, f"http://127.0.0.1:{running.server_port}/"
        running.shutdown()
        thread.join()


def serve(monkeypatch, name, mirrors):
    source = dataclasses.replace(sources.SOURCES[name], mirrors=tuple(mirrors))
    monkeypatch.setitem(sources.SOURCES, name, source)


def test_download_uses_the_first_mirror_that_serves_the_right_file(
    tiny, server, tmp_path, monkeypatch
):
    root, url = server
    put(root / "wrong", {name: content[:-1] for name, content in tiny.items()})
    put(root / "right", tiny)
    serve(monkeypatch, "mnist", [url + "absent/", url + "wrong/", url + "right/"])
    loaded = image_sets.load("mnist", download=True)
    folder = tmp_path / "cache" / "mnist"
    assert loaded.labels.tolist() == LABELS.tolist()
    assert loaded.provenance["source"] == str(folder)
    assert sorted(p.name for p in folder.iterdir()) == sorted(
        p.name for p in (root / "right").iterdir()
    )
    shutil.rmtree(root / "right")  # now it is here, and nobody is asked again
    assert image_sets.load("mnist", n=6, seed=0, download=True).provenance["n"] == 6
    assert image_sets.load("mnist").provenance["total"] == 12


def test_the_papers_sets_are_fetched_once_and_used_where_they_are_found(
    tiny, server, tmp_path, monkeypatch, capsys
):
    root, url = server
    for name in sources.SOURCES:
        files = ["cifar-10-binary.tar.gz"] if name == "cifar10" else list(tiny)[:2]
        put(root / name, tiny, names=files)
        serve(monkeypatch, name, [f"{url}{name}/"])
    monkeypatch.setenv(sources.VARIABLE, str(tmp_path / "data"))
    fetch = runpy.run_path(str(PROJECT / "tools" / "paper_data.py"))["main"]
    fetch()
    said = capsys.readouterr().out
    for name in sources.SOURCES:
        assert f"{name}: " in said and str(tmp_path / "data" / name) in said
        found = image_sets.origin(image_sets.load(name))
        assert found["source"] == "data folder" and found["n"] == found["total"] > 0
    shutil.rmtree(root)  # now all is here, and nobody is asked again
    fetch()
    assert capsys.readouterr().out == said


def test_a_download_that_cannot_succeed_leaves_nothing(tiny, server, tmp_path, monkeypatch):
    root, url = server
    put(root / "wrong", {name: content[:-1] for name, content in tiny.items()})
    serve(monkeypatch, "mnist", [url + "wrong/", url + "absent/"])
    with pytest.raises(OSError, match=r"none of 2 mirrors served it.*hash.*404"):
        image_sets.download("mnist", tmp_path / "new")
    assert list((tmp_path / "new" / "mnist").iterdir()) == []


def test_download_replaces_a_corrupt_file_and_keeps_a_right_one(
    tiny, server, tmp_path, monkeypatch
):
    root, url = server
    put(root, tiny, names=["train-images-idx3-ubyte.gz"])
    serve(monkeypatch, "mnist", [url])
    folder = put(tmp_path / "mnist", {**tiny, "train-images-idx3-ubyte.gz": b"\x1f\x8b half"})
    # packed anew: another file, the same content; the server does not have it
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(LABELS), 1))
    assert image_sets.download("mnist", tmp_path) == folder
    assert image_sets.load("mnist", data_dir=tmp_path).labels.tolist() == LABELS.tolist()


def test_download_into_a_place_that_cannot_be_written(tiny, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(
        OSError, match=r"data folder .*file/mnist cannot be written.*SGDESCAPE_DATA"
    ):
        image_sets.download("mnist", tmp_path / "file")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "in the way"

    def refuse(*_, **__):  # what a folder without permission does; root is never refused by chmod
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(sources.tempfile, "TemporaryFile", refuse)
    with pytest.raises(OSError, match=r"data folder .* cannot be written \(Permission denied\)"):
        image_sets.load("cifar10", download=True)


def test_nothing_is_fetched_unless_asked(tiny, monkeypatch, tmp_path):
    monkeypatch.setattr(sources, "_fetch", lambda *_: pytest.fail("network used"))
    image_sets.load("mnist", subset=True)
    image_sets.load("mnist", n=10, download=True)  # the bundle has them
    for name in image_sets.NAMES:
        image_sets.available(name)
    with pytest.raises(FileNotFoundError):
        image_sets.load("cifar10")


def test_real_pins_are_whole():
    for name, source in sources.SOURCES.items():
        assert len(source.mirrors) >= 2 and source.folders and source.total in (50_000, 60_000)
        for file in source.files:
            assert len(file.content) == len(file.packed) == 64
        if name != "cifar10":  # idx: header and one byte a value
            assert [p.size for p in source.files] == [16 + 60_000 * 784, 8 + 60_000]


# formats


@settings(deadline=None)
@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=5)))
def test_idx_round_trip_and_every_cut_is_refused(array):
    content = idx(array)
    assert np.array_equal(formats.parse_idx(content, name="a", dimensions=array.ndim), array)
    packed = formats.gunzip(gzip.compress(content), name="a", limit=len(content))
    assert packed == content
    for cut in range(len(content)):
        with pytest.raises(ValueError, match="truncated|magic"):
            formats.parse_idx(content[:cut], name="a", dimensions=array.ndim)
    with pytest.raises(ValueError, match="too long"):
        formats.parse_idx(content + b"\0", name="a", dimensions=array.ndim)


@pytest.mark.parametrize("byte", range(4))
def test_wrong_magic_number(byte):
    content = bytearray(idx([1, 2]))
    content[byte] ^= 1
    with pytest.raises(ValueError, match="labels must start with the idx magic number 0x00000801"):
        formats.parse_idx(bytes(content), name="labels", dimensions=1)


def test_cifar_records_from_a_bin_file(tmp_path):
    (tmp_path / "data_batch_1.bin").write_bytes(CIFAR.tobytes())
    content = (tmp_path / "data_batch_1.bin").read_bytes()
    images, labels = formats.parse_cifar10(content, name="data_batch_1.bin")
    assert np.array_equal(labels, CIFAR[:, 0])
    # red plane first, row by row
    assert images[3, 0, 0, 5] == CIFAR[3, 1 + 5] and images[3, 2, 31, 31] == CIFAR[3, 3072]
    assert images[3, 1, 2, 7] == CIFAR[3, 1 + 1024 + 2 * 32 + 7]


@pytest.mark.parametrize("content", [b"", b"\0" * 3072, b"\0" * 3074, b"\x0a" + b"\0" * 3072])
def test_wrong_cifar_records(content):
    with pytest.raises(
        ValueError, match=r"x.bin must (hold a whole number|have labels in \[0, 9\])"
    ):
        formats.parse_cifar10(content, name="x.bin")


def test_wrong_cifar_archives(tmp_path):
    member = pinned.CIFAR_MEMBERS[0]
    read = functools.partial(formats.parse_cifar10_archive, name="c.tar.gz", members=(member,))
    images, labels = read(tar_gz({"../../etc/passwd": b"x", member: CIFAR[:2].tobytes()}))
    assert len(labels) == 2
    with pytest.raises(
        ValueError, match="c.tar.gz must hold the file 'cifar-10-batches-bin/data_batch_1"
    ):
        read(tar_gz({"other": b""}))
    for bad in (b"", b"junk" * 200, CIFAR_TAR[:1000], CIFAR_TAR[: len(CIFAR_TAR) // 2]):
        with pytest.raises(ValueError, match="c.tar.gz (is truncated or corrupt|must hold)"):
            read(bad, members=pinned.CIFAR_MEMBERS)
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        link = tarfile.TarInfo(member)
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        archive.addfile(link)
    with pytest.raises(ValueError, match="must be a regular file, not a link"):
        read(stream.getvalue())


@pytest.fixture
def dripping():
    """A server that sends a byte at a time, for ever: no time limit of a connection ends it."""

    class Slow(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # noqa: N802
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            for _ in range(1000):
                try:
                    self.wfile.write(b"x")
                    self.wfile.flush()
                except OSError:
                    return
                if closing.wait(0.05):
                    return

        def log_message(self, *_):
            pass

    closing = threading.Event()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}/"
        closing.set()
        running.shutdown()
        thread.join()


def test_a_mirror_that_drips_is_left_for_the_next(tiny, server, dripping, tmp_path, monkeypatch):
    root, url = server
    put(root / "right", tiny)
    serve(monkeypatch, "mnist", [dripping, url + "right/"])
    monkeypatch.setattr(sources, "_PATIENCE", 0.3)
    image_sets.download("mnist", tmp_path / "new")
    assert image_sets.load("mnist", data_dir=tmp_path / "new").labels.tolist() == LABELS.tolist()
    serve(monkeypatch, "mnist", [dripping])
    with pytest.raises(OSError, match="none of 1 mirrors served it: .*not complete after 0 s"):
        image_sets.download("mnist", tmp_path / "again")


FOREIGN = {
    "pointer": (b"version https://git-lfs.github.com/spec/v1\noid ...", "a pointer of Git LFS"),
    "zip": (b"PK\x03\x04" + bytes(60), "a zip archive: unpack it"),
    "page": (b"\n<!DOCTYPE html><html>404</html>", "a web page"),
    "zip inside": (gzip.compress(b"PK\x03\x04" + bytes(60)), "a zip archive"),
}


@pytest.mark.parametrize("case", FOREIGN)
def test_files_of_another_kind_are_named_for_what_they_are(case, tiny, tmp_path):
    content, words = FOREIGN[case]
    put(tmp_path / "mnist", {**tiny, "train-images-idx3-ubyte.gz": content})
    with pytest.raises(ValueError, match=f"must be train-images-idx3-ubyte.gz as .* it is {words}"):
        image_sets.load("mnist", data_dir=tmp_path)


def test_images_and_labels_in_each_others_place_are_seen(tiny, tmp_path):
    images, labels = (tiny[f"train-{n}-ubyte.gz"] for n in ("images-idx3", "labels-idx1"))
    swapped = {"train-images-idx3-ubyte.gz": labels, "train-labels-idx1-ubyte.gz": images}
    put(tmp_path / "mnist", swapped)
    with pytest.raises(ValueError, match="it is the content of train-labels-idx1-ubyte.gz"):
        image_sets.load("mnist", data_dir=tmp_path)

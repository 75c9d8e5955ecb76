"""The experiment: its doors, its seeds, what diverges, and that it needs torch only to compute."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from sgdescape import decoupling
from sgdescape.core.networks import models
from sgdescape.core.spectra import products
from sgdescape.core.training.sgd import square_loss
from sgdescape.decoupling import measure

TINY = replace(
    decoupling.QUICK,
    images=120,
    shuffles=4,
    epochs=(0, 2),
    halvings=1,
    directions=3,
    widths=(5, 8),
    networks=4,
)


def test_dataset_is_a_function_of_the_seed_and_survives_netcdf(tmp_path):
    first, second = decoupling.run(TINY), decoupling.run(TINY)
    for name in first.data_vars:
        np.testing.assert_array_equal(first[name], second[name])
    other = decoupling.run(replace(TINY, seed=1))
    assert not np.array_equal(first["exact"], other["exact"])
    subset = decoupling.run(replace(TINY, image_seed=3))
    assert not np.array_equal(first["exact"], subset["exact"])
    first.to_netcdf(tmp_path / "result.nc")


def test_divergence_is_reported():
    with pytest.raises(RuntimeError, match="diverged at step"):
        decoupling.run(replace(TINY, images=100, batch_size=50, learning_rate=100.0))


def test_curvatures_are_those_of_the_dense_hessian():
    model = models.mlp((4, 5, 3, 1), seed=1, dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(12, 4, generator=generator, dtype=torch.float64)
    y = torch.ones(12, dtype=torch.float64)
    values, vectors = torch.linalg.eigh(products.gram(model, x))
    found = measure._curvatures(model, x, y, vectors.flip(1)[:, :3])
    size = sum(p.numel() for p in model.parameters())
    product = products.hessian_product(model, x, y, loss=square_loss)
    dense = torch.stack([product(e) for e in torch.eye(size, dtype=torch.float64)])
    pairs = products.gauss_newton_eigenpairs(model, x, k=3)
    expected = [float(v @ dense @ v) for v in pairs.eigenvectors.T]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_allclose(pairs.eigenvalues, values.flip(0)[:3] / 12, rtol=1e-6)


def test_importing_the_chapter_does_not_import_torch():
    code = "import sys, sgdescape.decoupling; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


FIELDS = {
    "images": (99, 70_001, 0, -1, 1e3, float("nan"), True, "many", None),
    "image_seed": (-1, 0.5, float("inf"), True, "one", 2**64),
    "hidden": ((), 5, (0,), (10.5,), (True,), "ten", (10**9,)),
    "epochs": ((), (-1, 5), (50, 0), (0, 0), 5, (0.5,), (10**30,), "all"),
    "learning_rate": (0.0, -1.0, float("nan"), float("inf"), 1e300, True, "fast", 1j),
    "batch_size": (0, -1, 1501, 2.5, True, "all", float("nan")),
    "shuffles": (1, 3, 10**30, 4.5, True, "few"),
    "directions": (0, 1501, -1, 1.5, False, "all"),
    "halvings": (0, 8, 10**30, 0.5, True, "all"),
    "cut": (-0.1, 1.0, float("nan"), float("inf"), True, "none", 1j),
    "factor": (1.0, 0.0, -1.0, float("nan"), float("inf"), 1e300, True, "two"),
    "widths": ((), (0, 5), (5, 4), (5, 5), (5.5,), 5, "wide", (10**30,), (True,)),
    "networks": (3, 0, -1, 10**30, 4.5, True, float("nan"), "some"),
    "seed": (-1, 0.5, 2**63, float("nan"), True, "zero"),
}


@pytest.mark.parametrize("field", FIELDS)
def test_config_refuses(field):
    assert set(FIELDS) == set(decoupling.Config.__dataclass_fields__)
    for value in FIELDS[field]:
        with pytest.raises((TypeError, ValueError), match=field):
            replace(decoupling.QUICK, **{field: value})


def test_config_accepts_its_ends():
    replace(decoupling.QUICK, images=100, batch_size=100, directions=100, halvings=3, factor=1.001)

"""The larger run kept in ``results/``: one or several seeds of `neural_network.run`, joined.

sgdescape run neural_network --seed 20 --replicas 2400 --bowl-paths 640 --out 20.nc
python -m sgdescape.neural_network.kept_result results/neural_network.nc "two cores" 20.nc
"""

import json
import sys
from dataclasses import asdict

import numpy as np
import xarray as xr

from sgdescape.core.runs import kept, threads
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.neural_network.config import QUICK
from sgdescape.neural_network.measure import escapes
from sgdescape.neural_network.measure.escapes import Use, seed_of

FILE = kept.FOLDER / "neural_network.nc"
SHA256 = "189af20922c2aed145c2147d3372c5929415c92a26c1cc730313cedd2e6e9fc3"

SIZES = ("seed", "replicas", "bowl_paths", "continuous_paths")
SIZES += ("path_replicas", "motion_replicas")
"""Fields of the configuration in which the kept result differs from `QUICK`."""

SAMPLES = {  # variable -> the axis along which seeds are joined
    "passage": "replica",
    "last_step": "replica",
    "late_loss": "replica",
    "bowl": "path",
    "continuous": "continuous_path",
}
SHARED = ("learning_rate", "spectrum", "curvature", "noise_ratio", "kurtosis", "mean_loss")
SHARED += ("line_slope",)
ATTRIBUTES = ("loss", "trace", "participation", "entropy", "outlier_dimension")


def join(datasets) -> xr.Dataset:
    """Return results of several seeds as one with as many times the runs and paths.

    Args:
        datasets: of `neural_network.run`, with configurations that differ in the seed alone.

    Raises:
        ValueError: if other fields of the configurations differ, or a seed comes twice.
    """
    configs = [json.loads(ds.attrs["config"]) for ds in datasets]
    seeds = [config.pop("seed") for config in configs]
    if any(config != configs[0] for config in configs) or len(set(seeds)) < len(seeds):
        raise ValueError(f"datasets must differ in the seed alone: got seeds {seeds}")
    pieces = [ds[list(SAMPLES)].drop_vars("replica", errors="ignore") for ds in datasets]
    joined = xr.merge(
        xr.concat([p[name] for p in pieces], dim=axis).to_dataset(name=name)
        for name, axis in SAMPLES.items()
    )
    joined = joined.merge(datasets[0][list(SHARED)], compat="override")
    records = [
        {k: str(v) for k, v in ds.attrs.items() if k not in ATTRIBUTES and k != "config"}
        for ds in datasets
    ]
    joined.attrs = {name: float(datasets[0].attrs[name]) for name in ATTRIBUTES}
    return joined.assign_attrs(
        seeds=seeds, config=json.dumps(configs[0]), provenance=json.dumps(records)
    )


@reads_dataset
def save(dataset, path, *, cost: str) -> str:
    """Write a joined result, compressed, with what it cost; return its SHA-256, to be pinned.

    Args:
        dataset: of `join`.
        path: of the file.
        cost: on what, and how long, in words.
    """
    small = dataset.copy()
    for name, variable in small.data_vars.items():
        if name in SAMPLES or name == "spectrum":
            whole = variable.dtype.kind in "iu"
            fitting = np.min_scalar_type(-1 - abs(variable).max().item()) if whole else np.float32
            small[name] = variable.astype(fitting)
    digits = {"significant_digits": 4, "quantize_mode": "GranularBitRound"}
    encoding = dict.fromkeys(("bowl", "continuous", "late_loss"), digits)  # times of samples
    return kept.save(small, path, cost=cost, encoding=encoding)


def load(path=FILE, *, sha256: str | None = SHA256) -> xr.Dataset:
    """Return the kept result.

    Args:
        path: of the file.
        sha256: of its bytes; None for a file that is not kept.

    Raises:
        FileNotFoundError: if it is not there.
        ValueError: if it is another file, or was made with other settings than `QUICK`, the
            numbers of runs and paths apart.
    """
    dataset = kept.load(path, sha256=sha256)
    if sha256 is not None:
        kept.same_settings(dataset, asdict(QUICK), except_for=SIZES)
    return dataset


@reads_dataset
def remade_share(dataset, *, replicas: range = range(4)) -> float:
    """Make runs of the kept result anew; return the share of passages at the same step.

    At the smallest exponent and largest batch, whose runs are the shortest. Another processor adds
    in another order, and a passage may then come a step earlier or later.

    Args:
        dataset: of `load`.
        replicas: which runs.
    """
    cell = {"exponent": float(dataset.exponent[0]), "batch_size": int(dataset.batch_size[-1])}
    seed = seed_of(int(np.atleast_1d(dataset.attrs["seeds"])[0]), Use.RUNS)
    with threads.one_torch_thread():
        made = escapes.cell(replicas, seed=seed, config=QUICK, case="main", device="cpu", **cell)
        escapes.forget()
    kept_steps = dataset.passage.sel(**cell).values[replicas.start : replicas.stop]
    return float(np.mean(made["passage"] == kept_steps))


def main(target, machine, *sources):
    """Join result files into one; the cost is the sum of their times on the machine named."""
    datasets = [load(source, sha256=None) for source in sources]
    joined = join(datasets)
    seconds = sum(float(ds.attrs["seconds"]) for ds in datasets)
    print(save(joined, target, cost=f"{seconds / 60:.0f} minutes on {machine}"))


if __name__ == "__main__":
    main(*sys.argv[1:])

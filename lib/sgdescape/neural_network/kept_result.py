"""The larger run kept in ``results/``: one or several seeds of `neural_network.run`, joined.

sgdescape run neural_network --seed 20 --replicas 2400 --bowl-paths 640 --out 20.nc
python -m sgdescape.neural_network.kept_result results/neural_network.nc "two cores" 20.nc
"""

import json
import sys
from pathlib import Path

import numpy as np
import xarray as xr

from sgdescape.core.roots import PROJECT

FILE = PROJECT / "results" / "neural_network.nc"
"""Of a checkout; an installed package has none."""

SAMPLES = {  # variable -> the axis along which seeds are joined
    "passage": "replica",
    "last_step": "replica",
    "late_loss": "replica",
    "bowl": "path",
    "continuous": "continuous_path",
}
SHARED = ("learning_rate", "spectrum", "curvature", "noise_ratio", "kurtosis", "mean_loss")
SHARED += ("line_slope",)
ATTRIBUTES = ("loss", "trace", "middle", "smallest_batch", "watch", "participation", "entropy")
ATTRIBUTES += ("outlier_dimension",)


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
    joined.attrs["smallest_batch"] = int(joined.attrs["smallest_batch"])
    return joined.assign_attrs(
        seeds=seeds, config=json.dumps(configs[0]), provenance=json.dumps(records)
    )


def save(dataset, path, *, cost: str):
    """Write a joined result, compressed, with what it cost.

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
    encoding = {name: {"zlib": True, "complevel": 9} for name in small.data_vars}
    for name in ("bowl", "continuous", "late_loss"):  # times of samples: four digits are plenty
        encoding[name] |= {"significant_digits": 4, "quantize_mode": "GranularBitRound"}
    small.assign_attrs(cost=cost).to_netcdf(path, engine="netcdf4", encoding=encoding)


def load(path=FILE) -> xr.Dataset:
    """Return the kept result.

    Args:
        path: of the file.

    Raises:
        FileNotFoundError: if it is not there.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path} is part of a checkout of the book's repository")
    with xr.open_dataset(path, engine="netcdf4") as opened:
        return opened.load()


def main(target, machine, *sources):
    """Join result files into one; the cost is the sum of their times on the machine named."""
    datasets = [load(source) for source in sources]
    joined = join(datasets)
    seconds = sum(float(ds.attrs["seconds"]) for ds in datasets)
    save(joined, target, cost=f"{seconds / 60:.0f} minutes on {machine}")


if __name__ == "__main__":
    main(*sys.argv[1:])

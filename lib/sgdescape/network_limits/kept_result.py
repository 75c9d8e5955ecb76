"""The runs that are kept in ``results/``: what a page cannot afford, with their provenance.

The narrow ResNet-18 over tens of epochs (`Follow`), and the longer measurements of the chapter at
the sizes of `QUICK`. Made, and continued after a kill, by

python -m sgdescape.network_limits.kept_result "two cores" some/folder
"""

import json
import sys
import time
from dataclasses import asdict, replace

import numpy as np
import xarray as xr

from sgdescape.core.runs import kept, provenance
from sgdescape.core.runs import sweep as runner
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.network_limits.config import QUICK, Config, Follow
from sgdescape.network_limits.measure import parts

FILE = kept.FOLDER / "network_limits.nc"
SHA256 = "ec71f4da9a403b5d298c82860a27341a8d3e5a3680fa0c9b961cf16dd2b08c01"

FREE = ("learning_rate", "replicas", "steps", "burn_in", "snapshots", "early_snapshots", "sweep")
FREE += ("short_steps", "short_replicas", "ring_rate", "ring_momentum", "ring_steps", "ring_kick")
FREE += ("ring_modes", "plane", "plane_points", "power_vectors", "power_iterations")
"""Fields of the configuration that no kept measurement uses."""

_AGREE = 0.02  # relative: what float32 and chaos leave in common after some dozen steps


def load(path=FILE, *, sha256: str | None = SHA256) -> xr.Dataset:
    """Return the kept result.

    Args:
        path: of the file.
        sha256: of its bytes; None for a file that is not kept yet.

    Raises:
        FileNotFoundError: if it is not there.
        ValueError: if it is another file, or was made with other settings than `QUICK`, `Follow`.
    """
    dataset = kept.load(path, sha256=sha256)
    kept.same_settings(dataset, _settings(), except_for=FREE)
    return dataset


def of(config: Config, dataset: xr.Dataset) -> xr.Dataset:
    """Return the kept measurements for a configuration that has the settings they were made with.

    Args:
        config: of `network_limits.run`.
        dataset: of `load`.

    Raises:
        ValueError: naming the first field that differs.
    """
    kept.same_settings(dataset, _settings(config), except_for=FREE)
    return dataset.drop_attrs()


@reads_dataset
def agree(dataset: xr.Dataset, *, steps: int = 24) -> bool:
    """Return whether the first steps of two kept runs, made anew, are those that are kept.

    Args:
        dataset: of `load`.
        steps: how many, of the narrow ResNet-18 and of the small network at strong noise.
    """
    from sgdescape.network_limits.measure import narrow, setting, strong_noise

    whole, stored = dataset.narrow_speed.values[0, 1, :steps], dataset.strong_block_speed.values
    follow = narrow.piece(Follow(), setting=0, replica=1, steps=steps)
    blocks = strong_noise.strong_start(QUICK, setting.prepare(QUICK))
    stored = stored[: len(blocks)]
    return bool(
        np.allclose(follow, whole, rtol=_AGREE, atol=0)
        and np.allclose(blocks, stored, rtol=_AGREE, atol=0)
    )


def part(replicas, *, seed, name, config) -> dict[str, np.ndarray]:
    """Make one of the parts that are kept, as a piece of a sweep that can be continued.

    Args:
        replicas: only (0,).
        seed: in the configuration, too.
        name: of `measure.parts.PARTS`.
        config: the sizes.
    """
    made = parts.make(name, replace(config, seed=seed))
    text = json.dumps({key: value.dims for key, value in made.variables.items()})
    coords = json.dumps(list(made.coords))
    arrays = {key: value.values for key, value in made.variables.items()}
    arrays |= {"_dims": np.array(text), "_coords": np.array(coords)}
    return {key: np.stack([value for _ in replicas]) for key, value in arrays.items()}


def _settings(config=QUICK):
    return asdict(config) | {"follow": asdict(Follow())}


def _part(name, store):
    found = runner.sweep(
        part, {"name": [name]}, seed=QUICK.seed, options={"config": QUICK}, store=store
    ).isel(name=0, replica=0, drop=True)
    dims = json.loads(str(found["_dims"].values))
    coords = json.loads(str(found["_coords"].values))
    rows = {key: (tuple(names), found[key].values) for key, names in dims.items()}
    return xr.Dataset(
        {key: row for key, row in rows.items() if key not in coords},
        coords={key: row for key, row in rows.items() if key in coords},
    )


def main(machine, store):
    """Make the kept result, continuing from what is in a store, and print the SHA-256 to pin."""
    from sgdescape.network_limits.measure import narrow

    begin = time.perf_counter()
    made = [narrow.follow(Follow(), store=store), *(_part(name, store) for name in parts.PARTS)]
    dataset = xr.merge(made, combine_attrs="drop")
    seconds = time.perf_counter() - begin
    dataset.attrs = provenance.record(QUICK, seconds=seconds)
    dataset.attrs["config"] = provenance.to_json(_settings())
    cost = f"{seconds / 60:.0f} minutes on {machine}"
    print(kept.save(dataset, FILE, cost=cost))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""A measurement of several stages that continues where it was stopped: each is kept when done."""

import json

import xarray as xr

from sgdescape.core.runs import store as pieces
from sgdescape.core.runs import sweep


class Stages:
    """Finished stages of one measurement, in a folder or nowhere.

    Args:
        folder: where they are kept; None keeps nothing.
        function: the measurement; with its package's sources it is part of what a stage is.
        device: where it runs; the kind of device is part of it, too, as its rounding is.
        fields: what all stages depend on, anything JSON can hold.
    """

    def __init__(self, folder, function, device, fields):
        """Open the folder."""
        self._folder = None if folder is None else pieces.open_store(folder)
        self._common = {
            "function": f"{function.__module__}.{function.__qualname__}",
            "version": None if folder is None else sweep.code_version(function),
            "device": str(device).partition(":")[0],
            "fields": fields,
        }

    def dataset(self, name, make, fields=None) -> xr.Dataset:
        """Return a stage from the folder, or make it and keep it there.

        Args:
            name: of the stage.
            make: gives the dataset; its attributes are not kept.
            fields: what this stage depends on besides, anything JSON can hold.
        """
        if self._folder is None:
            return make()
        identity = json.dumps(self._common | {"stage": name, "own": fields or {}})
        arrays = pieces.read(self._folder, identity)
        if arrays is None:
            made = make()
            arrays = {" ".join((key, *v.dims)): v.values for key, v in made.variables.items()}
            pieces.write(self._folder, identity, arrays)
        return _dataset(arrays)


def _dataset(arrays):
    """Arrays named by variable and dimensions, as a dataset; its own dimension makes a label."""
    rows = {key: (tuple(dims), a) for (key, *dims), a in _split(arrays)}
    labels = {key: row for key, row in rows.items() if row[0] == (key,)}
    return xr.Dataset({k: row for k, row in rows.items() if k not in labels}, coords=labels)


def _split(arrays):
    return [(key.split(" "), array) for key, array in arrays.items()]

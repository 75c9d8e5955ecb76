"""Where theory meets measurement: `predict` puts beside each measurement what is expected."""

import numpy as np
import xarray as xr

from sgdescape.core.runs import provenance
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.noise_strength.theory import (
    margin_exponent,
    noise_strength,
    predicted_noise,
    residual_noise,
)


@reads_dataset
def predict(dataset: xr.Dataset) -> xr.Dataset:
    """Return the measurements with the noise strength, the theory and its factors beside them.

    Args:
        dataset: moments by case, replica and mark, with the coordinate ``outputs`` and the
            configuration in its attributes.

    Returns:
        A new dataset, with "noise", "prediction" (Eq. (noise-outputs)), "residual_prediction"
        (Eq. (noise-residuals)), "ratio" = noise / prediction and the four factors of
        Eq. (noise-factors): "gradient_factor", "direction_factor",
        "size_factor", "residual_factor"; "margin" = log(1/L).
    """
    ds = dataset.copy()
    made, full = ds.second_moment.notnull(), ds.fillna(0)  # runs that were not made stay NaN
    found = {
        "noise": noise_strength(full.second_moment, full.gradient_square),
        "prediction": predicted_noise(full.loss, full.jacobian, outputs=ds.outputs),
        "residual_prediction": residual_noise(full.residual, full.jacobian, outputs=ds.outputs),
    }
    ds = ds.assign({name: values.where(made) for name, values in found.items()})
    ds["ratio"] = ds.noise / ds.prediction
    ds["gradient_factor"] = 1 - ds.gradient_square / ds.second_moment
    ds["direction_factor"] = ds.second_moment * ds.outputs / ds.joint
    ds["size_factor"] = ds.joint / (ds.residual * ds.jacobian)
    ds["residual_factor"] = ds.residual / (2 * ds.loss)
    ds["margin"] = np.log(1 / ds.loss).where(ds.loss < 1)
    layers = {"mlp": len(provenance.settings(ds).hidden) + 1}
    layers["cnn"] = sum(count for _, count in provenance.settings(ds).stacks) + 1
    exponents = [margin_exponent(layers[str(c)[:3].lower()]) for c in ds.case.values]
    ds["margin_exponent"] = ("case",), exponents
    units = {"loss": "loss", "noise": "(loss/parameter)^2", "prediction": "(loss/parameter)^2"}
    for name, unit in units.items():
        ds[name].attrs["units"] = unit
    return ds

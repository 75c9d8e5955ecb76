"""Numbers that the prose of chapter `network_limits` quotes."""

import numpy as np

from sgdescape.anomalous_diffusion import crossover_curvature
from sgdescape.network_limits import theory
from sgdescape.network_limits.claims.resnet import quarter_period
from sgdescape.network_limits.estimates import rates, settings


def summary(dataset) -> dict[str, tuple[float, str]]:
    """Return the numbers that the chapter's prose quotes.

    Args:
        dataset: of `network_limits.run`.

    Returns:
        Name in the prose -> (value, format).
    """
    config, a = settings(dataset), dataset.attrs
    at = {k: config[k] for k in ("learning_rate", "momentum", "batch_size")}
    eta, beta, size = config["strong"]
    strong = {"learning_rate": eta, "momentum": beta, "batch_size": size}
    top = config["top"]
    ratio = dataset.all_noise.values[:top] / dataset.all_curvature.values[:top]
    iid, epochs = dataset.sel(sampler="iid"), dataset.sel(sampler="shuffle")
    rule = (1 + at["momentum"]) / (4 * at["learning_rate"])
    mode = dict(zip(dataset.norm_mode.values, dataset.residual_mode_curvature.values, strict=True))
    loss = dict(zip(dataset.norm_batch.values, dataset.residual_batch_loss.values, strict=True))
    law = eta**2 / (size * (1 - beta**2)) * a["trace_noise"]
    return {
        "limits-loss": (a["loss"], ".2f"),
        "limits-gradient": (a["gradient_norm"], ".0e"),
        "limits-least": (a["least_stiffness"], ".1e"),
        "limits-trace-h": (a["trace_hessian"], ".1f"),
        "limits-trace-noise": (a["trace_noise"], ".1f"),
        "limits-largest": (float(dataset.curvature[0]), ".2f"),
        "limits-last": (float(dataset.curvature[-1]), ".2f"),
        "limits-r": (theory.noise_ratio(a["trace_hessian"], **at), ".3f"),
        "limits-r-strong": (theory.noise_ratio(a["trace_hessian"], **strong), ".2f"),
        "limits-noise-low": (ratio.min(), ".2f"),
        "limits-noise-high": (ratio.max(), ".2f"),
        "limits-noise-correlation": (100 * a["noise_correlation"], ".1f"),
        "limits-kurtosis": (float(dataset.sample_kurtosis.mean()), ".1f"),
        "limits-speed-epochs": (
            float(epochs.speed.mean())
            / theory.speed(
                dataset.all_noise.values, dataset.all_curvature.values, **rates(dataset)
            ),
            ".2f",
        ),
        "limits-excess-ratio": (float(iid.excess.mean() / epochs.excess.mean()), ".1f"),
        "limits-excess-share": (
            float(epochs.excess.mean()) / (rule * float(epochs.speed.mean())),
            ".2f",
        ),
        "limits-crossover": (
            crossover_curvature(
                steps_per_epoch=config["samples"] // config["batch_size"], **_pair(config, "")
            ),
            ".2f",
        ),
        "limits-critical": (theory.critical_curvature(**_pair(config, "")), ".2f"),
        "limits-critical-swing": (theory.critical_curvature(**_pair(config, "swing_")), ".2f"),
        "limits-norm-time": (
            (1 - config["residual_runs"][0][1])
            / (2 * config["residual_runs"][0][0] * config["weight_decay"]),
            ",.0f",
        ),
        "limits-strong-speed": (float(dataset.strong_speed.mean()) / law, ".2f"),
        "limits-strong-noise": (float(dataset.strong_noise.mean()) / a["trace_noise"], ".2f"),
        "limits-resnet-top": (float(dataset.residual_curvature[0]), ".2f"),
        "limits-resnet-residual": (
            float((dataset.residual_residual / dataset.residual_curvature).max()),
            ".0e",
        ),
        "limits-resnet-quarter": (quarter_period(dataset, mode["train, batches"]), ".1f"),
        "limits-resnet-quarter-eval": (quarter_period(dataset, mode["eval"]), ".1f"),
        "limits-resnet-quarter-all": (quarter_period(dataset, mode["train, all"]), ".1f"),
        "limits-resnet-kick": (config["residual_ring"][3], "g"),
        "limits-resnet-share": (100 * float(dataset.residual_ring_share[:, -1].mean()), ".0f"),
        "limits-resnet-noise": (float(dataset.residual_noise.mean()), ".0f"),
        "limits-resnet-eval": (mode["eval"], ".2f"),
        "limits-resnet-all": (mode["train, all"], ".2f"),
        "limits-resnet-whole": (mode["all images"], ".2f"),
        "limits-resnet-loss-few": (loss[4], ".3f"),
        "limits-resnet-loss-many": (loss[128], ".3f"),
        "limits-resnet-drift": (
            float(np.sqrt(np.nanmean(dataset.residual_distance.values[0, -5:]))),
            ".2f",
        ),
    }


def _pair(config, which):
    rate = config["swing_rate" if which else "learning_rate"]
    return {"learning_rate": rate, "momentum": config[f"{which}momentum"]}

"""Numbers that the prose of chapter `network_limits` quotes."""

import numpy as np

from sgdescape.core.runs.provenance import settings
from sgdescape.core.runs.reading import reads_dataset
from sgdescape.network_limits.estimates.narrow import end_noise, narrow_law, narrow_level
from sgdescape.network_limits.predictions import crossover
from sgdescape.network_limits.theory.balance import noise_ratio
from sgdescape.underdamped_langevin import oscillating_band


@reads_dataset
def summary(dataset) -> dict[str, tuple[float, str]]:
    """Return the numbers that the chapter's prose quotes.

    Args:
        dataset: of `network_limits.run`.

    Returns:
        Name in the prose -> (value, format).
    """
    config, a = settings(dataset), dataset.attrs
    at = {k: getattr(config, k) for k in ("learning_rate", "momentum", "batch_size")}
    eta, beta, size = config.strong
    strong = {"learning_rate": eta, "momentum": beta, "batch_size": size}
    top = config.top
    ratio = dataset.all_noise.values[:top] / dataset.all_curvature.values[:top]
    late = dataset.isel(snapshot=slice(config.early_snapshots, None))
    iid, epochs = late.sel(sampler="iid"), late.sel(sampler="shuffle")
    mode = dict(zip(dataset.norm_mode.values, dataset.residual_mode_curvature.values, strict=True))
    quarter = dict(zip(dataset.norm_mode.values, dataset.residual_quarter.values, strict=True))
    loss = dict(zip(dataset.norm_batch.values, dataset.residual_batch_loss.values, strict=True))
    first_rate, first_beta = config.residual_runs[0][:2]
    return _narrow(dataset) | {
        "limits-loss": (a["loss"], ".2f"),
        "limits-gradient": (a["gradient_norm"], ".0e"),
        "limits-least": (a["least_stiffness"], ".1e"),
        "limits-trace-h": (a["trace_hessian"], ".1f"),
        "limits-trace-noise": (a["trace_noise"], ".1f"),
        "limits-largest": (float(dataset.curvature[0]), ".2f"),
        "limits-last": (float(dataset.curvature[-1]), ".2f"),
        "limits-r": (noise_ratio(a["trace_hessian"], **at), ".3f"),
        "limits-r-strong": (noise_ratio(a["trace_hessian"], **strong), ".2f"),
        "limits-noise-low": (ratio.min(), ".2f"),
        "limits-noise-high": (ratio.max(), ".2f"),
        "limits-noise-correlation": (100 * a["noise_correlation"], ".1f"),
        "limits-kurtosis": (float(dataset.sample_kurtosis.mean()), ".1f"),
        "limits-speed-epochs": (float(epochs.speed.mean() / dataset.speed_exact), ".2f"),
        "limits-excess-ratio": (float(iid.excess.mean() / epochs.excess.mean()), ".1f"),
        "limits-excess-share": (float(epochs.excess.mean() / epochs.excess_rule.mean()), ".2f"),
        "limits-excess-exact": (float(iid.excess_exact.mean() / iid.excess_rule.mean()), ".2f"),
        "limits-crossover": (crossover(config), ".2f"),
        "limits-critical": (_low_end(config.learning_rate, config.momentum), ".2f"),
        "limits-critical-swing": (_low_end(config.swing_rate, config.swing_momentum), ".2f"),
        "limits-norm-time": ((1 - first_beta) / (2 * first_rate * config.weight_decay), ",.0f"),
        "limits-strong-speed": (float(dataset.strong_speed.mean() / dataset.strong_exact), ".2f"),
        "limits-strong-noise": (float(dataset.strong_noise.mean()) / a["trace_noise"], ".2f"),
        "limits-resnet-top": (float(dataset.residual_curvature[0]), ".2f"),
        "limits-resnet-residual": (
            float((dataset.residual_residual / dataset.residual_curvature).max()),
            ".0e",
        ),
        "limits-resnet-quarter": (quarter["train, batches"], ".1f"),
        "limits-resnet-quarter-eval": (quarter["eval"], ".1f"),
        "limits-resnet-quarter-all": (quarter["train, all"], ".1f"),
        "limits-resnet-kick": (config.residual_ring[3], "g"),
        "limits-resnet-share": (100 * float(dataset.residual_ring_share[:, -1].mean()), ".0f"),
        "limits-fit-samples": (config.fit_samples, "d"),
        "limits-power-worst": (float(dataset.power_residual.max()), ".2f"),
        "limits-power-unordered": (int((np.diff(dataset.power_curvature.values) > 0).sum()), "d"),
        "limits-resnet-eval": (mode["eval"], ".2f"),
        "limits-resnet-all": (mode["train, all"], ".2f"),
        "limits-resnet-whole": (mode["all images"], ".2f"),
        "limits-resnet-loss-few": (loss[4], ".3f"),
        "limits-resnet-loss-many": (loss[128], ".3f"),
    }


def _narrow(dataset):
    """Numbers of the narrow ResNet-18's long runs, nan where they are not at hand."""
    names = ("top", "last", "noise", "grown", "small", "warm")
    values = [np.nan] * len(names)
    if "narrow_noise" in dataset:
        noise = dataset.narrow_noise.mean("narrow_draw")
        at, few = dataset.narrow_at.values, float(noise.sel(narrow_batch=4))
        index = int(np.flatnonzero(at[:, 2] == 4)[0])
        warm = int(np.argmax(np.where(at[:, 2] == 32, at[:, 1], 0)))  # the largest momentum
        values = [
            float(dataset.narrow_curvature[0]),
            float(dataset.narrow_curvature[-1]),
            few / float(noise.sel(narrow_batch=32)),
            end_noise(dataset, index).mean() / few,
            narrow_level(dataset, index).mean() / narrow_law(dataset, index) / few,
            end_noise(dataset, warm).mean() / float(noise.sel(narrow_batch=32)),
        ]
    return {
        f"limits-narrow-{name}": (float(value), ".2f")
        for name, value in zip(names, values, strict=True)
    }


def _low_end(rate, momentum):
    return float(oscillating_band(learning_rate=rate, momentum=momentum)[0])

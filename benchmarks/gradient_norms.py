"""Per-sample gradient norms of the papers' CNN: this package against Opacus and torch.func.

    python benchmarks/gradient_norms.py [--batch 64 128] [--repeats 3]

Every method runs in a process of its own on one thread, the methods in turn, `repeats` times
round. A process first runs the method on two samples (imports, code paths, thread pools), then
once on the batch, of which the growth of the peak resident memory is taken, then once more, of
which the CPU seconds are. Medians over the rounds. Agreement: largest relative difference of the
norms to those of torch.func's explicit gradients, in the same single precision; beside it the
same to explicit gradients in float64 (32 images): where all methods share it, it is single
precision itself, in which a unit of a ReLU or a pool can fall on the other side.

Target: at least 3 times faster or 5 times less memory than Opacus' GradSampleModule and
torch.func's vmap(grad), agreement to 1e-5. (Three times faster is out of reach here: the forward
and backward passes, which all methods share, are more than half of our time.)

"opacus, norms only" is Opacus' fast gradient clipping: it frees a layer's per-sample gradients
once their norm is taken, and is the closest public counterpart. It is shown beside the target.
"""

import argparse
import importlib.metadata
import json
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

from sgdescape.core.runs import provenance

RESULT = Path(__file__).parent / "results" / "gradient_norms.json"
METHODS = ("sgdescape", "opacus", "opacus, norms only", "torch.func vmap(grad)")


def prepare(batch, dtype):
    """Return the CNN of Mori et al., Section 5.2, and Fashion-MNIST images for it."""
    from sgdescape.core.data import image_sets
    from sgdescape.core.networks import models

    images = image_sets.load("fashion_mnist", n=batch, task="one_hot", images=True, dtype=dtype)
    return models.cnn(1, seed=0, dtype=dtype), images.inputs, images.targets


def ours(model, inputs, targets):
    """Squared norms by this package."""
    from sgdescape.core.networks.gradients import per_sample_gradient_norms
    from sgdescape.core.training.sgd import square_loss

    return per_sample_gradient_norms(model, inputs, targets, loss=square_loss)


def opacus(model, inputs, targets):
    """Squared norms of Opacus' per-sample gradients."""
    from opacus import GradSampleModule

    from sgdescape.core.training.sgd import square_loss

    wrapped = GradSampleModule(model, loss_reduction="sum")
    square_loss(wrapped(inputs), targets).sum().backward()
    norms = sum(p.grad_sample.flatten(1).square().sum(1) for p in model.parameters())
    wrapped.to_standard_module()
    for parameter in model.parameters():
        parameter.grad = None
    return norms


def opacus_norms_only(model, inputs, targets):
    """Squared norms by Opacus' fast gradient clipping."""
    from opacus.grad_sample.grad_sample_module_fast_gradient_clipping import (
        GradSampleModuleFastGradientClipping,
    )

    from sgdescape.core.training.sgd import square_loss

    wrapped = GradSampleModuleFastGradientClipping(model, loss_reduction="sum")
    square_loss(wrapped(inputs), targets).sum().backward()
    norms = wrapped.get_norm_sample().square()
    wrapped.to_standard_module()
    for parameter in model.parameters():
        parameter.grad = None
    return norms


def torch_func(model, inputs, targets):
    """Squared norms of per-sample gradients by vmap(grad)."""
    import torch

    from sgdescape.core.training.sgd import square_loss

    parameters = {name: p.detach() for name, p in model.named_parameters()}

    def one(values, x, y):
        outputs = torch.func.functional_call(model, values, (x[None],))
        return square_loss(outputs, y[None]).squeeze(0)

    gradients = torch.func.vmap(torch.func.grad(one), in_dims=(None, 0, 0))(
        parameters, inputs, targets
    )
    return sum(g.flatten(1).square().sum(1) for g in gradients.values())


FUNCTIONS = dict(zip(METHODS, (ours, opacus, opacus_norms_only, torch_func), strict=True))


def worker(method, batch):
    """Run one method in this process; print what was measured as JSON."""
    import warnings

    import torch

    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    model, inputs, targets = prepare(batch, torch.float32)
    function = FUNCTIONS[method]
    function(model, inputs[:2], targets[:2])

    before = peak_memory(reset=True)
    norms = function(model, inputs, targets)
    grown = peak_memory() - before
    start = time.process_time()
    function(model, inputs, targets)
    seconds = time.process_time() - start
    print(json.dumps({"seconds": seconds, "memory_mb": grown, "norms": norms.tolist()}))


def peak_memory(*, reset=False):
    """Return this process' peak resident memory in MB, counted from now on if ``reset``."""
    if reset:  # Linux: forget the peak of the imports
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def reference(count):
    """Squared norms of the first images from explicit gradients in float64."""
    import torch

    from sgdescape.core.networks.gradients import batch_gradients
    from sgdescape.core.training.sgd import square_loss

    torch.set_num_threads(1)
    model, inputs, targets = prepare(count, torch.float32)
    model = model.double()  # the same rounded weights: only the arithmetic differs
    pairs = zip(inputs.double().split(4), targets.double().split(4), strict=True)
    return [
        squared
        for x, y in pairs
        for squared in batch_gradients(model, x, y, loss=square_loss).square().sum(1).tolist()
    ]


def measure(method, batch):
    """Run `worker` in a process of its own and return what it measured."""
    command = [sys.executable, __file__, "--method", method, "--batch", str(batch)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{method} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def difference(norms, reference):
    """Largest relative difference, over as many samples as both have."""
    return max(abs(a - b) / b for a, b in zip(norms, reference, strict=False))


def compare(batch, repeats, exact):
    """Measure all methods in turn on one batch size; print the table, return the rows."""
    runs = {method: [] for method in METHODS}
    for _ in range(repeats):
        for method in METHODS:
            runs[method].append(measure(method, batch))
    norms = {method: runs[method][0]["norms"] for method in METHODS}
    rows = {}
    for method in METHODS:
        rows[method] = {
            "seconds": statistics.median(run["seconds"] for run in runs[method]),
            "memory_mb": statistics.median(run["memory_mb"] for run in runs[method]),
            "disagreement": difference(norms[method], norms["torch.func vmap(grad)"]),
            "to_float64": difference(norms[method], exact),
        }
    own = rows["sgdescape"]
    print(f"{batch} images, {repeats} rounds, one thread")
    titles = f"{'method':24}{'CPU s':>8}{'x':>7}{'peak MB':>10}{'x':>7}"
    print(f"{titles}{'disagreement':>15}{'to float64':>13}")
    for method, row in rows.items():
        row["times_slower"] = row["seconds"] / own["seconds"]
        row["times_larger"] = row["memory_mb"] / own["memory_mb"]
        print(
            f"{method:24}{row['seconds']:8.2f}{row['times_slower']:7.2f}"
            f"{row['memory_mb']:10.0f}{row['times_larger']:7.1f}{row['disagreement']:15.1e}"
            f"{row['to_float64']:13.1e}"
        )
    peers = (rows["opacus"], rows["torch.func vmap(grad)"])
    met = all(row["times_slower"] >= 3 or row["times_larger"] >= 5 for row in peers)
    agreed = all(row["disagreement"] <= 1e-5 for row in rows.values())
    print(f"target (3 x faster or 5 x less memory): {'met' if met else 'MISSED'};", end=" ")
    print(f"agreement to 1e-5: {'yes' if agreed else 'NO'}\n")
    return {"batch": batch, "target_met": met, "agreed": agreed, "methods": rows}


def main(batches, repeats):
    """Measure, print the tables and write the record."""
    print(provenance.processor())
    exact = reference(min(32, *batches))
    packages = ("torch", "opacus", "numpy", "sgdescape")
    record = {
        "cpu": provenance.processor(),
        "python": platform.python_version(),
        "versions": {package: importlib.metadata.version(package) for package in packages},
        "repeats": repeats,
        "batches": [compare(batch, repeats, exact) for batch in batches],
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, nargs="+", default=[64, 128], help="images")
    parser.add_argument("--repeats", type=int, default=3, help="rounds over all methods")
    parser.add_argument("--method", choices=METHODS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.method:
        worker(arguments.method, arguments.batch[0])
    else:
        main(arguments.batch, arguments.repeats)

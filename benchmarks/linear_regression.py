"""SGD on linear regression, loss at every step: the ensemble kernels against public peers and C.

Each contestant makes replica-steps of one workload on one thread; contestants take turns, and a
rate is work per second of this process's own processor time, the median over rounds. The peers: a
plain torch autograd loop, batched torch by hand, JAX vmap + scan, the package's torch reference,
and C with AVX2 instructions (compiled on the fly where gcc is; its cheaper random numbers favour
it). Ratios of one run are what to look at; absolute rates belong to the machine.
"""

import argparse
import ctypes
import json
import os
import platform
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_name] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"

import numpy as np  # noqa: E402
import torch  # noqa: E402

from sgdescape.core.ensembles import regression  # noqa: E402
from sgdescape.core.runs import provenance  # noqa: E402

D, ETA = 10, 0.1
WORKLOADS = ((10_000, 10), (100_000, 40))
TARGETS = {10_000: 5e6, 100_000: 1.2e6}
RATIOS = {"jax vmap + scan": 5.0, "torch batched, R=1,000": 4.0, "C with AVX2": 1 / 3.5}

# Rows of 16 floats (x, r, 0...), z = (theta - theta*, -1, 0...); splitmix64 for the indices.
C_SOURCE = r"""
#include <immintrin.h>
#include <stdint.h>
#define MOST 64
static inline float total(__m256 v) {
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}
static inline uint64_t mix(uint64_t *state) {
    uint64_t x = (*state += 0x9E3779B97F4A7C15ull);
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
    return x ^ (x >> 31);
}
int64_t run(const float *rows, int64_t n, int64_t batch, int64_t steps, int64_t replicas,
            const float *scale, const float *h, float level, uint64_t seed) {
    int64_t made = 0;
    _mm256_zeroupper();
    for (int64_t r = 0; r < replicas; r++) {
        uint64_t state = seed + ((uint64_t)r << 40);
        float start[16] = {0};
        for (int i = 0; i < 16; i++) if (scale[i] == 0) { start[i] = -1; break; }
        __m256 z0 = _mm256_loadu_ps(start), z1 = _mm256_loadu_ps(start + 8);
        __m256 s0 = _mm256_loadu_ps(scale), s1 = _mm256_loadu_ps(scale + 8);
        __m256 h0 = _mm256_loadu_ps(h), h1 = _mm256_loadu_ps(h + 8);
        for (int64_t k = 0; k < steps; k++) {
            __m256 g0 = _mm256_setzero_ps(), g1 = _mm256_setzero_ps();
            uint32_t place[MOST];
            for (int64_t b = 0; b < batch; b += 2) {
                uint64_t word = mix(&state);
                place[b] = ((word & 0xffffffffull) * (uint64_t)n) >> 32;
                place[b + 1] = ((word >> 32) * (uint64_t)n) >> 32;
            }
            for (int64_t b = 0; b < batch; b++) {
                const float *row = rows + 16 * (int64_t)place[b];
                __m256 x0 = _mm256_loadu_ps(row), x1 = _mm256_loadu_ps(row + 8);
                __m256 dot = _mm256_fmadd_ps(x1, z1, _mm256_mul_ps(x0, z0));
                __m256 e = _mm256_set1_ps(total(dot));
                g0 = _mm256_fmadd_ps(e, x0, g0);
                g1 = _mm256_fmadd_ps(e, x1, g1);
            }
            z0 = _mm256_fnmadd_ps(s0, g0, z0);
            z1 = _mm256_fnmadd_ps(s1, g1, z1);
            made++;
            __m256 q = _mm256_mul_ps(_mm256_mul_ps(h0, z0), z0);
            if (total(_mm256_fmadd_ps(_mm256_mul_ps(h1, z1), z1, q)) >= level) break;
        }
    }
    return made;
}
"""


def compiled_c(folder):
    """Return the C function, or None where it cannot be made or run."""
    flags = (
        Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
    )
    if "avx2" not in flags or "fma" not in flags:
        return None
    source, library = Path(folder) / "sgd.c", Path(folder) / "sgd.so"
    source.write_text(C_SOURCE, encoding="utf-8")
    command = ["gcc", "-O3", "-march=native", "-shared", "-fPIC", "-o", library, source]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    function = ctypes.CDLL(str(library)).run
    function.restype = ctypes.c_int64
    return function


def autograd(data, batch_size):
    """The plain loop: nn.Linear, autograd, optim.SGD, full loss each step; one replica."""
    x = torch.tensor(data.inputs, dtype=torch.float32)
    y = torch.tensor(data.targets, dtype=torch.float32)[:, None]

    def run(steps):
        model = torch.nn.Linear(D, 1, bias=False)
        optimizer = torch.optim.SGD(model.parameters(), lr=ETA)
        for _ in range(steps):
            index = torch.randint(len(x), (batch_size,))
            loss = 0.5 * (model(x[index]) - y[index]).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                full = 0.5 * (model(x) - y).square().mean()
                if full.item() > 1e30:
                    break
        return steps

    return run


def batched(data, batch_size, replicas=1000):
    """Torch by hand: gather, products, the loss by the quadratic form; torch's own generator."""
    x = torch.tensor(data.inputs, dtype=torch.float32)
    y = torch.tensor(data.targets, dtype=torch.float32)
    minimum = torch.tensor(data.minimum, dtype=torch.float32)
    hessian = torch.tensor(data.hessian, dtype=torch.float32)

    def run(steps):
        theta = minimum.repeat(replicas, 1)
        passage = torch.full((replicas,), -1)
        for k in range(steps):
            index = torch.randint(len(x), (replicas, batch_size))
            chosen = x[index]
            residual = torch.bmm(chosen, theta[:, :, None])[..., 0] - y[index]
            gradient = torch.bmm(residual[:, None], chosen)[:, 0]
            theta = theta - ETA / batch_size * gradient
            apart = theta - minimum
            excess = ((apart @ hessian) * apart).sum(1)
            passage = torch.where((passage < 0) & (excess > 1e30), k, passage)
        return steps * replicas

    return run


def jax_scan(data, batch_size, replicas=1000):
    """JAX: one replica's scan, vmapped and compiled."""
    try:
        import jax
        import jax.numpy as jnp
    except ImportError:
        return None
    x, y = jnp.asarray(data.inputs, jnp.float32), jnp.asarray(data.targets, jnp.float32)
    minimum = jnp.asarray(data.minimum, jnp.float32)
    hessian = jnp.asarray(data.hessian, jnp.float32)

    def one(key, steps):
        def step(carry, k):
            theta, passage = carry
            index = jax.random.randint(jax.random.fold_in(key, k), (batch_size,), 0, len(x))
            chosen = x[index]
            theta = theta - ETA / batch_size * (chosen @ theta - y[index]) @ chosen
            apart = theta - minimum
            passed = (passage < 0) & (apart @ hessian @ apart > 1e30)
            return (theta, jnp.where(passed, k, passage)), None

        return jax.lax.scan(step, (minimum, -1), jnp.arange(steps))[0]

    many = jax.jit(jax.vmap(one, (0, None)), static_argnums=1)
    keys = jax.random.split(jax.random.key(0), replicas)

    def run(steps):
        jax.block_until_ready(many(keys, steps))
        return steps * replicas

    return run


def ours(data, batch_size, *, engine, dtype="float32", replicas, sampler="iid"):
    """The package's own first passages, far levels so that every step is made."""

    def run(steps):
        made = regression.first_passage(
            data,
            thresholds=[1e30],
            learning_rate=ETA,
            batch_size=batch_size,
            max_steps=steps,
            replicas=range(replicas),
            seed=1,
            engine=engine,
            dtype=dtype,
            device="cpu",
            sampler=sampler,
            threads=1,
        )
        return int(made.last_step.sum())

    return run


def by_c(data, batch_size, function, replicas=32):
    """The hand-written peer on the same padded rows."""
    if function is None:
        return None
    rows, scale, h = np.zeros((len(data.rows), 16), "f4"), np.zeros(16, "f4"), np.zeros(16, "f4")
    rows[:, : D + 1], scale[:D], h[:D] = data.rows, ETA / batch_size, data.curvatures
    arrays = (rows, scale, h)
    pointers = [ctypes.c_void_p(a.ctypes.data) for a in arrays]

    def run(steps):
        level, seed = ctypes.c_float(1e30), ctypes.c_uint64(1)
        sizes = [ctypes.c_int64(v) for v in (len(rows), batch_size, steps, replicas)]
        made = function(pointers[0], *sizes, pointers[1], pointers[2], level, seed)
        assert made == steps * replicas and len(arrays) == 3  # which keeps them alive
        return made

    return run


def measure(samples, batch_size, *, rounds, function):
    """Return one row a contestant: replica-steps per second of processor time."""
    data = regression.gaussian_data(samples, D, seed=0)
    small = 10_000 // batch_size
    contestants = {  # what to run, steps a turn
        "torch autograd loop": (autograd(data, batch_size), 100),
        "torch batched, R=1,000": (batched(data, batch_size), max(20, small // 10)),
        "jax vmap + scan": (jax_scan(data, batch_size), max(20, small // 5)),
        "torch reference": (ours(data, batch_size, engine="torch", replicas=1000), 20),
        "numba float32": (ours(data, batch_size, engine="numba", replicas=32), 10 * small),
        "numba float64": (
            ours(data, batch_size, engine="numba", replicas=32, dtype="float64"),
            10 * small,
        ),
        "numba float32, without replacement": (
            ours(data, batch_size, engine="numba", replicas=32, sampler="without_replacement"),
            5 * small,
        ),
        "numba float32, shuffle": (
            ours(data, batch_size, engine="numba", replicas=32, sampler="shuffle"),
            small,
        ),
        "C with AVX2": (by_c(data, batch_size, function), 10 * small),
    }
    contestants = {k: v for k, v in contestants.items() if v[0] is not None}
    rates = {name: [] for name in contestants}
    for turn in range(rounds + 1):  # the first one compiles and warms up
        for name, (run, steps) in contestants.items():
            begin = time.process_time()
            work = run(steps)
            spent = time.process_time() - begin
            if turn:
                rates[name].append(work / spent)
    assert torch.get_num_threads() == 1, "a contestant changed torch's threads"
    medians = {name: statistics.median(values) for name, values in rates.items()}
    reference = rates["numba float32"]
    rows = []
    for name, values in rates.items():
        ratio = statistics.median(a / b for a, b in zip(reference, values, strict=True))
        row = {"samples": samples, "batch_size": batch_size, "contestant": name}
        row["replica_steps_per_second"] = medians[name]
        row["numba_float32_over_it"] = ratio
        if name in RATIOS and samples == WORKLOADS[0][0]:
            row["target_ratio"], row["target_reached"] = RATIOS[name], ratio >= RATIOS[name]
        if name == "numba float32":
            row["target_rate"] = TARGETS[samples]
            row["target_reached"] = medians[name] >= TARGETS[samples]
        rows.append(row)
    return rows


def main():
    """Measure, print the table, write the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="interleaved repetitions")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        function = compiled_c(folder)
        for samples, batch_size in WORKLOADS:
            rows += measure(samples, batch_size, rounds=arguments.rounds, function=function)
    for r in rows:
        mark = {True: "reached", False: "MISSED", None: ""}[r.get("target_reached")]
        rate, ratio = r["replica_steps_per_second"], r["numba_float32_over_it"]
        name = f"N={r['samples']:>6} B={r['batch_size']:>2}  {r['contestant']:<36}"
        print(f"{name}{rate:>10.3g}/s   numba/it {ratio:>9.3g}   {mark}")
    record = {
        "workload": f"SGD on linear regression, d = {D}, loss and first passage at every step",
        "unit": "replica-steps per second of processor time, one thread",
        "rounds": arguments.rounds,
        "processor": provenance.processor(),
        "logical_cores": os.cpu_count(),
        "load_average": os.getloadavg()[0],
        "python": platform.python_version(),
        "torch": torch.__version__,
        "rows": rows,
    }
    path = Path(__file__).parent / "results" / "linear_regression.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print(f"written to {path}")


if __name__ == "__main__":
    main()

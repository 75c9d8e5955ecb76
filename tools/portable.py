"""Run the tests as another processor would: ``python tools/portable.py [PROFILE ...] [-- PYTEST]``.

Verdicts, strict notebook outputs and tests must hold under other instruction sets and thread
counts. Each profile emulates one on this machine, by the switches of NumPy, OpenBLAS, torch and
numba; numba's cache is told apart by the processor's name. Without arguments: all profiles.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
AVX512 = "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR X86_V4"
AVX2 = f"{AVX512} AVX2 FMA3 X86_V3"
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
PROFILES = {
    "generic": {
        "NPY_DISABLE_CPU_FEATURES": AVX2,
        "OPENBLAS_CORETYPE": "Prescott",
        "ATEN_CPU_CAPABILITY": "default",
        "NUMBA_CPU_NAME": "generic",
        "NUMBA_CPU_FEATURES": "",
        "OMP_NUM_THREADS": "1",
    },
    "haswell": {
        "NPY_DISABLE_CPU_FEATURES": AVX512,
        "OPENBLAS_CORETYPE": "Haswell",
        "ATEN_CPU_CAPABILITY": "avx2",
        "NUMBA_CPU_NAME": "haswell",
        "OMP_NUM_THREADS": "1",
    },
    "zen": {
        "NPY_DISABLE_CPU_FEATURES": AVX512,
        "OPENBLAS_CORETYPE": "Zen",
        "ATEN_CPU_CAPABILITY": "avx2",
        "NUMBA_CPU_NAME": "znver3",
        "OMP_NUM_THREADS": "1",
    },
    "avx512": {
        "OPENBLAS_CORETYPE": "SkylakeX",
        "ATEN_CPU_CAPABILITY": "avx512",
        "NUMBA_CPU_NAME": "skylake-avx512",
        "OMP_NUM_THREADS": "1",
    },
    "four_threads": {name: "4" for name in THREADS},
    "no_settings": {},  # whatever the libraries choose here
}
QUICK = (
    *(f"tests/core/test_{name}.py" for name in ("fokker_planck", "statistics", "philox")),
    *(f"tests/{stem}" for stem in ("kramers_escape", "linear_regression", "anomalous_diffusion")),
)


def possible(profile: str, flags: str) -> bool:
    """Return whether this machine can run a profile's instructions.

    Args:
        profile: name of the profile.
        flags: of the processor, as Linux lists them.
    """
    return profile != "avx512" or "avx512f" in flags


def environment(profile: str) -> dict:
    """Return this environment without thread settings, with the profile's switches."""
    settings = {name: value for name, value in os.environ.items() if name not in THREADS}
    settings.pop("OPENBLAS_CORETYPE", None)
    return settings | PROFILES[profile]


def main():
    """Run pytest under each profile; exit 1 if one fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("profiles", nargs="*", help=", ".join(PROFILES))
    parser.add_argument(
        "--quick", action="store_true", help="the exact chapters, without notebooks"
    )
    parser.add_argument("--workers", default="auto", help="of pytest-xdist")
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.profiles) - set(PROFILES)):
        parser.error(f"no profile named {', '.join(unknown)}: there are {', '.join(PROFILES)}")
    what = [*QUICK] if arguments.quick else ["tests", "lib", "--nbval", "book/notebooks"]
    command = [sys.executable, "-m", "pytest", "-q", "-n", arguments.workers, "--dist", "loadfile"]
    command += ["-m", "not slow and not browser", *what]
    if not arguments.quick:
        command += ["--nbval-current-env", "--nbval-cell-timeout=1200"]
        command += ["--nbval-sanitize-with", "tests/book/nbval_sanitize.cfg"]
    cpuinfo = Path("/proc/cpuinfo")
    flags = cpuinfo.read_text(encoding="utf-8") if cpuinfo.exists() else ""
    failed = []
    for profile in arguments.profiles or PROFILES:
        if not possible(profile, flags):
            print(f"===== {profile}: not on this processor", flush=True)
            continue
        print(f"===== {profile}: {PROFILES[profile]}", flush=True)
        start = time.perf_counter()
        if subprocess.run(command, cwd=ROOT, env=environment(profile)).returncode:
            failed.append(profile)
        print(f"===== {profile}: {time.perf_counter() - start:.0f} s", flush=True)
    if failed:
        raise SystemExit(f"failed under {', '.join(failed)}")


if __name__ == "__main__":
    main()

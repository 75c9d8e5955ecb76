"""The cluster script of reproduce.md, run by dask-jobqueue with a stand-in for SLURM's commands."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from sgdescape import cli, noise_strength
from sgdescape.core.runs.sweep import sweep

PAGE = Path(__file__).resolve().parents[2] / "book" / "reproduce.md"
SBATCH = """#!/bin/sh
cp "$1" "$JOBS/script"
setsid bash "$JOBS/script" > "$JOBS/said" 2>&1 < /dev/null &
echo "Submitted batch job $!"
"""
SCANCEL = """#!/bin/sh
kill -9 -- "-$1"; echo "$1" >> "$JOBS/cancelled"
"""


def count(replicas, *, seed):
    return {"a": np.arange(replicas.start, replicas.stop)}


def script():
    (code,) = re.findall(
        r"```python\n(.*?SLURMCluster.*?)```", PAGE.read_text(encoding="utf-8"), re.S
    )
    return code


def test_script_is_python_and_names_what_exists():
    compile(script(), str(PAGE), "exec")
    assert hasattr(noise_strength, "PAPER") and callable(cli.save)


def test_script_runs_on_a_stand_in_for_slurm(tmp_path, monkeypatch):
    """Scheduler, adaptive scaling, job script and worker are real; a job is a process here."""
    pytest.importorskip("dask_jobqueue")
    if not Path("/sys/class/net/lo").exists():
        pytest.skip("needs Linux's loopback interface")
    for name, text in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        (tmp_path / name).write_text(text, encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("JOBS", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    monkeypatch.chdir(tmp_path)
    stores = []

    def run(config, *, executor, store):
        assert config is noise_strength.PAPER
        stores.append(store)
        return sweep(count, {}, replicas=6, chunk_size=2, executor=executor, version="1",
                     store=tmp_path / "chunks")  # fmt: skip

    monkeypatch.setattr(noise_strength, "run", run)
    here = {'interface="ib0"': 'interface="lo"', "maximum_jobs=100": "maximum_jobs=1"}
    code = script()
    for theirs, ours in here.items():
        assert code.count(theirs) == 1
        code = code.replace(theirs, ours)
    exec(compile(code, str(PAGE), "exec"), {"__name__": "__main__"})
    job = (tmp_path / "script").read_text(encoding="utf-8")
    for line in ("#SBATCH -p standard", "#SBATCH -A my-project", "#SBATCH --cpus-per-task=1",
                 "#SBATCH -t 02:00:00", "--nthreads 1", "--lifetime 110m",
                 "--lifetime-stagger 8m", "export OMP_NUM_THREADS=1"):  # fmt: skip
        assert line in job, job
    with xr.open_dataset("paper.nc") as found:
        assert found.a.values.tolist() == list(range(6))
    assert stores == ["/shared/chunks"] and len(list(Path("chunks").glob("*.npz"))) == 3
    assert (
        (tmp_path / "cancelled").read_text(encoding="utf-8").strip().isdigit()
    )  # nothing keeps running

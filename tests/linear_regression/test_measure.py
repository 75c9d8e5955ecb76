"""Measurements of chapter `linear_regression`: seeds, chunks, engines, diverged replicas."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields as dataclass_fields
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import sgdescape.linear_regression as lr
from sgdescape import cli
from sgdescape.core.ensembles import regression
from sgdescape.linear_regression import estimates, measure

SMALL = replace(
    lr.QUICK,
    learning_rates=(1.0, 0.1),
    batch_sizes=(5, 10),
    records=50,
    replicas=60,
    dimensions=(1, 2),
    largest=(1.3, 1.3),
    slow_largest=(1.15, 1.3),
    law_ratios=(1.1, 1.2),
    samples=200,
    repetitions=60,
    runs=20,
    points=6,
    data_sets=4,
    stationary_samples=1000,
    barrier_rates=(0.2, 0.15, 0.12),
    jump_rates=(0.4, 0.3, 0.2),
    far_ratios=(10.0, 20.0, 40.0),
    zero_runs=2000,
    spread_ratio=1.3,
    bins=10,
)


def test_dataset_is_a_function_of_the_seed_whatever_computes_it(tmp_path, monkeypatch):
    first = lr.run(SMALL)
    monkeypatch.setattr(measure.Work, "chunk", 17)
    with ThreadPoolExecutor(2) as pool:
        second = lr.run(SMALL, executor=pool, store=tmp_path / "chunks")
    for name in first.data_vars:
        np.testing.assert_array_equal(first[name], second[name])
    other = measure.passages(replace(SMALL, seed=1))
    assert not np.array_equal(first["data_steps"], other["data_steps"])
    first.to_netcdf(tmp_path / "result.nc")


def test_a_run_goes_on_from_its_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr(measure.Work, "chunk", 30)
    work = measure.Work(store=tmp_path)
    first = measure.passages(SMALL, work)
    files = sorted(tmp_path.rglob("*.npz"))
    assert len(files) == 2 + 4  # two dimensions, 20 runs and 60 repetitions
    files[3].unlink()
    asked, compute = [], regression.first_passage

    def counted(problem, *, replicas, **options):
        asked.append(replicas)
        return compute(problem, replicas=replicas, **options)

    monkeypatch.setattr(regression, "first_passage", counted)
    again = measure.passages(SMALL, work)
    assert len(asked) == 1 and again.identical(first)
    more = measure.passages(replace(SMALL, repetitions=90), work)  # a larger ensemble
    assert asked[1:] == [range(60, 90)] * 2
    assert more.fresh_steps[:, :60].equals(first.fresh_steps)


@pytest.mark.slow
def test_the_command_line_computes_in_processes(tmp_path):
    fields = {f.name: getattr(SMALL, f.name) for f in dataclass_fields(SMALL)}
    changed = {k: v for k, v in fields.items() if v != getattr(lr.QUICK, k)}
    options = [
        text
        for name, value in changed.items()
        for text in (
            f"--{name.replace('_', '-')}",
            ",".join(map(str, value)) if isinstance(value, tuple) else str(value),
        )
    ]
    out, store = tmp_path / "result.nc", tmp_path / "chunks"
    where = ["--device", "cpu", "--engine", "processes", "--workers", "2", "--store", str(store)]
    with pytest.raises(SystemExit) as done:
        cli.main(["run", "linear_regression", "--out", str(out), *where, *options])
    assert done.value.code == 0 and list(store.rglob("*.npz"))
    with xr.open_dataset(out) as found:
        for name, expected in lr.run(SMALL).data_vars.items():
            np.testing.assert_array_equal(found[name], expected)


def test_censored_runs_count(measured):
    times, observed = estimates.passage_table(measured, "data", dimension=1)
    assert times.shape == (100, 10) and observed[:, 0].all()
    cut = measured.copy()
    cut["data_steps"] = measured.data_steps.where(measured.data_steps < 5000, -1)
    cut["data_last"] = 0 * measured.data_last + 5000
    value, low, high = estimates.mean_times(cut, "data", dimension=1)
    seen = cut.data_steps.sel(dimension=1).values[:, -2]
    dropped = 0.1 * seen[seen > 0].mean()
    assert value[-2] > 1.3 * dropped and low[-2] < value[-2] < high[-2]


def test_diverged_replicas_are_named_and_left_out(monkeypatch):
    compute = regression.stationary

    def some_lost(problem, *, replicas, **options):
        made = compute(problem, replicas=replicas, **options)
        made.diverged_at[list(replicas).index(3) if 3 in replicas else 0 :: 1000] = 7
        return made

    monkeypatch.setattr(regression, "stationary", some_lost)
    few = replace(SMALL, learning_rates=(0.1,), batch_sizes=(5,))
    with pytest.warns(RuntimeWarning, match="1 of 60 replicas diverged .* replica 3 in step 7"):
        found = measure.ensemble(few)
    assert np.isnan(found.mean_log.values[0, 0, 3]) and np.isnan(found.mean_log).sum() == 1
    assert np.isfinite(estimates.exponent(found, 0.1, 5).value)


def test_nothing_left_is_an_error():
    few = replace(SMALL, learning_rates=(30.0,), batch_sizes=(1,))
    with pytest.raises(FloatingPointError, match="none is left"):
        measure.ensemble(few)


def test_chance_to_leave_a_minimum_of_zero_loss_falls_with_the_distance():
    config = replace(lr.QUICK, zero_runs=20_000, zero_starts=(0.5, 0.25))
    near, far = measure.zero_loss(config).zero_reached.values[::-1] / config.zero_runs
    assert 0 < near < far < 1
    still = replace(config, zero_rate=0.01, zero_batch=10)  # no step lengthens theta by much
    assert measure.zero_loss(still).zero_reached.values.tolist() == [0, 0]

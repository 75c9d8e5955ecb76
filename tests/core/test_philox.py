"""Philox4x32-10: Random123's known answers, equality of the tiers, statistics of what is drawn."""

import numba as nb
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sgdescape.core.random import philox, philox_numba
from sgdescape.core.random.philox import Stream

ONES = 2**32 - 1
# counter, key, words: philox4x32-10 in Random123's known-answer table
KNOWN = (
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((ONES,) * 4, (ONES,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
)
WORD = st.integers(0, ONES)


@nb.njit
def numba_words(step, draw, replica, stream, k0, k1):
    return philox_numba.philox(step, draw, replica, stream, k0, k1)


@nb.njit
def numba_table(step, replicas, stream, k0, k1):
    """All numba conversions of the first block of each replica, as float64."""
    out = np.empty((replicas, 4, 4))
    for r in range(replicas):
        w = philox_numba.philox(step, 0, r, stream, k0, k1)
        for j in range(4):
            out[r, j, 0] = w[j]
            out[r, j, 1] = philox_numba.index(w[j], 10_007)
            out[r, j, 2] = philox_numba.uniform(w[j])
        out[r, 0, 3], out[r, 1, 3] = philox_numba.normal_pair(w[0], w[1])
        out[r, 2, 3], out[r, 3, 3] = philox_numba.normal_pair(w[2], w[3])
    return out


def named(counter):
    return dict(zip(("step", "draw", "replica", "stream"), counter, strict=True))


def draw(n=4000, *, seed=1, step=0, stream=Stream.BATCH):
    return philox.words(seed, step=step, draw=0, replica=np.arange(n), stream=stream)


@pytest.mark.parametrize("counter, key, answer", KNOWN)
def test_known_answers_in_every_tier(counter, key, answer):
    seed = key[0] + (key[1] << 32)
    assert tuple(philox.words(seed, **named(counter))) == answer
    assert tuple(philox.torch_words(seed, **named(counter)).tolist()) == answer
    assert tuple(numba_words(*counter, *key)) == answer


@given(counter=st.tuples(WORD, WORD, WORD, WORD), seed=st.integers(0, 2**64 - 1))
@settings(max_examples=50, deadline=None)
def test_tiers_give_the_same_words(counter, seed):
    numpy = philox.words(seed, **named(counter))
    assert numpy.dtype == np.uint32
    assert philox.torch_words(seed, **named(counter)).tolist() == numpy.tolist()
    assert list(numba_words(*counter, *philox.key(seed))) == numpy.tolist()


def test_any_subset_of_counters_gives_that_subset_of_words():
    whole = draw(100)
    assert np.array_equal(
        whole[37:59], philox.words(1, step=0, draw=0, replica=np.arange(37, 59), stream=0)
    )


def test_broadcasting():
    steps, replicas = np.arange(3)[:, None], np.arange(5)
    table = philox.words(3, step=steps, draw=1, replica=replicas, stream=Stream.NOISE)
    assert table.shape == (3, 5, 4)
    same = philox.torch_words(
        3, step=torch.arange(3)[:, None], draw=1, replica=torch.arange(5), stream=Stream.NOISE
    )
    assert np.array_equal(same.numpy(), table)
    assert len(np.unique(table.reshape(-1, 4), axis=0)) == 15


def test_tiers_give_the_same_numbers():
    seed, n = 2**40 + 5, 500
    words = draw(n, seed=seed, step=9, stream=Stream.NOISE)
    tensor = torch.from_numpy(words.astype(np.int64))
    table = numba_table(9, n, int(Stream.NOISE), *philox.key(seed))
    assert np.array_equal(table[..., 0], words)
    assert np.array_equal(table[..., 1], philox.indices(words, 10_007))
    assert np.array_equal(table[..., 2], philox.uniforms(words))
    assert np.array_equal(philox.indices(tensor, 10_007).numpy(), table[..., 1])
    assert np.array_equal(philox.uniforms(tensor).numpy(), table[..., 2])
    np.testing.assert_allclose(table[..., 3], philox.normals(words), rtol=0, atol=5e-14)
    for dtype, tolerance in (("float64", 5e-14), ("float32", 1e-5)):
        numpy, other = philox.normals(words, dtype=dtype), philox.normals(tensor, dtype=dtype)
        assert numpy.dtype == dtype and other.dtype == getattr(torch, dtype)
        np.testing.assert_allclose(other.numpy(), numpy, rtol=0, atol=tolerance)
    low, high = philox.uniforms(words, dtype="float32"), philox.uniforms(words)
    np.testing.assert_allclose(low, high, atol=2.0**-24)


def test_ends_of_the_ranges():
    ends = np.array([0, ONES], dtype=np.uint32)
    assert philox.indices(ends, 7).tolist() == [0, 6]
    assert philox.uniforms(ends).tolist() == [2.0**-33, 1 - 2.0**-33]
    assert philox.uniforms(ends, dtype="float32").tolist() == [2.0**-25, 1.0]
    assert np.isfinite(philox.normals(np.array([0, 0, ONES, ONES], dtype=np.uint32))).all()


@pytest.mark.parametrize("axis", ["step", "draw", "replica", "stream", "seed"])
def test_uniform_and_independent_along_every_axis_of_the_counter(axis):
    n = 20_000
    where = {"step": 5, "draw": 0, "replica": 3, "stream": 0}
    if axis == "seed":
        words = np.stack([philox.words(s, **where) for s in range(2000)])
    else:
        words = philox.words(7, **(where | {axis: np.arange(n)}))
    u = philox.uniforms(words)
    assert stats.kstest(u.ravel(), "uniform").pvalue > 1e-5
    for lag in (1, 2):
        r = np.corrcoef(u[lag:, 0], u[:-lag, 0])[0, 1]
        assert abs(r) * np.sqrt(len(u)) < 5
    pairs = np.corrcoef(u.T)[np.triu_indices(4, 1)]
    assert np.abs(pairs).max() * np.sqrt(len(u)) < 5
    bits = (words[..., None] >> np.arange(32, dtype=np.uint32)) & 1
    z = (bits.mean(0) - 0.5) * 2 * np.sqrt(len(u))
    assert np.abs(z).max() < 5.5  # the largest of 128


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_normals_are_normal(dtype):
    x = philox.normals(draw(50_000, stream=Stream.NOISE), dtype=dtype).astype(float)
    assert stats.kstest(x.ravel(), "norm").pvalue > 1e-5
    assert abs((x**4).mean() - 3) < 5 * np.sqrt(96 / x.size)
    across = np.corrcoef(x.T)[np.triu_indices(4, 1)]
    assert np.abs(across).max() * np.sqrt(len(x)) < 5
    assert abs(np.corrcoef(x[:, 0] ** 2, x[:, 1] ** 2)[0, 1]) * np.sqrt(len(x)) < 5


def test_indices_are_uniform():
    counts = np.bincount(philox.indices(draw(50_000), 37).ravel(), minlength=37)
    assert stats.chisquare(counts).pvalue > 1e-5


REFUSED = (
    ({"seed": -1}, ValueError, r"seed must lie in \[0, 18446744073709551615\]: got -1"),
    ({"seed": 2**64}, ValueError, "seed must lie in"),
    ({"seed": 1.0}, TypeError, "seed must be an integer: got 1.0"),
    ({"step": -1}, ValueError, r"step must lie in \[0, 4294967295\]"),
    ({"step": 2**32}, ValueError, r"step must lie in \[0, 4294967295\]"),
    ({"draw": 0.5}, TypeError, "draw must be"),
    ({"replica": 2**32}, ValueError, "replica must lie in"),
)


@pytest.mark.parametrize("function", [philox.words, philox.torch_words])
@pytest.mark.parametrize("change, error, message", REFUSED)
def test_bad_counters_are_refused(function, change, error, message):
    arguments = {"seed": 0, "step": 0, "draw": 0, "replica": 0, "stream": 0} | change
    with pytest.raises(error, match=message):
        function(arguments.pop("seed"), **arguments)


def test_bad_conversions_are_refused():
    words = draw(2)
    with pytest.raises(ValueError, match=r"n must lie in \[1, 2147483648\]: got 0"):
        philox.indices(words, 0)
    with pytest.raises(ValueError, match="dtype must be one of 'float64', 'float32'"):
        philox.normals(words, dtype="float16")
    with pytest.raises(TypeError, match="step must be of int64"):
        philox.torch_words(0, step=torch.zeros(2), draw=0, replica=0, stream=0)

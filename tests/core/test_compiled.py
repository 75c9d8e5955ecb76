"""Compiled kernels never outlive the sources they were made of."""

import numba as nb

from sgdescape.core._kernels import compiled


def test_every_byte_counts(tmp_path):
    one, two = tmp_path / "one.py", tmp_path / "two.py"
    one.write_text("a = 1\n")
    two.write_text("b = 1\n")
    first = compiled.fingerprint([one, two])
    assert compiled.fingerprint([two, one]) == first
    two.write_text("b = 2\n")
    assert compiled.fingerprint([one, two]) != first
    assert compiled.fingerprint([one]) != first


def test_cache_lies_in_the_folder_of_its_sources_and_numba_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(compiled, "HERE", tmp_path / "_kernels")
    compiled.HERE.mkdir()
    (tmp_path / "philox.py").write_text("")
    before = nb.config.CACHE_DIR
    twice = compiled.kernel()(double)
    assert nb.config.CACHE_DIR == before
    assert twice(2) == 4
    (folder,) = (compiled.HERE / "__pycache__").iterdir()
    assert list(folder.rglob("*.nbi"))
    (compiled.HERE / "helper.py").write_text("x = 1\n")  # as if a helper had been edited
    compiled.kernel()(double)(2)
    assert len(list((compiled.HERE / "__pycache__").iterdir())) == 2


def test_without_a_place_to_write_it_still_compiles(monkeypatch):
    def refuse(*args, cache=False, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return njit(*args, **options)

    njit = nb.njit
    monkeypatch.setattr(compiled.nb, "njit", refuse)
    assert compiled.kernel()(double)(3) == 6


def double(x):
    return 2 * x

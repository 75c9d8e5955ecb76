"""Every public name, called with a table of bad values for each of its arguments.

The table follows from a working call (`interface_calls`) and the signature: what is no number of
the right kind must be refused; what may be right (zero, a sign, a shape, another kind of array)
must be refused or give numbers. A refusal is a ValueError or TypeError (or an absent package, with
its name) that this package raises and that names the argument; nothing comes from inside a library,
no NaN comes out of bad input, and nobody is flooded with warnings.

`python tests/test_bad_calls.py` prints the counts.
"""

import contextlib
import copy
import dataclasses
import importlib
import inspect
import math
import re
import signal
import sys
import tempfile
import traceback
import warnings
import zlib
from collections import Counter

import interface_calls
import numba
import numpy as np
import pytest
import torch
import xarray as xr
from matplotlib.figure import Figure

AXES = Figure().subplots()
NAN, INF = math.nan, math.inf
SURE, PERHAPS, RIGHT = "must be refused", "refused or right", "must be right"

EQUAL = ("tensor", "list", "array", "read-only")
"""The same numbers in another kind of array: where it is taken, the result is the same."""

GOOD = ("clear", "right", "long")
NUMBERS = {"nan": NAN, "inf": INF, "-inf": -INF, "complex": 1 + 2j, "text": "2", "bool": True,
           "object": object(), "dictionary": {}, "NaN inside": np.array([1.0, NAN])}  # fmt: skip
OBJECTS = {"number": 3, "text": "x", "object": object()}


FREE = ("name", "identifier", "unit", "source", "statement", "reason", "text", "label", "title",
        "verdict", "method", "cost", "folder", "chapter", "purpose", "identity", "slider", "path",
        "data_dir", "which")  # fmt: skip
"""Arguments that may be any text."""


class TooLong(BaseException):
    """A call that was not refused at once goes on computing."""


# --- the table -------------------------------------------------------------------------------


def table(value, parameter) -> list[tuple]:
    """Return (label, value, what must happen) of an argument that is this in the working call."""
    hint = str(parameter.annotation)
    none = {} if parameter.default is None or "None" in hint else {"None": None}
    if isinstance(value, (bool, np.bool_)):
        return [("text", "yes", PERHAPS)]
    if isinstance(value, (int, float, np.number)):
        return of_number(value, hint, none)
    if isinstance(value, complex):
        wrong = {k: v for k, v in NUMBERS.items() if k != "complex"} | none
        return [(k, v, SURE) for k, v in wrong.items()] + [("number", value.real, PERHAPS)]
    if isinstance(value, str):
        wrong = {"no such": "no such", "number": 3, "bytes": b"x", "array": np.ones(1)} | none
        free = parameter.name in FREE
        return [(k, v, PERHAPS if free and k == "no such" else SURE) for k, v in wrong.items()]
    if isinstance(value, torch.Tensor):
        return of_tensor(value, none)
    if _real_array(value) is not None:
        return of_array(_real_array(value), none, isinstance(value, np.ndarray))
    if isinstance(value, range):
        wrong = {"list": [0, 1], "empty": range(0), "negative": range(-3, 0)} | OBJECTS | none
        odd = {"beyond 2^32": range(2**32 - 1, 2**32 + 1), "backwards": range(5, 0, -1)}
        return [(k, v, SURE) for k, v in wrong.items()] + [(k, v, PERHAPS) for k, v in odd.items()]
    found = [(k, v, SURE) for k, v in (OBJECTS | none).items()]
    if inspect.isroutine(value):
        found.append(("returns nothing", lambda *a, **k: None, PERHAPS))
        found.append(("returns NaN", lambda *a, **k: NAN, PERHAPS))
    return found


def of_number(value, hint, none):
    whole = "int" in hint and "float" not in hint
    odd = {
        "zero": 0 * value,
        "other sign": -value or -1,
        "huge": 10**30 if whole else 1e300,
        "fraction": value + 0.5,
        "float16": np.float16(min(value, 1e4)),
        "tensor": torch.tensor(value, dtype=torch.float64 if isinstance(value, float) else None),
        "empty": np.array([]),
        "matrix": np.full((2, 3), value),
    }
    sure = [(k, v, SURE) for k, v in (NUMBERS | none).items()]
    return sure + [
        (k, v, SURE if k in ("fraction", "huge") and whole else PERHAPS) for k, v in odd.items()
    ]


def of_array(array, none, is_array):
    plain, read_only = array.astype(np.float64), array.copy()
    read_only.flags.writeable = False
    sure = {
        "nan": _with(plain, NAN),
        "inf": _with(plain, INF),
        "complex": plain + 1j,
        "texts": array.astype(str),
        "booleans": array > 0,
        "objects": np.full(array.shape, object()),
        "text": "x",
    }
    odd = {
        "empty": array[:0] if array.ndim else array,
        "number": float(array.flat[0]),
        "two axes more": array[None, None],
        "shorter": array[1:] if array.ndim else array,
        "other sign": -array,
        "zeros": 0 * array,
        "huge": 1e300 * plain,
        "float16": np.clip(plain, -1e4, 1e4).astype(np.float16),
        "tensor": torch.as_tensor(array),
        "list": array.tolist(),
    }
    return (
        [(k, v, SURE) for k, v in (sure | none).items()]
        + [(k, v, PERHAPS) for k, v in odd.items()]
        + [("read-only", read_only, RIGHT if is_array else PERHAPS)]
    )


def of_tensor(tensor, none):
    sure, odd = {"text": "x", "number": 3} | none, {"array": tensor.detach().numpy()}
    if tensor.is_floating_point() and tensor.numel():
        sure |= {"nan": _with(tensor, NAN), "inf": _with(tensor, INF)}
        sure["complex"] = tensor.to(torch.complex128)
        odd |= {"float16": tensor.half(), "whole": tensor.long()}
    odd |= {"empty": tensor[:0], "shorter": tensor[1:]} if tensor.ndim else {}
    odd |= {"axis more": tensor[None], "list": tensor.tolist()}
    return [(k, v, SURE) for k, v in sure.items()] + [(k, v, PERHAPS) for k, v in odd.items()]


def _with(values, wrong):
    spoiled = values.clone() if isinstance(values, torch.Tensor) else values.copy()
    spoiled.reshape(-1)[-1:] = wrong
    return spoiled


def _real_array(value):
    """The value as an array if it is one of real numbers, None if not."""
    if not isinstance(value, (np.ndarray, list, tuple)) or len(np.shape(value) or (1,)) == 0:
        return None
    try:
        array = np.asarray(value)
    except ValueError:  # ragged
        return None
    return array if array.size and array.dtype.kind in "iuf" else None


# --- one call --------------------------------------------------------------------------------


def outcome(
    function, bound, argument, wanted, base_has_nan=False, expected=None
) -> tuple[str, str]:
    """Call, and return a word for what happened with what was said."""
    try:
        found, flood = timed(function, bound)
    except TooLong:
        return ("long", "") if wanted != SURE else ("silent", "it computes")
    except ModuleNotFoundError as error:
        return "clear", str(error)
    except (ValueError, TypeError) as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        said = f"{type(error).__name__}: {error} ({where.filename}:{where.lineno})"
        if "/sgdescape/" not in where.filename:
            return "library", said
        words = (argument,) if wanted == SURE else named_arguments(bound)
        text = str(error).replace("SHA-256", "sha256")
        named = any(re.search(rf"(?<![A-Za-z]){w}(?![A-Za-z])", text) for w in words)
        return ("clear" if named and wanted != RIGHT else "unclear"), said
    except Exception as error:
        if type(error).__module__.startswith("sgdescape."):  # a kind of its own
            return "clear", str(error)
        where = traceback.extract_tb(error.__traceback__)[-1]
        known = isinstance(error, OSError) and "/sgdescape/" in where.filename
        said = f"{type(error).__name__}: {error} ({where.filename}:{where.lineno})"
        return ("clear" if known and argument in str(error) else "library"), said
    if wanted == SURE:
        return "silent", repr(found)[:80]
    if not base_has_nan and has_nan(found):
        return "silent", f"NaN: {found!r}"[:80]
    if expected is not None and not same(found, expected):
        return "silent", f"{found!r}, not {expected!r}"[:200]
    return ("flood", f"{flood} warnings") if flood > 5 else ("right", "")


def same(found, expected) -> bool:
    """Whether two results are the same numbers, as far as they are numbers."""
    if dataclasses.is_dataclass(expected) and not isinstance(expected, type):
        names = [f.name for f in dataclasses.fields(expected)]
        return all(same(getattr(found, n), getattr(expected, n)) for n in names)
    if isinstance(expected, (tuple, list)):
        pairs = zip(found, expected, strict=True)
        return len(found) == len(expected) and all(same(f, e) for f, e in pairs)
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(same(found[k], expected[k]) for k in found)
    if isinstance(expected, torch.Tensor):
        expected = expected.detach().numpy()
    if not isinstance(expected, (int, float, complex, np.number, np.ndarray)):
        return True
    found = np.asarray(found.detach() if isinstance(found, torch.Tensor) else found)
    expected = np.asarray(expected)
    if expected.dtype.kind not in "iufcb":
        return True
    return np.allclose(found, expected, rtol=1e-6, atol=1e-12, equal_nan=True)


def named_arguments(bound):
    """The names of the arguments, those of ``**options`` too."""
    for name, value in bound.arguments.items():
        kind = bound.signature.parameters[name].kind
        yield from value if kind is inspect.Parameter.VAR_KEYWORD else (name,)


def timed(function, bound, seconds=1.0):
    """Return the result and how many warnings came with it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        signal.setitimer(signal.ITIMER_PROF, seconds)
        try:
            found = function(*bound.args, **bound.kwargs)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
    return found, sum(issubclass(w.category, RuntimeWarning) for w in caught)


def has_nan(value, depth=0) -> bool:
    """Whether NaN is somewhere in numbers, arrays, or what holds them."""
    if depth > 3 or isinstance(value, (xr.Dataset, str)):
        return False
    if isinstance(value, torch.Tensor):
        return value.is_floating_point() and bool(torch.isnan(value).any())
    if isinstance(value, (float, np.ndarray, np.floating)):
        return np.asarray(value).dtype.kind == "f" and bool(np.isnan(value).any())
    if isinstance(value, dict):
        value = tuple(value.values())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = tuple(getattr(value, f.name) for f in dataclasses.fields(value))
    return isinstance(value, (tuple, list)) and any(has_nan(v, depth + 1) for v in value)


def with_argument(bound, name, inner, value):
    """The working call with one argument exchanged; the others are copies."""
    changed = copy.copy(bound)
    changed.arguments = {k: _copy(v) for k, v in bound.arguments.items()}
    if inner:
        changed.arguments[inner] = changed.arguments[inner] | {name: value}
    else:
        changed.arguments[name] = value
    return changed


def _copy(value):
    try:
        return copy.deepcopy(value)
    except Exception:  # open files, generators of modules: shared
        return value


# --- all calls of one name -------------------------------------------------------------------

HEAVY = ("run", "measurements", "measure", "download", "read_folder")  # by their doors only


def attempts(label, function, *, share=1):
    """Yield (argument, label of the value, outcome, what was said) of what is tried.

    ``share`` = n tries one value in n, always the same ones.
    """
    parameters = inspect.signature(function).parameters
    first = next(iter(parameters.values()))
    if first.name in ("dataset", "ds") and label not in interface_calls.CALLS:
        needed = [p.name for p in parameters.values() if p.default is p.empty
                  and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]  # fmt: skip
        others = {n: AXES if n == "ax" else quick(label) if n == "config" else None for n in needed}
        for name, value in (OBJECTS | {"None": None, "other": xr.Dataset()}).items():
            bound = inspect.signature(function).bind(**others | {first.name: value})
            wanted = PERHAPS if name == "other" else SURE
            word, said = outcome(function, bound, first.name, wanted)
            yield first.name, name, word, said
        return
    bound = interface_calls.call_of(label, function)
    if bound is None:
        yield "", "", "no call", "no example in the docstring, and none in interface_calls"
        return
    heavy = label.rpartition(".")[2] in HEAVY
    nan = "NaN" in (inspect.getdoc(function) or "")  # where there is nothing, as it says
    usual = None
    if not heavy:
        unchanged = with_argument(bound, first.name, None, _copy(bound.arguments[first.name]))
        usual = timed(function, unchanged, 20)[0]
        nan = nan or has_nan(usual)
    for name, inner, value in each_argument(bound, parameters):
        if label.startswith("core.validate.") and name in WORDS:
            continue
        for kind, wrong, wanted in table(value, parameters[inner or name]):
            left_out = zlib.crc32(f"{label} {name} {kind}".encode()) % share
            if heavy and wanted != SURE or left_out:
                continue
            free = allowed(label, function, name, kind)
            wanted = PERHAPS if free else SURE if excluded(function, name, kind, value) else wanted
            changed = with_argument(bound, name, inner, wrong)
            expected = usual if kind in EQUAL else None
            yield name, kind, *outcome(function, changed, name, wanted, nan or free, expected)


def quick(label):
    """The configuration of a name's chapter."""
    return importlib.import_module(f"sgdescape.{label.partition('.')[0]}").QUICK


def allowed(label, function, name, kind):
    """Whether the docstring or `ACCEPTED` says that an argument may have such a value."""
    if (label, name, kind) in ACCEPTED:
        return True
    said = declared(function, name)
    return kind in ("nan", "NaN inside") and "NaN" in said or "inf" in kind and "infinity" in said


def declared(function, name) -> str:
    """What the docstring says of an argument."""
    text = inspect.getdoc(function) or ""
    entry = re.search(rf"^ *{name}: (.*?)(?=^ *[a-z_]+: |\n\n|\Z)", text, re.M | re.S)
    return entry[1] if entry else ""


def excluded(function, name, kind, value) -> bool:
    """Whether a value lies outside of the range that the docstring declares."""
    if kind not in ("zero", "zeros", "other sign"):
        return False
    said = declared(function, name).split(";")[0]
    above = re.search(r"> 0|above 0|[Pp]ositive|at least 1|>= 1|from 1|above 1|> 1", said)
    least = re.search(r"at least 0|>= 0|from 0|in [\[(]0|[Nn]on-negative", said)
    if "or 0" in said or np.size(value) == 0 or not np.all(np.asarray(value) >= 0):
        return False
    if kind in ("zero", "zeros"):
        return bool(above)
    return kind == "other sign" and bool(above or least) and np.any(np.asarray(value) > 0)


def each_argument(bound, parameters):
    for name, value in bound.arguments.items():
        kind = parameters[name].kind
        if kind is inspect.Parameter.VAR_KEYWORD:
            yield from ((inner, name, v) for inner, v in value.items())
        elif kind is not inspect.Parameter.VAR_POSITIONAL and value is not None:
            yield name, None, value


def cases():
    """Labels and functions that are tried."""
    for label, function in interface_calls.names().items():
        if inspect.isclass(function):
            record = "Args:" not in (function.__doc__ or "")  # of a result: nobody else makes it
            if record or issubclass(function, BaseException) or label.endswith(".Config"):
                continue
        if inspect.signature(function).parameters and not inner(label):
            yield label, function


SHARE = 8
"""Of so many values one is tried in every run of the tests, all of them at night."""

LONG = {
    "anomalous_diffusion.figures.windows", "large_deviations.direction_effect",
    "large_deviations.outlier_barrier", "momentum_escape.figures.curves",
    "momentum_escape.figures.orbits", "momentum_escape.figures.paths",
    "heavy_tails.largest_growth", "heavy_tails.momentum_root", "kramers_escape.axis_threshold",
    "kramers_escape.focusing_threshold", "linear_regression.data_barrier",
}  # fmt: skip
"""Seconds for a working call: at night only."""

_FLAGGED = "a run that diverges is flagged, and its states are no numbers"
_SEEN = "a run that diverges is seen by its loss"
ACCEPTED = {
    **{
        ("core.networks.gradients.check_targets", "inputs", kind): "it looks at the targets alone"
        for kind in ("nan", "inf", "complex")
    },
    **{
        (f"core.training.losses.{loss}", name, kind): _SEEN
        for loss in ("cross_entropy", "square_loss")
        for name in ("outputs", "targets")
        for kind in ("nan", "inf")
    },
    ("core.sde.bowl.simulate", "dt", "huge"): _FLAGGED,
    ("core.sde.bowl.stationary", "dt", "huge"): _FLAGGED,
    ("core.ensembles.phase_space.averages", "learning_rate", "huge"): _FLAGGED,
    ("core.ensembles.phase_space.averages", "weight_decay", "huge"): _FLAGGED,
    ("core.ensembles.phase_space.states", "learning_rate", "huge"): _FLAGGED,
    ("core.ensembles.phase_space.states", "weight_decay", "huge"): _FLAGGED,
    ("core.ensembles.regression.first_passage", "learning_rate", "huge"): _FLAGGED,
    ("core.ensembles.regression.first_passage", "weight_decay", "huge"): _FLAGGED,
    ("core.ensembles.regression.stationary", "learning_rate", "huge"): _FLAGGED,
    ("core.ensembles.regression.stationary", "weight_decay", "huge"): _FLAGGED,
    ("core.quasi_potential.line.line_potential", "jump", "inf"): "a jump that is not possible",
    ("core.runs.provenance.to_json", "fields", "text"): "a text has a form in JSON",
    ("core.runs.provenance.to_json", "fields", "None"): "None has a form in JSON",
    ("core.runs.provenance.to_json", "fields", "number"): "a number has a form in JSON",
    ("core.random.philox.torch_words", "step", "number"): "one integer for all",
    ("core.fokker_planck.elimination.eliminate", "rates", "nan"): "on the diagonal, not looked at",
    ("core.fokker_planck.elimination.eliminate", "rates", "inf"): "on the diagonal, not looked at",
    ("core.runs.store.read", "folder", "text"): "a folder that does not hold the piece",
    ("core.runs.provenance.package_version", "package", "no such"): "it says: not installed",
}
"""(name, argument, value) -> why it may be so."""

INNER = {
    "core.validate.sgd_arguments.stable": "after `optimiser` and `stiffness`, which check",
    "core.validate.devices.device": "says `device`, as its callers call it, who are tried",
    "core.doors.": "made at import, of functions of this package",
    "core.compiled.": "made at import, of files of this package",
    "core.claims.declaration.claim": "made at import, of a chapter's claims",
    "core.claims.declaration.glue": "writes into the notebook that it stands in",
    "core.claims.card.volatile": "takes anything that has a text",
    "core.claims.records.six_digits": "takes anything that JSON holds",
    "core.claims.verdict.apart": "of the verdict, after its checks",
    "core.claims.verdict.inside": "of the verdict, after its checks",
    "core.claims.statement.Claim": "made by `check` alone",
    "core.ensembles.network.Problem": "made by `problem` alone",
    "core.ensembles.network.Runs": "made by `run` alone",
    "core.explorer.Axes": "a frame; `explorer_html` checks what is drawn in it",
    "core.fokker_planck.elimination.censor": "inside a solver, on the matrix of a `Generator`",
    "core.fokker_planck.faces.": "inside `operator_1d` and `operator_2d`, after their checks",
    "core.fokker_planck.generators.from_rates": "inside `operator_1d` and `operator_2d`",
    "core.fokker_planck.generators.prepare": "inside the solvers, which check",
    "core.fokker_planck.operators.on_parts": "inside `operator_2d`, on what a function gave",
    "core.data.formats.parse_cifar10_archive": "a file: `tests/core/test_data.py` breaks it",
    "core.data.sources.download": "from the network: `tests/core/test_data.py` breaks it",
    "core.networks.gradients.chunks": "inside the entries, after their checks",
    "core.networks.gradients.output_curvature": "inside the entries, on the outputs of the model",
    "core.networks.gradients.output_gradients": "inside the entries, on the outputs of the model",
    "core.networks.gradients.unit_cotangents": "inside the entries, on the outputs of the model",
    "core.networks.layers.deltas": "of a `Linearisation`, which `linearise` alone makes",
    "core.networks.layers.inputs_of": "of a `Linearisation`",
    "core.networks.layers.kept_bytes": "of a `Linearisation`",
    "core.networks.layers.pu": "of a `Linearisation`: `pull`, `push`, `push_gradient`",
    "core.networks.layers.split": "of a `Linearisation`",
    "core.networks.plain.check_losses": "in every step; `tests/core/test_plain.py` breaks losses",
    "core.networks.plain.clean_modes": "made at import, of functions of this package",
    "core.power.kept.kept": "looked up once: a file of the package",
    "core.power.kept.Power": "made by `power` alone",
    "core.power.analysis.Outcome": "made by `outcome` alone",
    "core.power.analysis.outcome": "never raises: whatever happens is the outcome",
    "core.random.brownian.bridge_maximum": "inside a step, on states that may have diverged",
    "core.random.brownian.bridge_passage": "inside a step, on states that may have diverged",
    "core.random.philox.cast": "inside the generators, on words",
    "core.runs.engines.executor": "a context: refuses when entered, `tests/core/test_engines.py`",
    "core.runs.reading.": "made at import, of functions of this package",
    "core.runs.seedless.": "inside the tool that measures the power of claims",
    "core.sde.bowl.Watch": "functions; checked on the start by whoever takes it",
    "core.sde.passage.apply_noise": "inside a step, on states that may have diverged",
    "core.sde.passage.noise_variance": "inside a step, on states that may have diverged",
    "core.sde.passage.bowl_reference": "an engine of `first_passage`, after its checks",
    "core.sde.passage.reference": "an engine of `first_passage`, after its checks",
    "core.sde.shapes.": "the checks themselves: their arguments are what a caller's function gave",
    "core.rare_events.splitting.Splitting": "a record of results",
    "core.stats.tails.Tail": "a record of results",
    "core.stats.survival.SurvivalCurve": "a record of results",
    "core.stats.slopes.LocalSlope": "a record of results",
    "core.training.updates.autograd_update": "inside `train`, after its checks",
    "core.training.updates.dense_update": "inside `train`, after its checks",
    "core.training.updates.update_rule": "inside `train`, after its checks",
    "neural_network.predictions.bowl_times": "inside the experiment, on its own valley",
    "neural_network.predictions.continuous_times": "inside the experiment, on its own valley",
    "network_limits.predictions.": "inside the experiment, on its own configuration",
    "noise_strength.agree": "of two results: `tests/noise_strength/test_kept.py`",
    "noise_strength.network_and_data": "inside the experiment, on its own cases",
}
"""Beginning of a name -> why its arguments are not tried."""


WORDS = ("name", "low", "high", "most", "least", "open_low", "allowed")
"""Of a check in `core.validate`: words and range of the caller's argument, not what is checked."""


def inner(label):
    """Whether a name is one of `INNER`."""
    return label.startswith(tuple(INNER))


NOT_IN = "numba", "llvmlite", "importlib"
"""Where a call is not cut: a compiler or an import that is left in the middle stays broken."""


def ring(_, frame):
    while frame is not None:
        if frame.f_globals.get("__name__", "").split(".")[0] in NOT_IN:
            signal.setitimer(signal.ITIMER_PROF, 0.1)  # once more, a little later
            return
        frame = frame.f_back
    raise TooLong


@pytest.fixture(autouse=True)
def alarm(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # what writes a file is called too
    before = signal.signal(signal.SIGPROF, ring)
    yield
    signal.signal(signal.SIGPROF, before)


CASES = dict(cases())


@pytest.mark.parametrize("label", [label for label in CASES if label not in LONG])
def test_some_bad_values_are_refused_clearly_or_right(label):
    bad = [found for found in attempts(label, CASES[label], share=SHARE) if found[2] not in GOOD]
    assert not bad


@pytest.mark.slow
@pytest.mark.parametrize("label", CASES)
def test_all_bad_values_are_refused_clearly_or_right(label):
    bad = [found for found in attempts(label, CASES[label]) if found[2] not in GOOD]
    assert not bad


def test_no_call_is_cut_while_it_is_compiled():
    compiled = numba.njit(lambda n: np.zeros((n, 2)).sum() + np.ones(n).mean())
    bound = inspect.signature(lambda n: n).bind(3)
    with contextlib.suppress(TooLong):  # it may ring once the compiler is done
        timed(compiled, bound, seconds=0.01)
    assert compiled(3) == 1.0


def test_a_call_that_lasts_is_cut():
    with pytest.raises(TooLong):
        timed(lambda: sum(k for k in range(10**9)), inspect.signature(lambda: 0).bind(), 0.05)


def test_the_table_sees_what_is_wrong():
    def careless(rate: float, *, values):
        """Return nothing good."""
        return np.asarray(values).sum() / rate

    bound = inspect.signature(careless).bind(0.5, values=[1.0, 2.0])
    found = Counter()
    for name, value in bound.arguments.items():
        for _, wrong, wanted in table(value, inspect.signature(careless).parameters[name]):
            found[outcome(careless, with_argument(bound, name, None, wrong), name, wanted)[0]] += 1
    assert found["silent"] > 5 and found["unclear"] + found["library"] > 5 and found["right"] > 5


def test_what_is_not_tried_exists():
    names = interface_calls.names()
    assert all(any(name.startswith(start) for name in names) for start in INNER)
    assert len(CASES) > 900 and {name for name, *_ in ACCEPTED} <= set(CASES)


def safely(label, function):
    try:
        yield from attempts(label, function)
    except Exception as error:
        yield "", "", "no call", repr(error)


def main():
    """Print how many calls ended how, and which were not as they must be."""
    signal.signal(signal.SIGPROF, ring)
    counts = Counter()
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for label, function in CASES.items():
            for argument, kind, word, said in safely(label, function):
                counts[word] += 1
                if word not in GOOD:
                    print(f"{word}: {label}({argument}: {kind}): {said}"[:600], flush=True)
    print(f"{len(CASES)} names, {counts.total()} calls: {dict(counts)}")


if __name__ == "__main__":
    sys.exit(main())

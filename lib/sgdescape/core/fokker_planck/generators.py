"""Markov generators on cells: stationary law, spectral gap, mean passage times, escape rates.

All of it keeps its relative accuracy when rates are exponentially small (down to 1e-300), because
nothing is found as a difference of probabilities: see `sgdescape.core.fokker_planck.elimination`.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigs

from sgdescape.core import validate
from sgdescape.core.doors import door
from sgdescape.core.fokker_planck.elimination import Censored, censor

__all__ = [
    "Generator",
    "QuasiStationary",
    "absorb",
    "committor",
    "escape_rate",
    "from_rates",
    "mean_first_passage",
    "prepare",
    "quasi_stationary",
    "spectral_gap",
    "stationary",
]


@dataclass(frozen=True)
class Generator:
    """Rates of change of the probabilities p of cells: dp/dt = matrix p."""

    matrix: sparse.csc_array  # (cells, cells): rate from cell (column) to cell (row)
    loss: np.ndarray  # (cells,): rate of absorption; matrix.sum(axis=0) = -loss to rounding
    volumes: np.ndarray  # (cells,): density = p / volumes
    active: np.ndarray  # (cells,) bool: False inside an absorbing set
    shape: tuple[int, ...]  # (nx,) or (nx, ny); cell (i, j) is number i * ny + j
    centres: tuple[np.ndarray, ...]  # (nx,) or (nx,), (ny,)
    periodic: tuple[bool, ...]  # each axis


@dataclass(frozen=True)
class QuasiStationary:
    """Slowest mode of a generator with absorption."""

    rate: float  # smallest |eigenvalue|, 1 / time
    low: float  # bounds of Collatz and Wielandt on the rate
    high: float
    probability: np.ndarray  # (cells,), sum 1
    iterations: int
    converged: bool  # bounds closer than asked


@door
def from_rates(
    sources, targets, rates, *, loss, volumes, active, shape, centres, periodic
) -> Generator:
    """Return the generator of jumps; the diagonal is minus what leaves, so columns sum to -loss.

    Args:
        sources: cell that each jump leaves (jumps,).
        targets: cell that it enters (jumps,).
        rates: its rate, non-negative (jumps,).
        loss: rate of absorption (cells,).
        volumes: of the cells (cells,).
        active: False for cells that take no part (cells,).
        shape: of the grid.
        centres: of the cells along each axis.
        periodic: whether each axis closes on itself.
    """
    cells = len(volumes)
    flow = sparse.csc_array(
        sparse.coo_array((rates, (targets, sources)), shape=(cells, cells)).tocsc()
    )
    leaving = np.asarray(flow.sum(axis=0)).ravel() + loss
    matrix = (flow - sparse.diags_array(leaving)).tocsc()
    return Generator(matrix, loss, volumes, active, tuple(shape), tuple(centres), tuple(periodic))


@door
def absorb(generator: Generator, cells) -> Generator:
    """Return the generator in which a process that enters ``cells`` is gone.

    Args:
        generator: any.
        cells: bool, on the grid or flat.
    """
    target = _mask("cells", cells, generator)
    stay = sparse.diags_array((~target).astype(float)).tocsc()
    gone = generator.matrix[np.flatnonzero(target & generator.active)].sum(axis=0)
    loss = np.where(target, 0.0, generator.loss + np.asarray(gone).ravel())
    matrix = (stay @ generator.matrix @ stay).tocsc()
    matrix.eliminate_zeros()
    return replace(generator, matrix=matrix, loss=loss, active=generator.active & ~target)


@door
def prepare(generator: Generator, *, anchors=()) -> Censored:
    """Factorise a generator once for several solves; cells are the active ones, in order.

    Args:
        generator: any.
        anchors: numbers of cells in which the process dwells; found unless given.
    """
    keep = np.flatnonzero(generator.active)
    if not keep.size:
        raise ValueError("generator has no active cell: everything is absorbing")
    wanted = np.asarray(anchors)
    if wanted.ndim != 1 or (wanted.size and wanted.dtype.kind not in "iu"):
        raise TypeError(f"anchors must be a row of numbers of cells: got {anchors!r}")
    wanted = wanted.astype(int)
    if wanted.size and (wanted.min() < 0 or wanted.max() >= generator.active.size):
        raise ValueError(
            f"anchors must lie in [0, {generator.active.size - 1}]: got {wanted.tolist()}"
        )
    if not generator.active[wanted].all():
        raise ValueError(f"anchors must be active cells: got {wanted.tolist()}")
    matrix = generator.matrix[keep][:, keep]
    here = np.searchsorted(keep, wanted)
    return censor(matrix, generator.loss[keep], generator.volumes[keep], anchors=here)


@door
def stationary(generator: Generator, *, anchors=()) -> np.ndarray:
    """Return the stationary probabilities of the cells, sum 1; divide by volumes for the density.

    Args:
        generator: without absorption.
        anchors: see `prepare`.

    Returns:
        Probabilities on the grid, shape ``generator.shape``.

    Raises:
        ValueError: if probability is lost somewhere.
    """
    if np.any(generator.loss > 0):
        raise ValueError(
            "generator must not absorb, to have a stationary law: "
            f"{int(np.sum(generator.loss > 0))} cells lose probability; see quasi_stationary"
        )
    return _expand(generator, prepare(generator, anchors=anchors).stationary())


@door
def mean_first_passage(generator: Generator, *, target=None, anchors=()) -> np.ndarray:
    """Return the mean time until absorption from every cell, 0 in absorbing cells.

    Solves the adjoint equation: minus the transposed generator times T is 1.

    Args:
        generator: any.
        target: bool on the grid: cells that count as arrived, beside what the generator absorbs.
        anchors: see `prepare`.

    Returns:
        Times on the grid, in the unit of 1 / rates.

    Raises:
        ValueError: if absorption cannot be reached from everywhere.
    """
    aim = generator if target is None else absorb(generator, target)
    _reachable(aim)
    solver = prepare(aim, anchors=anchors)
    return _expand(aim, solver.adjoint(np.ones(int(aim.active.sum()))))


@door
def committor(generator: Generator, *, target, anchors=()) -> np.ndarray:
    """Return the probability from every cell to enter ``target`` before any other absorption.

    Args:
        generator: with absorption elsewhere (a boundary, or cells through `absorb`).
        target: bool on the grid.
        anchors: see `prepare`.

    Returns:
        Probabilities on the grid, 1 in the target; relative accuracy also where tiny.
    """
    aim = absorb(generator, target)
    _reachable(aim)
    rows = np.flatnonzero(generator.active & ~aim.active)
    # Summed anew: as a difference of the two losses it would lose small rates.
    entering = np.asarray(generator.matrix[rows].sum(axis=0)).ravel()[aim.active]
    reach = _expand(aim, prepare(aim, anchors=anchors).adjoint(entering))
    return np.where((generator.active & ~aim.active).reshape(aim.shape), 1.0, reach)


@door
def quasi_stationary(
    generator: Generator, *, anchors=(), tolerance=1e-10, most_iterations=500
) -> QuasiStationary:
    """Return the slowest decay and its law by inverse iteration, with bounds on the rate.

    Args:
        generator: with absorption.
        anchors: see `prepare`.
        tolerance: relative distance of the bounds to stop at.
        most_iterations: to give up after; then converged is False.

    Raises:
        ValueError: if absorption cannot be reached from everywhere.
    """
    validate.positive("tolerance", tolerance)
    validate.count("most_iterations", most_iterations)
    _reachable(generator)
    solver = prepare(generator, anchors=anchors)
    old = generator.volumes[generator.active] / generator.volumes[generator.active].sum()
    iterations, done = 0, False
    while not done and iterations < most_iterations:
        iterations += 1
        new = solver.forward(old)
        rate = old.sum() / new.sum()
        safe = new > 1e-280 * new.max()  # quotients of denormal numbers say nothing
        low, high = (old[safe] / new[safe]).min(), (old[safe] / new[safe]).max()
        old = new / new.sum()
        done = bool(high - low <= tolerance * rate)
    law = _expand(generator, old)
    # each quotient is off by what the solve may lose, and the sums in the rate by a few roundings
    slack = np.finfo(float).eps * (solver.jumps + 8 + np.log2(old.size))
    low, high = low * (1 - slack), high * (1 + slack)
    return QuasiStationary(float(rate), float(low), float(high), law, iterations, done)


@door
def escape_rate(generator: Generator, *, anchors=()) -> float:
    """Return the smallest |eigenvalue| of a generator with absorption; see `quasi_stationary`."""
    return quasi_stationary(generator, anchors=anchors).rate


@door
def spectral_gap(generator: Generator, *, anchors=(), modes: int = 4) -> float:
    """Return the smallest -Re(eigenvalue) above zero of a generator without absorption.

    Among the eigenvalues of smallest modulus; from the group inverse, so that a gap of 1e-100 is
    found as accurately as one of 1.

    Args:
        generator: without absorption.
        anchors: see `prepare`.
        modes: how many slow eigenvalues to compare.

    Raises:
        ValueError: if probability is lost somewhere.
        ArithmeticError: if the eigenvalues did not converge.
    """
    law = stationary(generator, anchors=anchors).ravel()[generator.active]
    modes = validate.count("modes", modes)
    if law.size < modes + 3:
        rates = np.sort(-np.linalg.eigvals(generator.matrix.toarray()).real)
        return float(rates[generator.active.size - law.size + 1])
    solver = prepare(generator, anchors=anchors)
    start = np.random.default_rng(0).standard_normal(law.size) * law
    scale = np.linalg.norm(solver.group_inverse(start, law)) / np.linalg.norm(start)
    inverse = LinearOperator(
        (law.size, law.size),
        matvec=lambda x: solver.group_inverse(x.ravel(), law) / scale,
        dtype=float,
    )
    try:
        slow = eigs(inverse, k=modes, which="LM", v0=start, return_eigenvectors=False)
    except ArpackNoConvergence as error:
        raise ArithmeticError(f"eigenvalues did not converge: {error}") from error
    slow = slow[np.abs(slow) > 1e-12 * np.abs(slow).max()]
    return float((1 / slow).real.min() / scale)


def _mask(name, cells, generator):
    mask = np.asarray(cells)
    if mask.dtype != bool or mask.size != generator.active.size:
        raise ValueError(
            f"{name} must be bool of shape {generator.shape}: got {mask.dtype} {mask.shape}"
        )
    if not mask.any():
        raise ValueError(f"{name} must hold at least one cell: got none")
    return mask.ravel()


def _reachable(generator):
    """Refuse a generator from some cells of which absorption cannot be reached."""
    cells = generator.active.size
    sinks = sparse.csr_array((generator.loss > 0).astype(float)[None, :])
    backward = sparse.vstack([generator.matrix, sinks], format="csr")
    backward.resize((cells + 1, cells + 1))  # the last node stands for absorption
    found = csgraph.breadth_first_order(backward, cells, return_predecessors=False)
    reached = np.zeros(cells + 1, dtype=bool)
    reached[found] = True
    reached = reached[:-1]
    lost = generator.active & ~reached
    if lost.any():
        raise ValueError(
            f"absorption must be reachable from every cell: not from {int(lost.sum())} of "
            f"{int(generator.active.sum())}"
        )


def _expand(generator, values):
    full = np.zeros(generator.active.size)
    full[generator.active] = values
    return full.reshape(generator.shape)

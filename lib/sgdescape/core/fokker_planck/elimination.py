"""Solving with a Markov generator without losing exponentially small rates.

An LU factorisation of a generator forms its pivots by subtraction: each jump of the process then
leaks a share of 1e-16 of the probability, so that all digits are lost once the process jumps 1e16
times before it is absorbed. Two remedies, both
free of subtraction: Grassmann, Taksar and Heyman's elimination (1985) for small dense chains, and
for large sparse ones the chain *censored* to one anchor cell in each metastable set: away from the
anchors nothing is slow, so the sparse factorisation is accurate, and the small chain between the
anchors is solved by the first remedy.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import SuperLU, splu

from sgdescape.core import validate
from sgdescape.core.doors import door

__all__ = ["Censored", "Elimination", "censor", "eliminate"]

FEW_JUMPS = 1e7  # before an anchor, in the mean: relative errors stay below 2e-16 times this
MOST_JUMPS = 1e12  # borne where further anchors do not help, as on a very fine grid
MOST_ANCHORS = 24


@dataclass(frozen=True)
class Elimination:
    """A chain of n states eliminated one by one; see `eliminate`."""

    rates: np.ndarray  # (n, n): from state (row) to state (column), when the first is eliminated
    leaving: np.ndarray  # (n,): total rate of leaving at elimination

    def adjoint(self, source) -> np.ndarray:
        """Return x (n,) with sum_j rate(k, j) (x_k - x_j) + loss_k x_k = source_k (n,)."""
        x = np.array(source, dtype=float)
        for k in range(len(x)):
            x[k + 1 :] += self.rates[k + 1 :, k] * x[k] / self.leaving[k]
        for k in reversed(range(len(x))):
            x[k] = (x[k] + self.rates[k, k + 1 :] @ x[k + 1 :]) / self.leaving[k]
        return x

    def forward(self, source) -> np.ndarray:
        """Return the probability x (n,) that a source of probability (n,) keeps up."""
        x = np.array(source, dtype=float)
        for k in range(len(x)):
            x[k + 1 :] += x[k] * self.rates[k, k + 1 :] / self.leaving[k]
        return self._back(x, len(x))

    def forward_singular(self, source, last: float) -> np.ndarray:
        """As `forward` for a chain without loss: x of the last state is given.

        Raises:
            ArithmeticError: if some states never reach the last one.
        """
        if not np.all(self.leaving[:-1] > 0):
            raise ArithmeticError(
                "the stationary law is not unique: some sets exchange less than 1e-308"
            )
        x = np.array(source, dtype=float)
        for k in range(len(x) - 1):
            x[k + 1 :] += x[k] * self.rates[k, k + 1 :] / self.leaving[k]
        x[-1] = last
        return self._back(x, len(x) - 1)

    def _back(self, x, states):
        for k in reversed(range(states)):
            x[k] = (x[k] + x[k + 1 :] @ self.rates[k + 1 :, k]) / self.leaving[k]
        return x


@door
def eliminate(rates, loss) -> Elimination:
    """Eliminate the states of a small chain in turn, by sums, products and quotients alone.

    Args:
        rates: (n, n), from state (row) to state (column), non-negative; the diagonal is ignored.
        loss: (n,), rate of leaving the chain for good, non-negative.

    Example:
        >>> chain = eliminate([[0, 1.0], [3.0, 0]], [1e-200, 0])
        >>> chain.adjoint([1.0, 1.0]).round(9) / 1e200
        array([1.33333333, 1.33333333])
    """
    rates, loss = (validate.real(n, v).copy() for n, v in (("rates", rates), ("loss", loss)))
    if rates.shape != (loss.size, loss.size):
        raise ValueError(f"rates must be ({loss.size}, {loss.size}): got shape {rates.shape}")
    np.fill_diagonal(rates, 0)
    for name, values in (("rates", rates), ("loss", loss)):
        if values.size:  # a chain may have no states
            validate.within(name, values, low=0)
    leaving = np.zeros(len(loss))
    for k in range(len(loss)):
        leaving[k] = loss[k] + rates[k, k + 1 :].sum()
        if leaving[k] > 0:  # the last state of a chain without loss is never left
            share = rates[k + 1 :, k] / leaving[k]
            rates[k + 1 :, k + 1 :] += np.outer(share, rates[k, k + 1 :])
            loss[k + 1 :] += share * loss[k]
    return Elimination(rates=rates, leaving=leaving)


@dataclass(frozen=True)
class Censored:
    """A generator prepared for accurate solves; see `censor`."""

    factor: SuperLU | None  # of minus the generator, cells other than the anchors
    rest: np.ndarray  # (cells - anchors,) indices
    anchors: np.ndarray  # (anchors,) indices
    into: sparse.csc_array  # (rest, anchors): rates from anchor to cell
    back: sparse.csc_array  # (anchors, rest): rates from cell to anchor
    chain: Elimination  # between the anchors
    jumps: float  # largest mean number of jumps before an anchor; error < 2e-16 jumps

    def adjoint(self, source) -> np.ndarray:
        """Return x with minus the transposed generator times x = source (cells,) >= 0."""
        x = np.empty(len(source))
        away = self._solve(source[self.rest], "T")
        at = self.chain.adjoint(source[self.anchors] + self.into.T @ away)
        x[self.anchors] = at
        x[self.rest] = away + self._solve(self.back.T @ at, "T")
        return x

    def forward(self, source) -> np.ndarray:
        """Return x with minus the generator times x = source (cells,) >= 0."""
        return self._join(source, self.chain.forward)

    def stationary(self) -> np.ndarray:
        """Return the stationary probability (cells,), sum 1, of a generator without loss."""
        zero = np.zeros(len(self.rest) + len(self.anchors))
        x = self._join(zero, lambda f: self.chain.forward_singular(f, 1.0))
        return x / x.sum()

    def group_inverse(self, source, stationary) -> np.ndarray:
        """Return x of sum 0 with minus the generator times x = source minus its projection."""
        y = source - stationary * source.sum()
        x = self._join(y, lambda f: self.chain.forward_singular(f, 0.0))
        return x - stationary * x.sum()

    def _join(self, source, chain_solve):
        x = np.empty(len(source))
        away = self._solve(source[self.rest], "N")
        at = chain_solve(source[self.anchors] + self.back @ away)
        x[self.anchors] = at
        x[self.rest] = away + self._solve(self.into @ at, "N")
        return x

    def _solve(self, source, side):
        return source if self.factor is None else self.factor.solve(source, side)


def censor(matrix, loss, volumes, *, anchors=()) -> Censored:
    """Factorise minus a generator off its anchors, finding anchors where the process dwells.

    Args:
        matrix: generator (cells, cells), sparse; column: from, row: to.
        loss: (cells,), rate of absorption from each cell.
        volumes: (cells,), to tell density from probability.
        anchors: cells to begin with, e.g. the minima of the loss; more are added where needed.

    Raises:
        ArithmeticError: if anchors do not help: too many metastable sets, or too fine a grid.
    """
    anchors = np.unique(np.asarray(anchors, dtype=int))
    before, stalled = np.inf, 0
    while True:
        rest = np.setdiff1d(np.arange(matrix.shape[0]), anchors)
        if not rest.size:
            factor, jumps = None, np.zeros(1)
            break
        block = sparse.csc_array(-matrix[rest][:, rest])
        factor = _factor(block)
        jumps = np.abs(factor.solve(block.diagonal(), "T"))
        most = jumps.max()
        stalled = stalled + 1 if most > 0.3 * before else 0
        before = most
        if most <= FEW_JUMPS or (stalled >= 3 and most <= MOST_JUMPS):
            break
        if len(anchors) >= MOST_ANCHORS:
            raise ArithmeticError(
                f"{len(anchors)} anchors are not enough: {most:.1e} jumps between them"
            )
        anchors = np.union1d(anchors, rest[_centre(factor, np.argmax(jumps), volumes[rest])])
    into = sparse.csc_array(matrix[rest][:, anchors])
    back = sparse.csc_array(matrix[anchors][:, rest])
    rates = matrix[anchors][:, anchors].toarray().T
    lost = np.array(loss[anchors], dtype=float)
    for k in range(len(anchors)):
        start = into[:, [k]].toarray().ravel()
        time = start if factor is None else factor.solve(start)
        rates[k] += back @ time
        lost[k] += loss[rest] @ time
    chain = eliminate(rates, lost)
    return Censored(factor, rest, anchors, into, back, chain, float(jumps.max()))


def _factor(block):
    """Factorise without pivoting: then nothing is subtracted but on the diagonal."""
    options = {"SymmetricMode": True, "Equil": False}
    settings = {"permc_spec": "MMD_AT_PLUS_A", "diag_pivot_thresh": 0.0, "options": options}
    try:
        return splu(block, **settings)
    except RuntimeError:  # exactly singular: shifted, it shows where the process dwells as well
        shifted = block + sparse.diags_array(1e-14 * block.diagonal())
        return splu(shifted.tocsc(), **settings)


def _centre(factor, cell, volumes):
    """Cell of the highest density of the metastable set that holds a cell."""
    source = np.zeros(len(volumes))
    source[cell] = 1
    return int(np.argmax(np.abs(factor.solve(source)) / volumes))

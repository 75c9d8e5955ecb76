"""Probabilities too small to sample: adaptive multilevel splitting of any vectorised Markov chain.

What it solves: the chance p that a chain started at x_0 reaches score >= target within so many
steps, for p down to 1e-12 and below, where plain Monte Carlo would need 1 / p runs. Five lines on
the reader's own noise::

    def step(states, rng):
        return states - 0.1 * states + 0.1 * rng.standard_normal(states.shape)

    found = probability(step, np.zeros(1), lambda x: x[:, 0], target=2.0, steps=100, seed=0)
    print(found.probability)

Limits: the score only steers; a bad one costs variance, never bias. A chain that reaches the target
by one rare jump from where the score is still low is not helped by splitting. Whole paths are kept,
replicas x steps x dimension numbers. Intervals come from independent repetitions, and are honest
only if the estimates of the repetitions are not dominated by a few of them (see `Splitting`).

Sources: Cérou and Guyader (2007); Bréhier, Gazeau, Goudenège, Lelièvre and Rousset (2016), whose
treatment of equal scores makes the estimate unbiased in discrete time.
"""

from sgdescape.core.rare_events.splitting import (
    Splitting,
    TooFewRepetitionsError,
    probability,
    split_once,
)

__all__ = ["Splitting", "TooFewRepetitionsError", "probability", "split_once"]

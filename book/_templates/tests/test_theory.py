"""Formulas of chapter `template_trial` against exact answers."""

import numpy as np
import pytest

import sgdescape.template_trial as chapter


def test_variance_is_the_fixed_point_of_one_step():
    eta = np.array([0.01, 0.5, 1.5])
    v = chapter.stationary_variance(eta)
    np.testing.assert_allclose((1 - eta) ** 2 * v + eta**2, v)


@pytest.mark.parametrize("eta", [0.0, 2.0, -1.0, np.nan, np.inf])
def test_unstable_learning_rates_are_refused(eta):
    with pytest.raises(ValueError, match="learning_rate must"):
        chapter.stationary_variance(eta)

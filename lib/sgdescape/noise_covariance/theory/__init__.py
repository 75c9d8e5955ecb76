"""Formulas of chapter `noise_covariance`, one pure function an equation.

`noise` holds Eqs. (1)-(3) and (5)-(11) of Mori et al.; `escape_direction` what the exact covariance
does along one direction: moments, barrier, kurtosis, this book's own results.
No sampling here: that is in `measure`.
"""

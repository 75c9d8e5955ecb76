"""Formulas of chapter `linear_regression`: exact numbers of diffusions and of discrete SGD.

`diffusion` holds passage times of SDEs in closed form; `one_step` the law of a step of SGD, `chain`
and `stationary` what follows from it without sampling; `large_deviations` and `data_barrier` the
exponents for small learning rates. No simulations live here.
"""

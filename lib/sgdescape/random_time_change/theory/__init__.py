"""Formulas of chapter `random_time_change`, one pure function an equation.

`clock` holds the change of time, the log landscape and the stationary laws, Eqs. (12)-(14), (17)
and (41)-(43) of Mori et al.; `moments` exact averages and passage times; `stability` what the
index nu decides. No simulations here: those are in `measure`.
"""

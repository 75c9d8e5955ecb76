"""Theory of the modified loss and its currents: one pure function an equation, NumPy alone.

`decomposition` has any linear Langevin equation, `phase_space` momentum SGD for any noise,
`relations` what holds whatever the noise, `reversal` the entropy production, `asymmetry` the arrow
of time in one direction, `algebra` the proofs with symbols. Single modes are those of
`underdamped_langevin`. Nothing is measured or fitted here.
"""

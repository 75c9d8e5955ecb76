"""How far SGD goes, by theory: one pure function an equation, in float64, nothing measured.

All is made of a mode's answer to a kick, `response`, whose home is `underdamped_langevin.theory`.
`displacement` has the distance from the stationary state, `fixed_start` that from a point off the
minimum, `power_law` a spectrum's exponent, `shuffling` what epochs without replacement change,
`summed` what a sum over steps of continuous-time correlations makes of it.
"""

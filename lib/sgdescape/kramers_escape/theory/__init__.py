"""Formulas of chapter `kramers_escape`: one pure function an equation, no experiments.

`rate` is the theorem; `valley` and `saddle` are the two halves of its proof, `proof`
checks every step of it; `dimension` is what takes the place of n for unequal curvatures, and
`detour` the cheapest path where it leaves the axis; `choice` and `choice_chain` are the odds
between two valleys.
"""

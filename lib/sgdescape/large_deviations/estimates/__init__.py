"""Estimates of chapter `large_deviations`: from times to exponents and ratios with bounds.

`exponents` is about exact chains and runs of small models, `camel` about the
three-hump camel, `network` about a network's kept runs.
No verdicts, and no formulas of the theory.
"""

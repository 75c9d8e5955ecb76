"""From numbers to values with intervals: exponents of lines (`exponents`), and what they depend on
(`collapse`). No claims and no figures.
"""

"""Estimates of chapter `neural_network`: from passages to times, ratios and slopes with intervals.

`passages` knows samples of passage times alone; `comparisons` picks them from the chapter's
dataset. Neither gives a verdict.
"""

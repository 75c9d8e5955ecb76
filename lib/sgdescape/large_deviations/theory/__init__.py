"""Formulas of chapter `large_deviations`: costs, cheapest paths, prefactors; no experiments."""

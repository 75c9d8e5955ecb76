"""Simulations, claims and figures of the chapter `random_time_change`; its theory is `theory`."""

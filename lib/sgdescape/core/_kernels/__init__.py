"""Compiled twins of the reference simulations; none is imported before it is used."""

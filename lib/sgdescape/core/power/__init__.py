"""How often a claim's check is right: `analysis` of many runs, and what is `kept` of them.

The runs themselves are not made here but by ``tools/power.py``.
"""

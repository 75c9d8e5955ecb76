"""Long runs: sweeps cut into chunks, engines that compute them, the store, provenance.

What is computed is not known here: it is a function given from outside.
"""

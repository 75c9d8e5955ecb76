"""Long runs: sweeps cut into chunks, engines that compute them, the store, provenance.

What is computed is a function given from outside.
"""

"""Image sets: what is bundled, found in a data folder or downloaded, checked by its hash.

File formats and sources live here; synthetic inputs of regressions do not: they are
in `core.ensembles`.
"""

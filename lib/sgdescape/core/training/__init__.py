"""SGD on one network: the loop, the update rules, and the recorder of projections.

Ensembles of many replicas are in `core.ensembles`.
"""

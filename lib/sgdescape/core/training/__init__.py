"""SGD on one network: the loop, the update rules, and the recorder of projections.

No ensembles of many replicas: those are in `core.ensembles`.
"""

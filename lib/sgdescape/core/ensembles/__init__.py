"""Many replicas of SGD at once: linear regression, momentum, networks; one reference, fast twins.

What is drawn and updated lives here, its compiled engines in `kernels`; no theory.
"""

"""Curvature of networks: products with Hessian and Gauss-Newton matrices, Gram, Lanczos.

Linear algebra only; what a chapter concludes from a spectrum is in that chapter.
"""

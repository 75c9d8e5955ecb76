"""Networks and their per-sample gradients: models, ResNet, layers with closed-form gradients.

No training (`core.training`) and no curvature (`core.spectra`).
"""

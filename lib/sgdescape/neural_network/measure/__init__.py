"""Experiments of chapter `neural_network` that give numbers, and know no formula of its theory.

`checkpoints` makes the networks from which runs start; `minimum` measures curvatures and noise
there; `escapes` runs SGD until the loss passes its thresholds; `linearised` does the same without
the change of gradients; `bowl` is SGD with Gaussian noise, or its SDE, in a quadratic valley of
any spectrum, simulated; `cells` puts all of it into one dataset.
"""

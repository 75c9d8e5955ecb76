"""Experiments of chapter `underdamped_langevin`: SGD runs and single modes that give numbers.

`regression` runs SGD on synthetic data, `images` on Fashion-MNIST, `single_modes` iterates modes
with given noise. No theory, no estimates, no intervals.
"""

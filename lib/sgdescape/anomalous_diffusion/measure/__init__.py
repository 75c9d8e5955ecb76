"""Minibatch SGD on regression, run and measured: numbers, and no theory.

`batch_orders` makes the samples and runs SGD on them with three ways to draw batches;
`experiments`, `grid` and `memory` have the chapter's measurements, each of which returns a dataset.
"""

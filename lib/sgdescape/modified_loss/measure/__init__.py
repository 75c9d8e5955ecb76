"""Experiments of chapter `modified_loss`: runs that give numbers, no theory and no intervals.

`data` runs SGD on regression, synthetic and on images, `single_modes` iterates modes with normal
noise and Fig. 3's process, `single_direction` runs SGD in one direction to see its arrow of time,
`paths` has what is measured on a path.
"""

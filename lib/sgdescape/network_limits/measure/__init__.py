"""SGD on networks, run and measured: numbers, and no theory.

The small network: `network` is its model and data, `minimum` where its runs start, `setting` the
spectrum there, `chains` runs SGD on many replicas, `small_network`, `strong_noise` and
`long_memory` have the measurements. `resnet_checkpoint` is the narrow ResNet-18, `resnet` measures
around it, `narrow` follows it; `parts` has them all by name.
"""

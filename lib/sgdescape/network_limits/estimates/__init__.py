"""From the measurements to values with intervals: of given numbers (`lines`), of the small network
(`small_network`), of the ResNet-18's short runs (`resnet`) and of those that are kept (`narrow`).
No verdicts and no theory of what is estimated.
"""

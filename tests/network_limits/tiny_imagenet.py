"""A tiny folder in ImageNet's layout, of images that a network can tell apart."""

import numpy as np
from PIL import Image


def write(root, *, classes=3, images=8, held_out=2, size=(40, 48), seed=0):
    """Write train and val: smooth random images, each class with a colour of its own."""
    rng = np.random.default_rng(seed)
    for split, count in (("train", images), ("val", held_out)):
        for label in range(classes):
            folder = root / split / f"n{label:08d}"
            folder.mkdir(parents=True)
            for k in range(count):
                colour = np.full(3, 60.0)
                colour[label % 3] = 200.0
                coarse = colour + rng.normal(0, 30, (5, 6, 3))
                pixels = np.clip(coarse, 0, 255).astype(np.uint8)
                image = Image.fromarray(pixels).resize((size[1], size[0]), Image.BILINEAR)
                image.save(folder / f"{folder.name}_{k}.JPEG", quality=95)
    return root

"""Images in ImageNet's layout: a folder a split, in it a folder a class, in it JPEG files::

    <root>/train/n01440764/n01440764_10026.JPEG
    <root>/val/n01440764/ILSVRC2012_val_00000293.JPEG

(The validation images come in one flat folder and have to be sorted into classes once.) The views
are the customary ones, in torch: for training a random crop of 8 to 100 % of the area, resized and
perhaps mirrored, for evaluation the centre. A random view is a function of (seed, epoch, image)
alone: not of the process or worker that makes it, nor of where a run was interrupted.
"""

import math
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import Dataset

from sgdescape.core import validate

SUFFIXES = (".jpeg", ".jpg", ".png")
MEAN = (0.485, 0.456, 0.406)  # of ImageNet's training images, red, green and blue
DEVIATION = (0.229, 0.224, 0.225)
AREA = (0.08, 1.0)  # of a random crop, as a share of the image's
RATIO = (3 / 4, 4 / 3)  # of its width to its height
_VIEWS = 3  # second half of the Philox key: no other stream of the same seed shares it


@dataclass(frozen=True, eq=False)
class Folder:
    """The images of one split, sorted by class and name."""

    root: Path  # of the split
    files: np.ndarray  # (n,) bytes, "class/file"; one array, or each worker would copy a million
    labels: Tensor  # (n,) int64, index into `classes`
    classes: tuple[str, ...]


def read_folder(root: str | Path, split: str, *, classes: tuple[str, ...] | None = None) -> Folder:
    """List the images of a split in ImageNet's layout; none is opened.

    Names that begin with a dot are left out: other systems' marks (``._x.JPEG``) and folders of
    tools (``.ipynb_checkpoints``), no images and no classes.

    Args:
        root: the folder that holds the splits.
        split: "train", "val", ...
        classes: those that the split must have, for instance of the training split; None for any.

    Returns:
        The files and their labels; classes are numbered in alphabetical order.

    Raises:
        FileNotFoundError: if there is no such split.
        ValueError: if it has no class folders, one is empty, or the classes are others.
    """
    top = Path(root) / split
    if not top.is_dir():
        raise FileNotFoundError(
            f"data must hold a folder {split!r} with one folder a class: there is no {top}"
        )
    with os.scandir(top) as entries:
        found = tuple(sorted(e.name for e in entries if e.is_dir() and _visible(e)))
    if not found:
        raise ValueError(f"{top} must hold one folder a class, such as n01440764: it holds none")
    if classes is not None and found != tuple(classes):
        missing = sorted(set(classes) - set(found))
        unknown = sorted(set(found) - set(classes))
        raise ValueError(
            f"{top} must hold the {len(classes)} classes of the training split: "
            f"missing {missing[:5]}, unknown {unknown[:5]}"
        )
    files, labels = [], []
    for label, name in enumerate(found):
        with os.scandir(top / name) as entries:
            own = sorted(
                e.name for e in entries if e.name.lower().endswith(SUFFIXES) and _visible(e)
            )
        if not own:
            raise ValueError(f"class folder {top / name} must hold at least 1 image: got 0")
        files += [f"{name}/{file}".encode() for file in own]
        labels += [label] * len(own)
    return Folder(top, np.array(files), torch.tensor(labels), found)


def load_image(path: str | Path) -> Tensor:
    """Decode an image to (3, height, width) uint8, grey and CMYK ones included.

    Args:
        path: of the file.

    Raises:
        ImportError: if Pillow, which decodes JPEG, is not installed.
        ValueError: if the file cannot be decoded; the message names it.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError("reading JPEG files needs Pillow: pip install pillow") from error
    try:
        with Image.open(path) as image:
            pixels = np.array(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"image cannot be decoded: {path} ({error})") from error
    return torch.from_numpy(pixels).permute(2, 0, 1)


def random_view(image: Tensor, *, size: int, generator: np.random.Generator) -> Tensor:
    """Return a random crop, resized to a square, mirrored in one case of two, normalised.

    The crop's share of the area is uniform on `AREA`, the logarithm of its ratio of sides uniform
    on that of `RATIO`; a crop that does not fit is drawn again up to ten times, then the largest
    central crop with an allowed ratio is taken.

    Args:
        image: (3, height, width) uint8.
        size: pixels of the square's side.
        generator: of the random numbers.

    Returns:
        (3, size, size) float32.
    """
    _, height, width = image.shape
    top, left, h, w = _random_crop(height, width, generator)
    view = _resize(image[:, top : top + h, left : left + w], size, size)
    if generator.random() < 0.5:
        view = view.flip(2)
    return normalise(view)


def central_view(image: Tensor, *, size: int) -> Tensor:
    """Return the central square after resizing the shorter side to size / 0.875, normalised.

    Args:
        image: (3, height, width) uint8.
        size: pixels of the square's side; 224 makes the shorter side 256.

    Returns:
        (3, size, size) float32.
    """
    _, height, width = image.shape
    short = round(size / 0.875)
    scale = short / min(height, width)
    h, w = (max(short, int(side * scale)) for side in (height, width))
    top, left = round((h - size) / 2), round((w - size) / 2)
    return normalise(_resize(image, h, w)[:, top : top + size, left : left + size])


def normalise(pixels: Tensor) -> Tensor:
    """Return (pixels / 255 - mean) / deviation of each colour, for pixels (3, height, width)."""
    mean = torch.tensor(MEAN).view(3, 1, 1)
    return (pixels / 255 - mean) / torch.tensor(DEVIATION).view(3, 1, 1)


class TrainingImages(Dataset):
    """Random views by (epoch, index), with their labels."""

    def __init__(self, folder: Folder, *, size: int, seed: int):
        """Show the images of a folder as squares of ``size`` pixels; the seed draws the views."""
        self.folder, self.size = folder, validate.count("size", size)
        self.seed = validate.count("seed", seed, low=0, high=2**64 - 1)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.folder.files)

    def __getitem__(self, which: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Return the view of an image in an epoch, and its label."""
        epoch, index = which  # see `imagenet_training.Batches`
        # The epoch is part of the counter, so that no epoch repeats the views of another.
        key = np.array([self.seed, _VIEWS], dtype=np.uint64)
        philox = np.random.Philox(key=key, counter=[0, 0, index, epoch])
        image = load_image(_path(self.folder, index))
        view = random_view(image, size=self.size, generator=np.random.Generator(philox))
        return view, self.folder.labels[index]


class EvaluationImages(Dataset):
    """Central views by index, with their labels."""

    def __init__(self, folder: Folder, *, size: int):
        """Show the images of a folder as squares of ``size`` pixels."""
        self.folder, self.size = folder, validate.count("size", size)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.folder.files)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Return the central view of an image, and its label."""
        image = load_image(_path(self.folder, index))
        return central_view(image, size=self.size), self.folder.labels[index]


def _visible(entry):
    return not entry.name.startswith(".")


def _path(folder, index):
    return folder.root / os.fsdecode(folder.files[index])


def _random_crop(height, width, generator):
    for _ in range(10):
        area = generator.uniform(*AREA) * height * width
        ratio = math.exp(generator.uniform(math.log(RATIO[0]), math.log(RATIO[1])))
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            top, left = generator.integers(height - h + 1), generator.integers(width - w + 1)
            return int(top), int(left), h, w
    w = min(width, round(height * RATIO[1]))
    h = min(height, round(width / RATIO[0]))
    return (height - h) // 2, (width - w) // 2, h, w


def _resize(image, height, width):
    """Bilinear, averaging over all pixels that a new one covers; values stay in 0 ... 255."""
    options = {"mode": "bilinear", "antialias": True, "align_corners": False}
    return F.interpolate(image[None].float(), (height, width), **options)[0]

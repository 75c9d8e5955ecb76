"""Sizes of the experiments of chapter `noise_strength`: `Config`, `QUICK`, `KEPT` and `PAPER`."""

from dataclasses import dataclass, replace

from sgdescape.core import validate
from sgdescape.core.field_types import check_types
from sgdescape.core.networks import models

_PIXELS = {"mnist": 28, "fashion_mnist": 28, "cifar10": 32}  # rows and columns of an image


def _tuple(name, value, of, *, least=0):
    """The value, if it is a tuple with at least so many entries."""
    if not isinstance(value, tuple) or len(value) < least:
        raise ValueError(f"{name} must be a tuple of {of}: got {value!r}")
    return value


@dataclass(frozen=True)
class Config:
    """Sizes of the training runs; every replica has its own images, weights and batches.

    Args:
        images: number N of the MLP's training images; None for the full set.
        cnn_images: the same of the CNN.
        accept_subset: let None take the bundled 5,000 where the full set is not on this machine.
        hidden: units of each hidden layer of the fully connected network (MLP).
        stacks: (filters, convolutions) of each stack of the convolutional network (CNN).
        pool: the CNN's images are averaged over pool x pool pixels first; 1 leaves them.
        cnn_data: data set of the CNN, a name of `core.data.image_sets`; the MLP has Fashion-MNIST.
        learning_rate: eta, time a step; positive.
        batch_size: B of the MLP, at most its images.
        cnn_batch_size: B of the CNN, at most its images.
        mlp_epochs: training time of the MLP, in epochs.
        cnn_epochs: training time of the CNN with the square loss, in epochs.
        entropy_epochs: the same with the cross-entropy, which fits sooner.
        marks: number of epochs at which the noise is measured, at least 5, evenly spaced in
            log(epoch).
        stop: number of marks after which runs are broken off; these are marks of the whole run.
            None for all.
        replicas: independent runs of the MLP with every loss, at least 2.
        cnn_replicas: the same of the CNN, at most as many.
        seed: of everything, in [0, 2^64).

    Raises:
        TypeError: if a field has the wrong type.
        ValueError: if a field lies outside its range.
    """

    images: int | None = 200
    cnn_images: int | None = 100
    accept_subset: bool = False
    hidden: tuple[int, ...] = (100, 100, 100)
    stacks: tuple[tuple[int, int], ...] = ((8, 1), (16, 1))
    pool: int = 2
    cnn_data: str = "fashion_mnist"
    learning_rate: float = 0.1
    batch_size: int = 100
    cnn_batch_size: int = 50
    mlp_epochs: int = 700
    cnn_epochs: int = 1000
    entropy_epochs: int = 700
    marks: int = 36
    stop: int | None = None
    replicas: int = 18
    cnn_replicas: int = 8
    seed: int = 0

    def __post_init__(self):
        """Refuse values outside their range."""
        epochs = "mlp_epochs", "cnn_epochs", "entropy_epochs"
        for name in ("pool", "batch_size", "cnn_batch_size", *epochs):
            validate.count(name, getattr(self, name))
        for network in ("", "cnn_"):
            images = getattr(self, f"{network}images")
            if images is not None:
                validate.count(f"{network}images", images)
                name = f"{network}batch_size"
                validate.count(name, getattr(self, name), high=images, most=f"{network}images")
        if not isinstance(self.accept_subset, bool):
            raise TypeError(f"accept_subset must be true or false: got {self.accept_subset!r}")
        validate.count("replicas", self.replicas, low=2)
        validate.count(
            "cnn_replicas", self.cnn_replicas, low=2, high=self.replicas, most="replicas"
        )
        validate.count("seed", self.seed, low=0, high=2**64 - 1)
        validate.positive("learning_rate", self.learning_rate)
        validate.one_of("cnn_data", self.cnn_data, _PIXELS)
        few = min(epochs, key=lambda name: getattr(self, name))
        shortest = getattr(self, few)
        validate.count("marks", self.marks, low=5)
        if self.marks > shortest + 1:
            raise ValueError(
                f"marks must be at most the smallest number of epochs + 1, {shortest + 1}: "
                f"got {self.marks} ({few} = {shortest})"
            )
        if self.stop is not None:
            validate.count("stop", self.stop, high=self.marks, most="marks")
        self._check_networks()
        check_types(self)

    def _check_networks(self):
        """Refuse networks that cannot be built."""
        for units in _tuple("hidden", self.hidden, "units"):
            validate.count("units in hidden", units)
        for stack in _tuple("stacks", self.stacks, "(filters, convolutions)", least=1):
            if not isinstance(stack, tuple) or len(stack) != 2:
                raise ValueError(f"stacks must hold pairs (filters, convolutions): got {stack!r}")
            for number in stack:
                validate.count("filters and convolutions in stacks", number)
        least = self.pool * 2 ** len(self.stacks)  # each stack halves the image
        if least > _PIXELS[self.cnn_data]:
            raise ValueError(
                f"pool x 2^stacks must be at most the {_PIXELS[self.cnn_data]} pixels of an "
                f"image's side: got {least}"
            )


KEPT = Config()
"""Of the result in ``results/``, from which the page's numbers come."""

QUICK = replace(KEPT, replicas=2, cnn_replicas=2, stop=20)
"""Of the piece of it that every build of the book makes anew."""

PAPER = Config(
    images=None,
    cnn_images=None,
    cnn_batch_size=100,
    hidden=models.PAPER_MLP_FASHION[1:-1],
    stacks=models.PAPER_CNN,
    pool=1,
    cnn_data="cifar10",
    mlp_epochs=200,
    cnn_epochs=200,
    entropy_epochs=200,
    marks=60,
)
"""Networks, data, learning rate and batch size of Section 5.2. Its number of epochs, and the
learning rates of Appendix D, are not available to us: 200 epochs and eta = 0.1 are our choice."""

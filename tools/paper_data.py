"""Download the papers' image sets in full, by pinned hash, into the data folder.

MNIST, Fashion-MNIST and CIFAR-10 (its binary version), about 220 MB, into ``$SGDESCAPE_DATA`` or
the user's cache. What is there and right is not fetched again.
"""

from sgdescape.core.data import image_sets, sources


def main() -> None:
    """Fetch every set and say where each one is, and how many images it holds."""
    for name in sources.SOURCES:
        folder = sources.download(name)
        loaded = image_sets.load(name, n=1, data_dir=folder.parent)  # reads and checks the whole
        print(f"{name}: {loaded.provenance['total']:,} images in {folder}", flush=True)


if __name__ == "__main__":
    main()

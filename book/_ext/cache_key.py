"""Keep executed chapters apart for every state of the code they ran on.

myst-nb's cache compares the cells of a notebook only: after an edit in ``lib``, or with another
kept result, it would show the old numbers. The folder of the cache is therefore named by a hash of
the package, the kept results, the lock, the versions in use, the data folder's listing and the
format of the figures.
"""

import hashlib
import os
import platform
from importlib import metadata
from pathlib import Path


def code_hash(root: Path) -> str:
    """Return 16 hex digits that change with whatever a page's numbers can depend on."""
    digest = hashlib.sha256()
    folders = (root / "lib" / "sgdescape", root / "results")
    paths = [p for folder in folders for p in sorted(folder.rglob("*")) if p.is_file()]
    for path in [*paths, root / "requirements.lock"]:
        if path.exists() and "__pycache__" not in path.parts:
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    figures = os.environ.get("SGDESCAPE_FIGURES", "png")
    where = (platform.python_version(), platform.machine(), figures)
    for line in (*where, *_versions(), *_data_folder()):
        digest.update(line.encode() + b"\0")
    return digest.hexdigest()[:16]


def _versions():
    """What is installed may differ from the lock."""
    for package in ("numpy", "scipy", "torch", "numba", "matplotlib"):
        try:
            yield f"{package} {metadata.version(package)}"
        except metadata.PackageNotFoundError:
            yield f"{package} none"


def _data_folder():
    """Names and sizes in the folder of full data sets, which some pages would use."""
    folder = os.environ.get("SGDESCAPE_DATA")
    if folder:
        for path in sorted(Path(folder).rglob("*")):
            if path.is_file():
                yield f"{path.relative_to(folder)} {path.stat().st_size}"


def set_cache_path(app, config):
    """Point myst-nb at the cache of this state of the code."""
    root = Path(app.srcdir)
    config.nb_execution_cache_path = str(root / "_build" / "cache" / code_hash(root))


def setup(app):
    """Register the extension."""
    app.connect("config-inited", set_cache_path)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""Keep executed chapters apart for every state of the code they ran on.

myst-nb's cache compares the cells of a notebook only: after an edit in ``lib`` it would show the
old numbers. The folder of the cache is therefore named by a hash of the package and the lock.
"""

import hashlib
from pathlib import Path


def code_hash(root: Path) -> str:
    """Return 16 hex digits that change with any file of the package, the lock or the settings."""
    digest = hashlib.sha256()
    package = root / "lib" / "sgdescape"
    paths = [p for p in sorted(package.rglob("*")) if p.is_file() and "__pycache__" not in p.parts]
    for path in [*paths, root / "requirements.lock"]:
        if path.exists():
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def set_cache_path(app, config):
    """Point myst-nb at the cache of this state of the code."""
    root = Path(app.srcdir)
    config.nb_execution_cache_path = str(root / "_build" / "cache" / code_hash(root))


def setup(app):
    """Register the extension."""
    app.connect("config-inited", set_cache_path)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""Execute the pages side by side, one on each core, before they are read one after another.

myst-nb executes a page when it reads it, and reads one at a time. Here all pages that its cache
lacks are executed first and put into that cache, by its own functions; a page that fails is left
to myst-nb, which executes it again and reports the failure in its way.
"""

import os
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.executors.utils import single_nb_execution
from myst_nb.core.read import create_nb_reader
from sphinx.util import logging

LOG = logging.getLogger(__name__)


def execute(app, env, docnames):
    """Execute what is read in this build and not in the cache."""
    if env.mystnb_config.execution_mode != "cache":
        return
    cache = get_cache(env.mystnb_config.execution_cache_path)
    waiting = {name: notebook for name in docnames if (notebook := _missing(env, name, cache))}
    with ThreadPoolExecutor(_workers()) as pool:  # threads: each waits for its kernel
        runs = {pool.submit(_run, env, waiting[name], name): name for name in waiting}
        for number, run in enumerate(as_completed(runs), start=1):
            name, result = runs[run], run.result()
            failed = "" if result.err is None else f", {type(result.err).__name__}"
            LOG.info(f"executed {name} ({number} of {len(runs)}): {result.time:.1f} s{failed}")
            if result.err is None:
                data = {"execution_seconds": result.time}
                bundle = CacheBundleIn(result.nb, env.doc2path(name), data=data)
                cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


def _workers():
    """Return the cores of this process, at most four: a page may hold a gigabyte."""
    known = hasattr(os, "sched_getaffinity")
    return min(4, len(os.sched_getaffinity(0)) if known else os.cpu_count() or 1)


def _missing(env, name, cache):
    """Return a page as a notebook if it has cells to execute and no match in the cache."""
    path = Path(env.doc2path(name))
    text = path.read_text(encoding="utf-8")
    reader = create_nb_reader(str(path), env.myst_config, env.mystnb_config, text)
    notebook = reader and reader.read(text)
    if not notebook or all(cell.cell_type != "code" for cell in notebook.cells):
        return None
    try:
        cache.match_cache_notebook(notebook)
    except KeyError:
        return notebook
    return None


def _run(env, notebook, name):
    """Return the executed notebook with its seconds and its error, as myst-nb executes it."""
    return single_nb_execution(
        notebook,
        cwd=str(Path(env.doc2path(name)).parent),
        allow_errors=env.mystnb_config.execution_allow_errors,
        timeout=env.mystnb_config.execution_timeout,
    )


def setup(app):
    """Register the extension."""
    app.connect("env-before-read-docs", execute)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

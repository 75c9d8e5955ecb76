"""``{provenance}``: a table of what this build ran on (date, versions, processor, threads)."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

PACKAGES = ("torch", "numpy", "scipy", "numba", "xarray", "matplotlib", "jupyter-book", "sphinx")


def processor() -> str:
    """Return the processor's name as the system gives it, or its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def accelerator() -> str:
    """Return the name of the CUDA device that torch sees, or "none"."""
    import torch  # a second to import: only when the page is built

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "none"


def facts() -> list:
    """Return the (name, value) pairs of the table."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return [
        ("Built", datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")),
        ("System", f"{platform.system()} {platform.machine()}"),
        ("Processor", processor()),
        ("Processor cores available", str(cores)),
        ("Accelerator", accelerator()),
        ("OMP_NUM_THREADS", os.environ.get("OMP_NUM_THREADS", "not set: torch decides")),
        ("Python", platform.python_version()),
        *((name, version(name)) for name in PACKAGES),
    ]


class Provenance(SphinxDirective):
    """The directive."""

    def run(self):
        """Return the table; the document is read anew in each build."""
        self.env.note_reread()
        return [table(["What", "Value"], facts())]


def table(head: list, rows: list) -> nodes.table:
    """Return a table of plain texts."""
    group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _ in head), cols=len(head))
    group += nodes.thead("", row(head))
    group += nodes.tbody("", *(row(texts) for texts in rows))
    return nodes.table("", group, classes=["colwidths-auto"])


def row(texts) -> nodes.row:
    """Return one row of plain texts."""
    return nodes.row("", *(nodes.entry("", nodes.paragraph(text=text)) for text in texts))


def setup(app):
    """Register the extension."""
    app.add_directive("provenance", Provenance)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

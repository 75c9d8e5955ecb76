"""Let docstrings write norms: a bar in their text is a bar, not a reStructuredText substitution."""

import re


def escape_bars(line: str) -> str:
    """Return the line with its bars escaped outside of `quotes` and doctests.

    Example:
        >>> escape_bars("the norm |x|, in code ``|x|``")
        'the norm \\\\|x\\\\|, in code ``|x|``'
    """
    if line.lstrip().startswith((">>>", "...")):
        return line
    parts = re.split(r"(`+[^`]*`+)", line)
    return "".join(p if p.startswith("`") else re.sub(r"(?<!\\)\|", r"\|", p) for p in parts)


def process(app, what, name, obj, options, lines):
    """Escape the bars of one docstring."""
    lines[:] = [escape_bars(line) for line in lines]


def setup(app):
    """Register the extension."""
    app.connect("autodoc-process-docstring", process)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

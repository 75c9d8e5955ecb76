"""How SGD Escapes: theory, experiments and figures of the book, one package a chapter.

What several chapters share lives in `core`; nothing is computed here.
"""

__version__ = "0.2.0"

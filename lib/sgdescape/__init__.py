"""How SGD Escapes: theory, experiments and figures of the book, one package a chapter."""

__version__ = "0.2.0"

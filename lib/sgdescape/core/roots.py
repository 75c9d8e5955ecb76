"""Where the package lies, and the project that it was checked out with: said once."""

from pathlib import Path

__all__ = ["PACKAGE", "PROJECT"]

PACKAGE = Path(__file__).resolve().parents[1]
"""Folder of the package `sgdescape`."""

PROJECT = PACKAGE.parents[1]
"""Root of the checkout; where the package was installed without one, a folder without a book."""

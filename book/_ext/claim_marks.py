"""Verdicts as shapes, with their words: what a reader who sees no colours can tell apart."""

from html import escape

from sgdescape.core.claims.verdict import kind

MEANINGS = {
    "confirmed": "the interval holds the prediction and is narrower than asked for",
    "approximate": "the interval misses the prediction, but lies inside the stated tolerance",
    "consistent": "the interval holds the prediction, but is wider than asked for",
    "refuted": "the whole interval lies outside: a finding",
    "identity": "true whatever the theory: checks the programs, confirms nothing",
    "not testable": "the data or the machine it needs is not at hand",
}
"""Kind of verdict, in the order of the book, and when it is given."""

_DISC = '<circle cx="8" cy="8" r="6"'
_SHAPES = {
    "confirmed": f'{_DISC} fill="currentColor" stroke="currentColor" stroke-width="1.6"/>',
    "approximate": f'{_DISC} fill="none" stroke="currentColor" stroke-width="1.6"/>'
    '<path fill="currentColor" d="M8,2 A6,6 0 0 0 8,14 Z"/>',
    "consistent": f'{_DISC} fill="none" stroke="currentColor" stroke-width="1.6"/>'
    '<circle cx="8" cy="8" r="2.4" fill="currentColor"/>',
    "refuted": '<path d="M3,3 L13,13 M13,3 L3,13" stroke="currentColor" stroke-width="3"/>',
    "identity": '<path d="M2,5.2 H14 M2,10.8 H14" stroke="currentColor" stroke-width="3"/>',
    "not testable": f'{_DISC} fill="none" stroke="currentColor" stroke-width="1.6" '
    'stroke-dasharray="2.6 2.1"/>',
}


def css(name: str) -> str:
    """Return a kind of verdict as part of a class name."""
    return name.replace(" ", "-")


def mark(name: str) -> str:
    """Return the shape of a kind of verdict; its word stands beside it or in the label."""
    return (
        f'<svg class="sgd-mark" viewBox="0 0 16 16" width="14" height="14" '
        f'aria-hidden="true">{_SHAPES[name]}</svg>'
    )


def verdict(claim: dict, *, short: bool = False) -> str:
    """Return a claim's verdict as shape and word, coloured by its class."""
    name = kind(claim["verdict"])
    text = name if short else claim["verdict"]
    return (
        f'<span class="sgd-verdict sgd-verdict--{css(name)}">{mark(name)}'
        f"<span>{escape(text)}</span></span>"
    )

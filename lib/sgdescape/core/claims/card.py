"""How a claim is shown: lines of plain text, or an HTML card coloured by ``sgdescape.css``.

Digits that depend on the processor are wrapped by `volatile`, so that the notebook comparison
skips them; verdicts, predictions and rivals are compared strictly.
"""

import re
from html import escape

from sgdescape.core.claims.verdict import REFUTED, asked, kind, seen
from sgdescape.core.doors import door

__all__ = ["anchor", "as_html", "as_text", "formulas", "volatile"]

_JOINER = "\u2060"  # WORD JOINER: invisible, of no width, and in no ordinary text
_EVIDENCE = {
    "sampled": "sampled",
    "computed": "computed, no sampling",
    "identity": "identity, true whatever the theory",
}


def volatile(text) -> str:
    """Mark text whose digits may differ between machines, by an invisible U+2060 on either side.

    The notebook comparison replaces everything between two such marks. Give text that would
    read the same after rounding as an ordinary string instead: then it is compared.
    """
    return f"{_JOINER}{str(text).replace(_JOINER, '')}{_JOINER}"


@door
def anchor(identifier: str) -> str:
    """Return the HTML id of a claim's card.

    Example:
        >>> anchor("noise_covariance.batch_factor")
        'claim-noise-covariance-batch-factor'
    """
    return "claim-" + re.sub(r"[^a-z0-9]+", "-", identifier.lower())


@door
def formulas(text: str) -> str:
    """Return plain text as HTML, what stands between dollars for MathJax.

    Example:
        >>> formulas("$x$ < 2")
        '<span class="math notranslate nohighlight">\\\\(x\\\\)</span> &lt; 2'
    """
    return re.sub(
        r"\$([^$]+)\$",
        r'<span class="math notranslate nohighlight">\\(\1\\)</span>',
        escape(text),
    )


@door
def as_text(claim) -> str:
    """Return the claim as lines of plain text."""
    lines = [f"Claim {_name(claim)}: {claim.verdict}", f"  {claim.statement}"]
    lines += [f"  {name}: {text}" for name, text in _rows(claim)]
    return "\n".join(lines)


@door
def as_html(claim) -> str:
    """Return the claim as an HTML card; the colours are in ``sgdescape.css``."""
    style = kind(claim.verdict).replace(" ", "-")
    rows = "".join(f"<dt>{escape(n)}</dt><dd>{escape(t)}</dd>" for n, t in _rows(claim))
    return (
        f'<div class="sgd-claim sgd-claim--{style}" id="{anchor(claim.identifier)}">'
        f'<p class="sgd-claim__head"><span class="sgd-claim__verdict">{escape(claim.verdict)}'
        f'</span> <code class="sgd-claim__id">{escape(_name(claim))}</code></p>'
        f'<p class="sgd-claim__statement">{formulas(claim.statement)}</p>'
        f'<dl class="sgd-claim__facts">{rows}</dl></div>'
    )


def _name(claim):
    return claim.identifier or "(not declared)"


def _rows(claim):
    """Name and text of each line under the statement."""
    source = ("Source", claim.source)
    if claim.measured is None:
        return [("Why not", claim.reason), source]
    rows = [
        ("Evidence", _EVIDENCE[claim.evidence]),
        ("Predicted", f"{claim.predicted:.4g} {claim.unit}".rstrip()),
        ("Measured", volatile(_interval(claim.measured, claim.unit))),
        _deviation(claim),
    ]
    for title, undecided in (("Rejected", False), ("Cannot tell", True)):
        names = [
            f"{name} ({value:.4g})"
            for name, value in claim.rivals.items()
            if (name in claim.undecided) == undecided
        ]
        if names:
            rows.append((title, "; ".join(names)))
    return [*rows, source]


def _deviation(claim):
    """What the measurement says about deviations: seen, or the least that would have been."""
    ends = claim.measured.low, claim.measured.high
    size = seen(claim.predicted, *ends, claim.verdict, claim.unit)
    if claim.verdict == REFUTED:
        return "Off by", volatile(f"at least {size}")
    text = volatile(size if size.startswith("a factor") else f"a deviation of {size}")
    if claim.resolution is not None:
        text += f"; asked for {asked(claim.predicted, claim.resolution, claim.unit)}"
    return "Would have seen", text


def _interval(interval, unit):
    level = "numerical bound" if interval.level is None else f"{100 * interval.level:.6g} %"
    ends = f"[{interval.low:.4g}, {interval.high:.4g}]"
    method = f", {interval.method}" if interval.method else ""
    return f"{interval.value:.4g} in {ends}{f' {unit}' if unit else ''} ({level}{method})"

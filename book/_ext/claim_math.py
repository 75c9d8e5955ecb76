r"""Mathematics in the texts of claims: ``$...$`` for MathJax, the plain spelling with real symbols.

Some statements spell their formulas in words (``E|delta|^2 = eta / (1 - beta)``). On a page they
get Greek letters, raised and lowered signs; in a picture, where MathJax cannot go, TeX does too.
"""

import re
from html import escape

from plain_tex import GREEK, plain

RAISED = str.maketrans("0123456789-−+n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻⁺ⁿ")
LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_WORD = re.compile(r"(?<![A-Za-z\\`_])(?<![A-Za-z]-)(" + "|".join(GREEK) + r")(?![A-Za-z`])")


def as_html(text: str) -> str:
    r"""Return a statement as HTML: TeX for MathJax, the rest with symbols.

    Example:
        >>> as_html("$x$ < eta^2 n_c")
        '<span class="math notranslate nohighlight">\\(x\\)</span> &lt; η<sup>2</sup> n<sub>c</sub>'
    """
    parts = re.split(r"\$([^$]+)\$", text)
    span = '<span class="math notranslate nohighlight">\\({}\\)</span>'
    return "".join(
        span.format(escape(part)) if i % 2 else _marked(part) for i, part in enumerate(parts)
    )


def as_unicode(text: str) -> str:
    r"""Return a text without markup, its formulas with signs that a font has.

    Example:
        >>> as_unicode(r"Gibbs law, $c-1$"), as_unicode(r"$\Sigma\propto H^2$")
        ('Gibbs law, c − 1', 'Σ ∝ H²')
        >>> as_unicode(r"$\frac{1+\beta}{4\eta}$, 1 / (1 - beta)^2, sqrt(L)")
        '(1 + β)/(4η), 1 / (1 − β)², √(L)'
    """
    parts = re.split(r"\$([^$]+)\$", text)
    texts = (plain(part) if i % 2 else _scripts(_spelled(part)) for i, part in enumerate(parts))
    return "".join(texts)


def _spelled(text):
    """Greek letters for their names, a root, a minus for a hyphen between numbers."""
    text = re.sub(r"\bsqrt(?=\()", "√", text)
    text = _WORD.sub(lambda word: GREEK[word[1]], text)
    return re.sub(r"(?<=[ (=])-(?=[ \d(])|^-(?=\d)", "−", text)


def _marked(text):
    """HTML of a text without TeX: raised after ^, lowered after _, code left alone."""
    pieces = re.split(r"(`[^`]*`)", text)
    for i, piece in enumerate(pieces):
        if piece.startswith("`"):
            pieces[i] = f"<code>{escape(piece[1:-1])}</code>"
            continue
        html = escape(_spelled(piece), quote=False)
        html = re.sub(r"\^(\([^()]*\)|[-−]?\w+(?:\.\d+)?|\{[^}]*\})", _raised, html)
        pieces[i] = re.sub(r"(?<![\w])(\w{1,2})_(\w{1,3})\b", r"\1<sub>\2</sub>", html)
    return "".join(pieces)


def _raised(found):
    return f"<sup>{found[1].strip('{}()').replace('-', '−')}</sup>"


def _scripts(text):
    """Raised and lowered digits where Unicode has them."""
    text = re.sub(r"\^\{?([-−]?[\dn]+)\}?(?!\w|\.\d)", lambda m: m[1].translate(RAISED), text)
    return re.sub(r"(?<=\w)_\{?(\d+)\}?", lambda m: m[1].translate(LOWERED), text)

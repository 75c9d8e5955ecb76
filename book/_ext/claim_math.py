r"""Mathematics in the texts of claims: ``$...$`` for MathJax, the plain spelling with real symbols.

Some statements spell their formulas in words (``E|delta|^2 = eta / (1 - beta)``). On a page they
get Greek letters, raised and lowered signs; in a picture, where MathJax cannot go, TeX does too.
"""

import re
from html import escape

LETTERS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ",
    "eta": "η", "theta": "θ", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ",
    "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ", "chi": "χ", "psi": "ψ",
    "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
}  # fmt: skip
SIGNS = {
    r"\propto": "∝", r"\approx": "≈", r"\cdot": "·", r"\times": "×", r"\to": "→", r"\|": "|",
    r"\le": "≤", r"\ge": "≥", r"\infty": "∞", r"\sqrt": "√", r"\log": "log ", r"\rm": "",
    r"\pm": "±", r"\,": " ", r"\langle": "⟨", r"\rangle": "⟩", r"\exp": "exp", r"\ln": "ln ",
    r"\ell": "ℓ", r"\ne": "≠", r"\sum": "Σ", r"\varepsilon": "ε", r"\varphi": "φ", r"\tfrac": "",
}  # fmt: skip
RAISED = str.maketrans("0123456789-−+n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻⁺ⁿ")
LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_WORD = re.compile(r"(?<![A-Za-z\\`_])(?<![A-Za-z]-)(" + "|".join(LETTERS) + r")(?![A-Za-z`])")


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
    r"""Return a name as plain text, TeX included.

    Example:
        >>> as_unicode(r"Gibbs law, $c-1$"), as_unicode(r"$\Sigma\propto H^2$")
        ('Gibbs law, c − 1', 'Σ∝ H²')
        >>> as_unicode(r"$\frac{1+\beta}{4\eta}E$, 1 / (1 - beta)^2")
        '(1 + β)/(4η)E, 1 / (1 − β)²'
    """
    parts = re.split(r"\$([^$]+)\$", text)
    texts = (_untexed(part) if i % 2 else _scripts(_spelled(part)) for i, part in enumerate(parts))
    return "".join(texts)


def _spelled(text):
    """Greek letters for their names, a minus for a hyphen between numbers."""
    text = _WORD.sub(lambda word: LETTERS[word[1]], text)
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


def _untexed(tex):
    """TeX of the small kind that names of rivals use, as text."""
    group = r"(?:\{([^{}]*)\}|(\w))"
    tex = tex.replace("{\\rm ", "{")
    tex = re.sub(r"\{(Tr|log)\}", r"\1", tex)
    for _ in range(3):
        tex = re.sub(rf"\\t?frac\s*{group}\s*{group}", _fraction, tex)
    for sign in sorted(SIGNS, key=len, reverse=True):
        tex = tex.replace(sign, SIGNS[sign])
    tex = re.sub(r"\\([A-Za-z]+)", lambda m: LETTERS.get(m[1], m[1]), tex)
    tex = re.sub(r"\s*(?<=[\w)|])\s*([-+])\s*(?=[\w(])", _spaced, tex)
    return _scripts(re.sub(r" +", " ", tex)).replace("{", "").replace("}", "")


def _spaced(found):
    return f" {found[1].replace('-', '−')} "


def _fraction(found):
    above, below = found[1] or found[2], found[3] or found[4]
    above = f"({above})" if re.search(r"[-+]", above) else above
    below = f"({below})" if len(below.replace("\\", "")) > 1 else below
    return f"{above}/{below}"


def _scripts(text):
    """Raised and lowered digits where Unicode has them."""
    text = re.sub(r"\^\{?([-−]?[\dn]+)\}?", lambda m: m[1].translate(RAISED), text)
    return re.sub(r"(?<=\w)_\{?(\d+)\}?", lambda m: m[1].translate(LOWERED), text)

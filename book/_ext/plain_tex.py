r"""TeX as plain text, for places that no formula can enter: pictures, labels read aloud, searches.

Only what the texts of claims use is known; an unknown command leaves its name.
"""

import re

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "varepsilon": "ε",
    "zeta": "ζ", "eta": "η", "theta": "θ", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν",
    "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ", "varphi": "φ",
    "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ",
    "Lambda": "Λ", "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
}  # fmt: skip
SIGNS = {
    "ell": "ℓ", "infty": "∞", "partial": "∂", "nabla": "∇", "int": "∫", "sum": "Σ", "prod": "Π",
    "top": "T", "dots": "…", "ldots": "…", "cdots": "…", "%": "%", "lVert": "‖", "rVert": "‖",
    "pm": "±", "|": "‖", "langle": "⟨", "rangle": "⟩", "lvert": "|", "rvert": "|", "prime": "′",
}  # fmt: skip
RELATIONS = {
    "propto": "∝", "approx": "≈", "simeq": "≃", "sim": "~", "to": "→", "le": "≤", "leq": "≤",
    "ge": "≥", "geq": "≥", "ne": "≠", "ll": "≪", "gg": "≫", "in": "∈", "equiv": "≡",
    "times": "×", "gtrsim": "≳", "lesssim": "≲",
}  # fmt: skip
NAMES = "log ln exp sin cos tan arctan arcosh min max sup lim Tr tr Var Cov erf".split()
ACCENTS = {"bar": "\u0304", "hat": "\u0302", "tilde": "\u0303", "dot": "\u0307"}
HALVES = {"1/2": "½", "1/3": "⅓", "2/3": "⅔", "1/4": "¼", "3/4": "¾"}
RAISED = dict(zip("0123456789−+()nikstcpT", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺⁽⁾ⁿⁱᵏˢᵗᶜᵖᵀ", strict=True))
LOWERED = dict(zip("0123456789+eikjnpstx", "₀₁₂₃₄₅₆₇₈₉₊ₑᵢₖⱼₙₚₛₜₓ", strict=True))
STYLES = "mathrm mathbb mathcal mathsf mathbf mathit operatorname text textit".split()
_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\s+|.", re.S)


def plain(tex: str) -> str:
    r"""Return a formula as text.

    Example:
        >>> plain(r"\frac{1+\beta}{4\eta}\,\mathbb E\|\delta\|^2"), plain(r"\tfrac12\log(2c-1)")
        ('((1 + β)/(4η)) E‖δ‖²', '½ log(2c − 1)')
        >>> plain(r"\sqrt{h_e^*|h_e^s|}/2\pi"), plain(r"c^{1/2}"), plain(r"L^{-\phi}")
        ('√(hₑ*|hₑˢ|)/2π', 'c^(1/2)', 'L^(−φ)')
        >>> plain(r"B\,{\rm Tr}\Sigma=2L"), plain(r"n_c"), plain(r"e^{-x}")
        ('B Tr Σ = 2L', 'n_c', 'e^(−x)')
    """
    tokens = _TOKEN.findall(tex)[::-1]
    return _joined(_atoms(tokens)).strip()


def _atoms(tokens):
    """(kind, text) of everything up to the end of the group; takes it from the tokens' end."""
    found = []
    while tokens:
        token = tokens.pop()
        if token == "}":
            break
        if token in "^_":
            text = _script(_argument(tokens), raised=token == "^")
            kind, before = found.pop() if found else ("text", "")
            found.append((kind, _bracketed(before, kind) + text))
        else:
            found += _one(token, tokens)
    return found


def _one(token, tokens):
    """What one token, with the arguments that it takes, stands for."""
    if token == "{":
        return _group(tokens)
    if token.isspace():
        return []
    if not token.startswith("\\"):
        return [(_kind(token), token)]
    name = token[1:]
    if name in ("frac", "tfrac", "dfrac"):
        return [_fraction(_argument(tokens), _argument(tokens))]
    if name == "sqrt":
        inside = _argument(tokens)
        return [("text", f"√{inside}" if len(inside) == 1 else f"√({inside})")]
    if name in ACCENTS:
        return [("text", _argument(tokens) + ACCENTS[name])]
    if name in ("overline", "underline"):
        inside = _argument(tokens)
        return [("text", f"⟨{inside}⟩" if name == "overline" else inside)]
    if name in STYLES:
        text = _argument(tokens)
        return [("name" if text in NAMES else "text", text)]
    if name in NAMES:
        return [("name", name)]
    if name in RELATIONS:
        return [("relation", RELATIONS[name])]
    if name in (",", ";", ":", " ", "quad", "qquad"):
        return [("space", " ")]
    if name == "cdot":
        return [("text", "·")]
    if name in ("!", "left", "right", "rm") or re.fullmatch(r"[bB]igg?[lrm]?", name):
        return []
    text = GREEK.get(name) or SIGNS.get(name) or name
    return [(_kind(text), text)]


def _group(tokens):
    r"""What a group holds: one name in ``{\rm Tr}``, all its atoms otherwise."""
    text = _joined(found := _atoms(tokens)).strip()
    return [("name", text)] if text in NAMES else found


def _kind(text):
    if text in "+-−±":
        return "sign"
    if text in "=<>":
        return "relation"
    return {"(": "open", "[": "open", ")": "close", "]": "close", ",": "comma", "/": "slash"}.get(
        text, "text"
    )


def _argument(tokens):
    """The text of the next group or token."""
    while tokens and tokens[-1].isspace():
        tokens.pop()
    return _joined(_one(tokens.pop(), tokens)).strip() if tokens else ""


def _fraction(above, below):
    if (short := HALVES.get(f"{above}/{below}")) is not None:
        return "text", short
    above = f"({above})" if re.search(r" [+−] |/", above) else above
    below = f"({below})" if len(re.sub(r"[\W_]|[₀-₉ₑᵢₖⱼₙₚₛₜₓ]", "", below)) > 1 else below
    return "fraction", f"{above}/{below}"


def _script(text, *, raised):
    letters, short = RAISED if raised else LOWERED, text.replace(" ", "")
    if text in "*′":
        return text
    if all(letter in letters for letter in short):
        return "".join(letters[letter] for letter in short)
    mark = "^" if raised else "_"
    return f"{mark}{text}" if re.fullmatch(r"\w+|.", text) else f"{mark}({text})"


def _bracketed(text, kind):
    """What a power applies to."""
    return f"({text})" if kind == "fraction" else text


def _joined(atoms):
    """The text of atoms, with spaces where a reader expects them."""
    out = ""
    for i, (kind, text) in enumerate(atoms):
        before = atoms[i - 1][0] if i else "open"
        after = atoms[i + 1][0] if i + 1 < len(atoms) else "close"
        if kind == "sign":
            text = text.replace("-", "−")
            if before not in ("open", "relation", "comma", "sign", "slash"):
                text = f" {text} "
        elif kind == "relation":
            text = f" {text} "
        elif kind == "fraction" and (_factor(before, end=True) or _factor(after)):
            text = f"({text})"
        elif kind == "name":
            text = (" " if before in ("text", "fraction", "close") else "") + text
            text += " " if after in ("text", "name") else ""
        elif kind == "comma":
            text = ", "
        out += text
    return re.sub(r" +", " ", out)


def _factor(kind, *, end=False):
    """Whether a neighbour multiplies."""
    return kind in ("text", "name", "space", "fraction", "slash", "close" if end else "open")

"""Formulas for readers without JavaScript: each one also as MathML, in a ``noscript`` element.

With scripts, MathJax sets the TeX and the MathML is never seen; without, the TeX is hidden.
"""

import re
from functools import cache
from html import escape, unescape

from latex2mathml.converter import convert

HIDE = "\n<noscript><style>.sgd-tex { display: none }</style></noscript>"
SETS = re.compile(r"\\\((?P<inline>.+?)\\\)|\\\[(?P<display>.+?)\\\]", re.S)
ENTITY = re.compile(r"&#x([0-9A-Fa-f]+);")
BRACKETS = {r"\langle": "⟨", r"\rangle": "⟩"}  # the converter leaves them behind \Bigl


@cache
def mathml(tex: str, *, display: bool) -> str:
    """Return TeX as MathML, or the TeX itself where it cannot be converted.

    Example:
        >>> "<mi>x</mi>" in mathml("x", display=False)
        True
    """
    plain = re.sub(r"\\label\{[^}]*\}", "", tex)
    try:
        found = convert(plain, display="block" if display else "inline")
    except Exception:  # whatever a converter of other people's TeX raises
        return f"<code>{escape(tex)}</code>"
    for name, sign in BRACKETS.items():
        found = found.replace(name, sign)
    for implied in (' xmlns="http://www.w3.org/1998/Math/MathML"', ' display="inline"'):
        found = found.replace(implied, "")  # HTML knows; a page has hundreds of formulas
    return ENTITY.sub(_sign, found)


def _sign(entity):
    """The sign of a numeric entity, shorter than its number; what HTML needs escaped stays."""
    sign = chr(int(entity[1], 16))
    return entity[0] if sign in "<>&" else sign


def both(body: str) -> str:
    """Return the HTML of a page with MathML beside the TeX of each formula.

    Example:
        >>> both(r'<span class="math n">\\(x\\)</span>').count("<noscript><math")
        1
    """

    def formula(found):
        display = found["display"] is not None
        tex = unescape(found["display"] if display else found["inline"]).strip()
        plain = mathml(tex, display=display)
        return f'<span class="sgd-tex">{found[0]}</span><noscript>{plain}</noscript>'

    def element(found):
        return found[1] + SETS.sub(formula, found[3]) + found[4]

    pattern = r'(<(span|div) class="math [^>]*>)((?:(?!<\2 ).)*?)(</\2>)'
    return re.sub(pattern, element, body, flags=re.S)


def add(app, pagename, templatename, context, doctree):
    """Add the MathML to one page."""
    if "body" in context and 'class="math' in context["body"]:
        context["body"] = both(context["body"])
        context["metatags"] = context.get("metatags", "") + HIDE


def add_to_contents(app, pagename, templatename, context, doctree):
    """Add the MathML to the titles in a page's contents, before the theme lists them."""
    if toc := context.get("toc"):
        context["toc"] = both(toc)


def setup(app):
    """Register the extension."""
    app.connect("html-page-context", add_to_contents, priority=50)
    app.connect("html-page-context", add, priority=800)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

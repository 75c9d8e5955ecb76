"""Directive `scene`: a figure that the reader moves, with a still picture for all other readers.

    ```{scene} climb_or_jump
    :alt: What the still picture shows, in one sentence.
    The question that the picture answers, in three sentences at most.
    ```

`book/_static/scenes/<name>.js` draws the live figure on the stage of `scene.js`; both are loaded on
pages with that scene only. `scene_stills.py` makes the picture that is shown without scripts and on
paper, and the values that the script does not compute itself, from the package.
"""

import json
import re
from pathlib import Path

import scene_drawing
import scene_stills
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

STATIC = Path(__file__).parents[1] / "_static"
FENCE = re.compile(r"^```\{scene\} (\w+)\n(?::alt: .*\n)?(.*?)\n```$", re.M | re.S)


def scripts() -> list[str]:
    """Return the names of the scenes that have a script."""
    return sorted(path.stem for path in (STATIC / "scenes").glob("*.js"))


class Scene(SphinxDirective):
    """One live figure: its still picture, its values, its caption."""

    required_arguments = 1
    has_content = True
    option_spec = {"alt": directives.unchanged_required}

    def run(self):
        """Write the figure; the script puts its live half into it."""
        name, alt = self.arguments[0], self.options.get("alt", "")
        if name not in scripts() or name not in scene_drawing.STILLS:
            raise self.error(f"no scene {name!r}: there are {', '.join(scripts())}")
        if len(alt.split()) < 4 or not self.content:
            raise self.error(f"scene {name!r} needs a caption and an alt text of a sentence")
        self.env.note_dependency(str(STATIC / "scenes" / f"{name}.js"))
        self.env.note_dependency(scene_stills.__file__)
        caption = nodes.container()
        self.state.nested_parse(self.content, self.content_offset, caption)
        return [
            nodes.raw("", opening(name, alt), format="html"),
            *caption.children,
            nodes.raw("", "</figcaption></figure>", format="html"),
        ]


def opening(name: str, alt: str) -> str:
    """Return the HTML of a scene up to its caption."""
    alt = alt.replace("&", "&amp;").replace('"', "&quot;")
    # "</" would end the script element early; there is none in numbers, but names may come
    values = json.dumps(scene_drawing.values(name), separators=(",", ":")).replace("</", "<\\/")
    return (
        f'<figure class="sgd-scene" id="scene-{name}" data-scene="{name}">'
        f'<div class="sgd-scene__still" tabindex="0" role="img" aria-label="{alt}">'
        f"{scene_drawing.svg(name)}</div>"
        f'<script type="application/json">{values}</script><figcaption>'
        '<p class="sgd-scene__needs">With JavaScript this figure moves.</p>'
    )


def as_text(markdown: str) -> str:
    """Return Markdown in which each scene is its caption, for readers of the plain notebook.

    Example:
        >>> print(as_text("```{scene} spiral\\n:alt: A spiral.\\nWhat turns?\\n```"))
        *A figure that moves, on the page of this chapter:* What turns?
    """
    return FENCE.sub(r"*A figure that moves, on the page of this chapter:* \2", markdown)


def load(app, pagename, templatename, context, doctree):
    """Drop the scenes' scripts, which Jupyter Book puts on every page, where there is none."""

    def of_a_scene(script):
        name = str(getattr(script, "filename", "") or script)
        return re.search(r"(^|/)(scene\.js|scenes/)", name) is not None

    context["script_files"] = [s for s in context["script_files"] if not of_a_scene(s)]
    names = sorted(set(re.findall(r' data-scene="(\w+)"', context.get("body", ""))))
    files = ["scene.js", *(f"scenes/{name}.js" for name in names)] if names else []
    for file in files:
        if not (STATIC / file).exists():
            raise ExtensionError(f"{pagename}: no script {file}")
        address = context["pathto"](f"_static/{file}", 1)
        context["body"] += f'<script defer src="{address}"></script>\n'


def setup(app):
    """Register the directive."""
    app.add_css_file("scene.css")
    app.add_directive("scene", Scene)
    app.connect("html-page-context", load, priority=950)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

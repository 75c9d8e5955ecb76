"""A picture of every built page, small, to be looked at: ``python tools/record.py [PAGE ...]``.

After ``make book`` it writes ``_build/record/index.html``, a sheet with each page as a phone, a
tablet and a screen show it, light and dark, and the PNG files behind it. What a browser says on
the way (messages, failed requests) and where a page is wider than its screen stands under the
picture. Nothing is compared: a person looks.
"""

import argparse
import html
import os
from pathlib import Path

from built_pages import HTML, ROOT, browser, pages
from playwright.sync_api import sync_playwright

RECORD = ROOT / "_build" / "record"
WIDTHS = (390, 768, 1440)
THEMES = ("light", "dark")
TALLEST = 16_000  # pixels of the page: Chromium draws no more in one picture
SHEET = """<!doctype html><meta charset="utf-8"><title>Pages of the book</title>
<style>
  body {{ font: 14px sans-serif; margin: 16px; }}
  section {{ display: flex; gap: 12px; overflow-x: auto; align-items: start; }}
  figure {{ margin: 0; }}
  img {{ max-height: 900px; border: 1px solid #888; }}
  figcaption {{ max-width: 30em; }}
</style>
{rows}
"""
SETTLE = """async () => {
  for (const picture of document.querySelectorAll('img')) picture.loading = 'eager';
  await window.MathJax?.startup?.promise;
  await document.fonts.ready;
}"""


def picture(tab, name: str, width: int, theme: str) -> tuple[Path, list[str]]:
    """Take the picture of one page; return its file and what was noticed.

    Args:
        tab: of the browser, with the theme as its colour scheme.
        name: of the page.
        width: of the window in pixels.
        theme: "light" or "dark".
    """
    noticed = []
    tab.on("console", lambda message: noticed.append(message.text))
    tab.on("requestfailed", lambda request: noticed.append(f"failed: {request.url}"))
    tab.set_viewport_size({"width": width, "height": 900})
    tab.goto((HTML / f"{name}.html").as_uri(), wait_until="load")
    tab.evaluate(SETTLE)
    wide, tall = tab.evaluate(
        "() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    )
    if wide > width:
        noticed.append(f"{wide - width} pixels wider than the window")
    file = RECORD / f"{theme}-{width}" / f"{name.replace('/', '-')}.png"
    file.parent.mkdir(parents=True, exist_ok=True)
    clip = {"x": 0, "y": 0, "width": width, "height": min(tall, TALLEST)}
    tab.screenshot(path=str(file), full_page=True, clip=clip, scale="device")
    return file, noticed


def row(name: str, found: dict) -> str:
    """Return a page's line of the sheet: its pictures, with what was noticed under each."""
    figures = []
    for (width, theme), (file, noticed) in found.items():
        place = os.path.relpath(file, RECORD)
        under = html.escape("; ".join([f"{width}, {theme}", *noticed]))
        label = html.escape(f"{name}, {width} pixels wide, {theme}")
        figures.append(
            f'<figure><a href="{place}"><img src="{place}" alt="{label}" loading="lazy"></a>'
            f"<figcaption>{under}</figcaption></figure>"
        )
    return f"<h2>{html.escape(name)}</h2><section>{''.join(figures)}</section>"


def main():
    """Take the pictures and write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="*", metavar="PAGE", help="a part of its name; all if none")
    parser.add_argument("--widths", nargs="+", type=int, default=WIDTHS, help="in pixels")
    parser.add_argument("--themes", nargs="+", choices=THEMES, default=THEMES)
    parser.add_argument("--scale", type=float, default=0.5, help="pixels of the picture for one")
    options = parser.parse_args()
    names = [
        name
        for _, name in pages(ROOT)
        if (HTML / f"{name}.html").exists()
        and (not options.pages or any(part in name for part in options.pages))
    ]
    if not names:
        raise SystemExit(f"No such pages in {HTML}: run make book first")
    rows, count = [], 0
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=browser(), args=["--no-sandbox"])
        shown = {
            theme: chromium.new_context(
                color_scheme=theme, reduced_motion="reduce", device_scale_factor=options.scale
            )
            for theme in options.themes
        }
        for name in names:
            found = {}
            for theme, context in shown.items():
                for width in options.widths:
                    tab = context.new_page()
                    found[width, theme] = picture(tab, name, width, theme)
                    tab.close()
            rows.append(row(name, found))
            bad = [f"{w} {t}: {'; '.join(n)}" for (w, t), (_, n) in found.items() if n]
            count += len(bad)
            print(name, *bad, sep="\n  ", flush=True)
    (RECORD / "index.html").write_text(SHEET.format(rows="\n".join(rows)), encoding="utf-8")
    print(f"{RECORD / 'index.html'}: {len(names)} pages, {count} pictures with a remark")


if __name__ == "__main__":
    main()

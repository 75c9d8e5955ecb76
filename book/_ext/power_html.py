"""The HTML of the page *How sure?*: sentences, the picture of all checks, tables that fold."""

import html
import re

from claim_math import as_unicode

GOOD = 0.95
"""Share of the runs on which a wrong theory should be rejected: 19 of 20."""

SIDE, GAP = 11, 2  # of a square of the picture, in pixels


def sampled(result: dict) -> dict:
    """Return identifier -> numbers of the claims that rest on samples, of runs enough for a law."""
    return {n: e for n, e in result["claims"].items() if "rivals" in e}


def answer(result: dict) -> str:
    """Return in three sentences how often the checks are right."""
    claims = sampled(result).values()
    seeds = sorted(e["seeds"] for e in claims)
    runs, alarms = sum(seeds), sum(e["false_alarms"] for e in claims)
    rivals = [(r["rejected"], e["seeds"]) for e in claims for r in e["rivals"]]
    held = sum(n >= GOOD * of for n, of in rivals)
    sizes = sorted(e["seen"] for e in claims if e["seen"] is not None and e["predicted"] != 0)
    seen = "Of no claim is it known which deviation it sees.</p>"
    if sizes:
        low, middle, high = (share(sizes[len(sizes) * k // 4]) for k in (1, 2, 3))
        seen = (
            f"Nine runs of ten see a deviation of {middle} from the prediction in the median "
            f"claim, of {low} and {high} at the quartiles.</p>"
        )
    return (
        f"<p><strong>{len(seeds)} claims rest on samples. Each was judged on {span(seeds)} runs "
        f"with other seeds, and on {alarms} of these {runs} occasions the check raised a false "
        f"alarm.</strong> "
        f"Of the {len(rivals)} wrong theories that they are held against, {held} are rejected on "
        f"at least 19 runs of 20. "
        f"{seen}"
    )


def span(numbers) -> str:
    """Return the range of some numbers, one of them if they are equal.

    Args:
        numbers: ascending.
    """
    return f"{numbers[0]}" if numbers[0] == numbers[-1] else f"{numbers[0]} to {numbers[-1]}"


def share(value) -> str:
    """Return a relative deviation in words."""
    if value is None:
        return ""
    return f"{100 * value:.2g} %" if value < 1 else f"a factor of {1 + value:.2g}"


def colour(hits: int, runs: int) -> str:
    """Return the class of a square: all good, some, few."""
    if hits >= GOOD * runs:
        return "good"
    return "some" if 2 * hits >= runs else "few"


def picture(entries: dict) -> str:
    """Return a drawing of one chapter: a column a claim, a square a wrong theory.

    The round mark on top stands for the false alarms, the squares below for wrong theories, the
    nearest first.

    Args:
        entries: of sampled claims.
    """
    step = SIDE + GAP
    tallest = max(len(e["rivals"]) for e in entries.values())
    width, height = step * len(entries), step * (tallest + 1)
    marks = []
    for column, entry in enumerate(entries.values()):
        x, runs = column * step, entry["seeds"]
        kind = colour(runs - entry["false_alarms"], runs)
        marks.append(
            f'<circle class="{kind}" cx="{x + SIDE / 2}" cy="{SIDE / 2}" r="{SIDE / 2 - 1}"/>'
        )
        for row, rival in enumerate(entry["rivals"], 1):
            place = f'x="{x}" y="{row * step}" width="{SIDE}" height="{SIDE}"'
            marks.append(f'<rect class="{colour(rival["rejected"], runs)}" {place}/>')
    return (
        f'<svg class="sgd-power__picture" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" aria-hidden="true" focusable="false">{"".join(marks)}</svg>'
    )


def chapter(title: str, about: dict, entries: dict, link, stale: bool) -> str:
    """Return one chapter: its picture, and behind a fold its table.

    Args:
        title: of the chapter.
        about: its runs.
        entries: identifier -> numbers of its sampled claims.
        link: function of an identifier, gives the address of its card.
        stale: whether the chapter's code has changed since.
    """
    runs = sorted(e["seeds"] for e in entries.values())
    alarms, judged = sum(e["false_alarms"] for e in entries.values()), sum(runs)
    rivals = [(r["rejected"], e["seeds"]) for e in entries.values() for r in e["rivals"]]
    held = sum(n >= GOOD * of for n, of in rivals)
    size = "" if about["size"] == "QUICK" else ", smaller than on its page"
    old = " Made with another version of the chapter's code." if stale else ""
    words = (
        f"{span(runs)} runs{size}: {alarms} false alarms in {judged} checks; {held} of "
        f"{len(rivals)} wrong theories rejected.{old}"
    )
    return (
        f'<details class="sgd-power"><summary><strong>{html.escape(title)}</strong> '
        f"<span>{words}</span>{picture(entries)}</summary>{table(entries, link, title)}</details>"
    )


def table(entries: dict, link, title: str) -> str:
    """Return the numbers of a chapter's sampled claims, one row each."""
    columns = ("Claim", "False alarms", "Wrong theory: rejected", "Seen nine times of ten")
    head = "".join(f'<th scope="col">{c}</th>' for c in columns)
    rows = "".join(row(name, entry, link) for name, entry in entries.items())
    label = f"Claims of {html.escape(title)}"
    return (
        f'<div class="sgd-power__table" tabindex="0" role="region" aria-label="{label}">'
        f'<table class="table"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def row(name: str, entry: dict, link) -> str:
    """Return one claim as a table row."""
    runs = entry["seeds"]
    wrong = "<br>".join(
        f"{html.escape(as_unicode(r['name']))}: {r['rejected']} of {runs}" for r in entry["rivals"]
    )
    seen = share(entry["seen"]) if entry["predicted"] else number(entry["seen"])
    cells = (
        f'<a href="{html.escape(link(name))}"><code>{html.escape(name.split(".")[1])}</code></a>',
        f"{entry['false_alarms']} of {runs}",
        wrong,
        seen or "no deviation is tried",
    )
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def number(value) -> str:
    """Return an absolute deviation in two digits."""
    return "" if value is None else f"{value:.2g}"


def short(result: dict, link) -> str:
    """Return the claims that fall short of 19 of 20, and why."""
    items = []
    for name, entry in sampled(result).items():
        runs, faults = entry["seeds"], []
        if entry["false_alarms"]:
            why = html.escape(as_unicode(reason(entry["alarms"])))
            faults.append(f"{entry['false_alarms']} false alarms of {runs} ({why})")
        faults += [
            f"{html.escape(as_unicode(r['name']))} rejected only {r['rejected']} times of {runs}"
            for r in entry["rivals"]
            if r["rejected"] < GOOD * runs
        ]
        if faults:
            items.append(
                f'<li><a href="{html.escape(link(name))}"><code>{html.escape(name)}</code></a>: '
                f"{'; '.join(faults)}.</li>"
            )
    return f"<ul>{''.join(items)}</ul>" if items else "<p>None.</p>"


def reason(alarms) -> str:
    """Return the first of the reasons for false alarms, without the claim's name."""
    first = alarms[0] if alarms else "no reason is kept"
    return re.sub(r"^[a-z0-9_]+\.[a-z0-9_]+: ", "", first)


def computed(result: dict, titles: dict) -> str:
    """Return how many claims of each chapter have no samples, and whether a seed changes one.

    Args:
        result: all numbers.
        titles: stem -> title of the chapters, in the book's order.
    """
    rows = []
    for stem, title in titles.items():
        own = [e for n, e in result["claims"].items() if n.split(".")[0] == stem]
        kinds = [e["evidence"] for e in own]
        exact = [e for e in own if e["evidence"] == "computed"]
        failed = sum(e["false_alarms"] > 0 for e in exact)
        if own:
            cells = (html.escape(title), kinds.count("sampled"), len(exact), failed)
            cells += (kinds.count("given"), kinds.count("identity"), kinds.count("none"))
            rows.append("<tr>" + "".join(f"<td>{c}</td>" for c in cells) + "</tr>")
    columns = ("Chapter", "Sampled", "Computed", "Of these, fail with another seed")
    columns += ("Given samples", "Identities", "Not testable, or not run")
    head = "".join(f'<th scope="col">{c}</th>' for c in columns)
    return (
        '<div class="sgd-power__table" tabindex="0" role="region" aria-label="Kinds of evidence">'
        f'<table class="table"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def made(result: dict, titles: dict) -> str:
    """Return what the numbers were made with, chapter by chapter."""
    columns = ("Chapter", "Runs", "Size", "Seconds of a processor", "Processor", "Commit")
    head = "".join(f'<th scope="col">{c}</th>' for c in columns)
    rows = ""
    for stem, title in titles.items():
        about = result["chapters"].get(stem)
        if about:
            names = ("runs", "size", "processor_seconds", "processor")
            cells = [html.escape(title), *(html.escape(str(about[n])) for n in names)]
            cells.append(f"<code>{html.escape(about['commit'][:12])}</code>")
        else:
            cells = [html.escape(title), "none yet", "", "", "", ""]
        rows += "<tr>" + "".join(f"<td>{c}</td>" for c in cells) + "</tr>"
    return (
        '<div class="sgd-power__table" tabindex="0" role="region" aria-label="Provenance">'
        f'<table class="table"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    )

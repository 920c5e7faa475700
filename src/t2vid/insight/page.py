"""One self-contained HTML page: text, tables, pictures, line charts; nothing from outside.

>>> html = page("Title", [section("Numbers", table(["name", "n"], [["rows", 3]]))])
>>> "<h2>Numbers</h2>" in html and "http" not in html
True
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from PIL import Image

# They keep 3:1 against both backgrounds and differ for the common kinds of colour blindness.
COLOURS = ("#3b6fd4", "#c2621b", "#2f8f5b", "#a14fb5", "#8a7a1f", "#c23b5e")

_STYLE = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")


def page(
    title: str,
    sections: Sequence[str],
    *,
    intro: str = "",
    contents: Mapping[str, str] | None = None,
    style: str = "",
    script: str = "",
) -> str:
    """Put sections under a title into one HTML document.

    Args:
        title: of the document.
        sections: its parts.
        intro: a sentence under the title.
        contents: `{anchor: title}` of the sections to link to at the top.
        style: CSS after the page's own.
        script: JavaScript that runs when all is there.
    """
    lead = f'<p class="soft">{escape(intro)}</p>' if intro else ""
    skip, links = "", ""
    if contents:
        skip = '<a class="skip" href="#main">To the content</a>'
        items = (f'<li><a href="#{at}">{escape(name)}</a></li>' for at, name in contents.items())
        links = f'<nav aria-label="Contents"><ul>{"".join(items)}</ul></nav>'
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title>"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="data:,">'  # else a browser asks the server for one
        f"<style>{_STYLE}{style}</style></head>\n<body>{skip}"
        f'<main id="main"><h1>{escape(title)}</h1>{lead}{links}\n'
        + "\n".join(sections)
        + "\n</main>"
        + (f"\n<script>{script}</script>" if script else "")
        + "</body></html>\n"
    )


def section(title: str, *blocks: str, anchor: str = "") -> str:
    """Put blocks under a heading; `anchor` is what links to it name."""
    at = f' id="{anchor}" aria-labelledby="{anchor}-title"' if anchor else ""
    name = f' id="{anchor}-title"' if anchor else ""
    return f"<section{at}><h2{name}>{escape(title)}</h2>\n" + "\n".join(blocks) + "</section>"


def heading(text: str) -> str:
    """Give a heading inside a section."""
    return f"<h3>{escape(text)}</h3>"


def details(summary: str, *blocks: str) -> str:
    """Give blocks that a reader can open."""
    return f"<details><summary>{escape(summary)}</summary>" + "\n".join(blocks) + "</details>"


def data(name: str, value: Any) -> str:
    """Embed a value as JSON, for a script to read by the id `name`."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # nothing in the data may end the element or open a comment in it
    text = text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return f'<script type="application/json" id="{name}">{text}</script>'


def paragraph(text: str) -> str:
    """Give a paragraph of plain text."""
    return f"<p>{escape(text)}</p>"


def code(text: str) -> str:
    """Give a block of code or commands."""
    return f"<pre><code>{escape(text)}</code></pre>"


def tiles(values: Mapping[str, str]) -> str:
    """Give a row of big figures, `{label: figure}`."""
    cells = (
        f'<div class="tile"><b>{escape(value)}</b><span>{escape(label)}</span></div>'
        for label, value in values.items()
    )
    return '<div class="tiles">' + "".join(cells) + "</div>"


class Raw(str):
    """HTML that a table's cell takes as it is."""


def table(
    head: Sequence[str], rows: Sequence[Sequence[object]], *, caption: str = "", name: str = ""
) -> str:
    """Give a table; a column of numbers is set flush right.

    Args:
        head: titles of the columns.
        rows: cells; the first of each row is its title when the table has a `name`.
        caption: title of the table.
        name: id, for a script.
    """
    numeric = [
        bool(rows) and all(isinstance(row[at], int | float) for row in rows)
        for at in range(len(head))
    ]

    def line(cells: Sequence[object], tag: str) -> str:
        scope = ' scope="col"' if tag == "th" else ""
        kinds = (scope + (' class="n"' if number else "") for number in numeric)
        marked = (
            f"<{tag}{kind}>{_cell(cell)}</{tag}>" for cell, kind in zip(cells, kinds, strict=True)
        )
        return "<tr>" + "".join(marked) + "</tr>"

    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    body = "".join(line(row, "td") for row in rows)
    mark = f' id="{name}"' if name else ""
    # a table that is wider than the screen scrolls, by the keyboard too
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption or "Table")}">'
        f"<table{mark}>{title}<thead>{line(head, 'th')}</thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def picture(image: Image.Image, *, alt: str, caption: str = "", quality: int | None = None) -> str:
    """Embed an image.

    Args:
        image: any PIL image.
        alt: what a reader who cannot see it should know.
        caption: text under the picture.
        quality: 0 to 100 for a smaller, lossy picture; None keeps every pixel.
    """
    buffer = io.BytesIO()
    if quality is None:
        image.save(buffer, "webp", lossless=True, method=4)
    else:
        image.convert("RGB").save(buffer, "webp", quality=quality, method=4)
    content = base64.b64encode(buffer.getvalue()).decode()
    return (
        f'<figure><img src="data:image/webp;base64,{content}" width="{image.width}" '
        f'height="{image.height}" alt="{escape(alt)}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def line_chart(
    series: Mapping[str, Sequence[tuple[float, float]]], *, x: str, y: str, caption: str = ""
) -> str:
    """Draw line charts in one SVG.

    Args:
        series: `{name: [(x, y), …]}`.
        x: what the horizontal axis is.
        y: what the vertical axis is; it starts at 0.
        caption: text under the chart.
    """
    points = [point for values in series.values() for point in values]
    width, height, left, bottom = 720, 300, 52, 40
    x_min, x_max = min(p[0] for p in points), max(p[0] for p in points)
    y_max = _round_up(max(p[1] for p in points))

    def place(point: tuple[float, float]) -> str:
        across = (point[0] - x_min) / ((x_max - x_min) or 1)
        up = point[1] / y_max
        return (
            f"{left + across * (width - left - 16):.1f},{(height - bottom) * (1 - up) + 8 * up:.1f}"
        )

    ticks = []
    for step in range(5):
        value = y_max * step / 4
        at = place((x_min, value)).split(",")[1]
        ticks.append(
            f'<line class="axis" x1="{left}" x2="{width - 16}" y1="{at}" y2="{at}"/>'
            f'<text x="{left - 8}" y="{at}" text-anchor="end" dominant-baseline="middle">'
            f"{value:g}</text>"
        )
    for value in sorted({x_min, (x_min + x_max) / 2, x_max}):
        at = place((value, 0)).split(",")[0]
        ticks.append(
            f'<text x="{at}" y="{height - bottom + 18}" text-anchor="middle">{value:g}</text>'
        )
    lines = [
        f'<polyline fill="none" stroke="{colour}" stroke-width="2" '
        f'points="{" ".join(map(place, values))}"/>'
        for values, colour in zip(series.values(), _cycle(len(series)), strict=True)
    ]
    legend = "".join(
        f'<span><i style="background:{colour}"></i>{escape(name)}</span>'
        for name, colour in zip(series, _cycle(len(series)), strict=True)
    )
    return (
        f'<figure><p class="legend">{legend}</p><svg viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(y)} over {escape(x)}">{"".join(ticks)}{"".join(lines)}'
        f'<text x="{(width + left) / 2}" y="{height - 6}" text-anchor="middle">{escape(x)}</text>'
        f"</svg><figcaption>{escape(caption)}</figcaption></figure>"
    )


def _cycle(n: int) -> list[str]:
    return [COLOURS[at % len(COLOURS)] for at in range(n)]


def _cell(value: object) -> str:
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, float):
        return f"{value:,.1f}"
    if isinstance(value, int):
        return f"{value:,}"
    return escape(str(value))


def _round_up(value: float) -> float:
    if value <= 0:
        return 1.0
    power = 10.0 ** len(str(int(value))) / 10 if value >= 1 else 0.1
    return next(step * power for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * power >= value)

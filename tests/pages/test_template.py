"""The page: one file, nothing from outside, everything escaped."""

from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser

import jinja2
import pytest
from PIL import Image

from t2vid.pages import Tile, line_chart, render
from t2vid.pages.charts import ticks
from t2vid.pages.template import environment


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.links, self.text = [], [], ""

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "link", "img", "br", "line", "polyline", "circle", "polygon"):
            self.open.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag):
        if self.open and self.open[-1] == tag:
            self.open.pop()

    def handle_data(self, data):
        self.text += data


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    return reader


PAGE = """
{% extends "base.html" %}{% import "parts.html" as parts %}{% block content %}
{{ parts.tiles(tiles) }}{% call parts.section(heading, "here") %}
{{ parts.table(head, rows) }}{{ chart }}{{ parts.picture(image, alt=heading) }}
{{ parts.json("data", heading) }}{% endcall %}{% endblock %}
"""


def filled(text: str = "S", **values) -> str:
    given = {
        "title": text,
        "intro": text,
        "contents": {"here": text},
        "tiles": [Tile(text, text, text, "look")],
        "heading": text,
        "head": [text],
        "rows": [[text]],
        "chart": line_chart({text: [(1, 4.2), (2, 0.3)]}, x=text, y=text, caption=text),
        "image": Image.new("L", (4, 4)),
    }
    return environment().from_string(PAGE).render(**{**given, **values})


def test_a_page_is_well_formed_and_loads_nothing():
    reader = read(filled())
    assert reader.open == []
    outside = [link for link in reader.links if not link.startswith(("data:", "#"))]
    assert outside == [] and len(reader.links) == 4


def test_text_from_the_data_is_escaped_wherever_it_stands():
    attack = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    html = filled(attack)
    assert "<script>alert" not in html and "<img src=x" not in html
    assert read(html).text.count(attack) >= 10
    assert read(html).open == []


def test_a_value_that_is_missing_is_an_error_and_no_blank():
    with pytest.raises(jinja2.UndefinedError):
        render("tables.html", title="T")


def test_a_picture_is_embedded_losslessly():
    image = Image.effect_noise((32, 32), 50)
    data = filled(image=image).split("base64,")[1].split('"')[0]
    again = Image.open(io.BytesIO(base64.b64decode(data))).convert("L")
    assert again.tobytes() == image.tobytes()


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize(
    "values", [[(1.0, 0.0)], [(1.0, 0.0), (2.0, 0.0)], [(5.0, 123456.0)], [(1, 0.001), (9, 0.002)]]
)
def test_a_chart_of_one_point_or_of_zeros_is_drawn(values, log):
    drawn = line_chart({"a": values}, x="x", y="y", log=log)
    assert "<polyline" in drawn and not re.search(r'[",]-?(nan|inf)', drawn)


def test_marks_beyond_the_axis_are_left_out_and_bands_are_drawn():
    points = [(1, 10.0), (64, 20.0)]
    band = {"a": [(1, 5.0, 15.0), (64, 15.0, 25.0)]}
    drawn = line_chart(
        {"a": points}, bands=band, marks={"near": 24, "far": 1000}, x="x", y="y", log=True
    )
    assert "near: 24" in drawn and "far" not in drawn and drawn.count("<polygon") == 1


def test_ticks_are_round_and_cover_the_range():
    for low, high in [(0, 0.003), (0, 1), (3, 7), (0, 99), (1, 120), (0, 1e7)]:
        found = ticks(low, high)
        assert found[0] <= low and found[-1] >= high and len(found) <= 7
        steps = {round(b - a, 9) for a, b in zip(found, found[1:], strict=False)}
        assert len(steps) == 1


def test_numbers_are_set_right_and_words_left():
    html = filled(head=["name", "n"], rows=[["rows", 1234], ["frames", 5]])
    assert '<td class="n" data-label="n">1,234</td>' in html
    assert '<td data-label="name">rows</td>' in html

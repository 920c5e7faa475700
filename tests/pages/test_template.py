"""The page: one file, nothing from outside, everything escaped."""

from __future__ import annotations

from html.parser import HTMLParser

from PIL import Image

from t2vid.insight.page import line_chart, page, picture, section, table, tiles


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.links, self.text = [], [], ""

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "link", "img", "br", "line", "polyline"):
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


def test_a_page_is_well_formed_and_loads_nothing():
    image = picture(Image.new("L", (4, 4)), alt="black")
    chart = line_chart({"all": [(1, 4.2), (2, 0.3)]}, x="step", y="loss")
    reader = read(page("T", [section("S", image, chart, tiles({"rows": "3"}))], intro="Hello"))
    assert reader.open == []
    assert all(link.startswith("data:") for link in reader.links) and len(reader.links) == 2


def test_text_from_the_data_is_escaped():
    attack = "<script>alert(1)</script>"
    html = page(attack, [section(attack, table([attack], [[attack]]))], intro=attack)
    assert "<script>" not in html
    assert read(html).text.count(attack) == 6


def test_a_picture_is_embedded_losslessly():
    import base64
    import io

    image = Image.effect_noise((32, 32), 50)
    data = picture(image, alt="noise").split("base64,")[1].split('"')[0]
    again = Image.open(io.BytesIO(base64.b64decode(data))).convert("L")
    assert again.tobytes() == image.tobytes()


def test_a_chart_of_one_point_or_of_zeros_is_drawn():
    for values in ([(0.0, 0.0)], [(1.0, 0.0), (2.0, 0.0)], [(5.0, 123456.0)]):
        assert "polyline" in line_chart({"a": values}, x="x", y="y")


def test_numbers_are_set_right_and_words_left():
    html = table(["name", "n"], [["rows", 1234], ["frames", 5]])
    assert '<td class="n">1,234</td>' in html and "<td>rows</td>" in html

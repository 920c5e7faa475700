"""Pages of odd material: many sources, endless words, nothing that differs, names that are code."""

from __future__ import annotations

import io
import json
import re

import numpy as np
import pytest
from datasets import Dataset
from PIL import Image

from browser import chromium, emulate
from media import make_clip
from t2vid.browse import Browser, BrowseRows, RowFilters
from t2vid.browse.flags import n_frames_of
from t2vid.evaluation.sweep import Point
from t2vid.frames.feature import Frames, text_value, video_value
from t2vid.frames.spec import RenderSpec, SampleSpec
from t2vid.insight.findings import SOURCES
from t2vid.pages.bars import Bar, bar_chart
from t2vid.pages.dataset import report
from t2vid.pages.dataset_sheets import sheets
from t2vid.pages.dataset_view import html as written_of
from t2vid.pages.sweep import draw, write_sweep
from t2vid.schema import messages


def rows_of(lines: list[tuple[str, str, str]]) -> Dataset:
    """Rows of source, question and answer."""
    return Dataset.from_list(
        [
            {
                "id": f"{n}",
                "source": source,
                "messages": messages([("user", question), ("assistant", answer)], n_frames=0),
            }
            for n, (source, question, answer) in enumerate(lines)
        ]
    )


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    lines = [
        (f"source {n}", f"What does {word} {n} do?", f"It {word}s.")
        for n in range(SOURCES + 6)
        for word in (["runs", "swim"] if n < 4 else ["walk"])
    ]
    return report(
        rows_of(lines), out=tmp_path_factory.mktemp("many") / "page.html", embedder="tfidf"
    )


def test_more_sources_than_can_be_told_apart_are_one_together_and_counted(many):
    rows, html = many.findings.rows, many.page.read_text(encoding="utf-8")
    assert len(rows.names()) == SOURCES and rows.names()[-1] == "7 other sources"
    assert len(rows.of("7 other sources")) == 7 and len(rows) == SOURCES + 10
    assert f"from {SOURCES + 6} sources" in html
    figures = json.loads((many.folder / "figures.json").read_text(encoding="utf-8"))
    assert sum(one["n"] for one in figures["sources"].values()) == len(rows)
    assert len(figures["licences"]) == SOURCES + 6
    data = json.loads(re.search(r'id="data">(.*?)</script>', html)[1])
    assert len({tuple(look) for look in data["looks"]}) == SOURCES  # no two look alike
    with Image.open(io.BytesIO((many.folder / "map.png").read_bytes())) as picture:
        assert picture.height < 1.5 * picture.width


@pytest.mark.parametrize("width", [400, 1280])
def test_no_table_of_many_sources_is_wider_than_the_screen(browser, many, width):
    emulate(browser, width=width)
    browser.get(many.page.as_uri())
    wide = """return [...document.querySelectorAll('.scroll')]
              .filter((box) => box.scrollWidth > box.clientWidth + 1).length"""
    assert browser.execute_script(wide) == 0
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert browser.get_log("browser") == []


def test_a_row_of_a_table_is_a_card_on_a_phone_and_a_line_on_a_screen(browser, many):
    shown = """const cell = document.querySelector("#drops td:nth-child(3)");
               return [getComputedStyle(cell).display, getComputedStyle(cell, "::before").content]"""
    emulate(browser, width=400)
    browser.get(many.page.as_uri())
    assert browser.execute_script(shown) == ["block", '"too many frames: "']
    emulate(browser, width=1280)
    assert browser.execute_script(shown)[0] == "table-cell"


def test_words_and_names_without_an_end_are_broken(browser, tmp_path):
    lines = [("z" * 300, "x" * 5000, "y" * 20_000), ("rows", "Why " + "q" * 5000, "word " * 4000)]
    lines += [
        ("a/b", "Who?", "Me."),
        ("line\nbreak", "<b>When</b>?", "<script>document.title=1</script>"),
    ]
    written = report(rows_of(lines), out=tmp_path / "page.html", embedder="tfidf")
    for width in (400, 1280):
        emulate(browser, width=width)
        browser.get(written.page.as_uri())
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        assert browser.title.startswith("What is in")
        said = browser.execute_script("return document.body.innerText")
        assert not re.search(r"\b(nan|NaN|None|undefined|Infinity)\b|-0\.00", said)


@pytest.mark.parametrize("n", [1, 2, 40])
def test_a_dataset_in_which_nothing_differs_has_a_page_that_is_true(browser, tmp_path, n):
    written = report(rows_of([("rows", "Why?", "So.")] * n), out=tmp_path / "page.html")
    browser.get(written.page.as_uri())
    assert browser.get_log("browser") == []
    found = {flag.name: flag for flag in written.findings.flags}
    assert found["opening_share"].value == 0 and found["exact_twins"].value == (n - 1) / n
    if n == 1:  # a single row has nothing to be compared with
        assert {found[name].state for name in ("same_length", "template_share", "exact_twins")} == {
            ""
        }
    else:
        points = json.loads(browser.execute_script("return document.getElementById('data').text"))[
            "map"
        ]
        assert set(points["x"]) == {points["width"] / 2} and set(points["y"]) == {
            points["height"] / 2
        }


def test_a_lone_opening_is_no_bias(tmp_path):
    lines = [
        ("rows", f"Why {n}?", f"The {word} runs over the hill today.")
        for n, word in enumerate("abcd")
    ]
    found = report(rows_of(lines), out=tmp_path / "page.html").findings
    opening = next(flag for flag in found.flags if flag.name == "opening_share")
    assert (opening.value, opening.state) == (0, "fine") and "no two answers" in opening.says


def test_sheets_of_names_that_are_no_file_names_lie_side_by_side(tmp_path):
    names = ["a/b", "a-b", "z" * 300, "../../up"]
    value = text_value("A page.", RenderSpec(width=64, height=64, font_px=12, margin_px=4))
    rows = Dataset.from_list(
        [
            {"id": name, "source": name, "images": value}
            | {"messages": messages([("user", "Why?"), ("assistant", name)], n_frames=1)}
            for name in names
        ]
    )
    written = report(rows, out=tmp_path / "page.html")
    assert len(sheets(written.findings)) == len(names)
    assert len(list(written.folder.glob("sheet-*.png"))) == len(names)


def test_numbers_that_count_nothing_are_counted_from_the_row_itself(tmp_path):
    nan = float("nan")
    numbers = [(nan, 1.0), (0.0, nan), (None, None), (3.0, 5.0), (-4.0, -2.0), (float("inf"), 1.0)]
    rows = rows_of([("rows", f"Why {n}?", f"It is {n}.") for n in "abcdef"])
    for at, name in enumerate(("n_frames", "n_words")):
        rows = rows.add_column(name, [pair[at] for pair in numbers])
    found = report(rows, out=tmp_path / "page.html").findings.rows
    assert found.frames.tolist() == [0, 0, 0, 3, 0, 0] and found.n_words.min() > 0
    browser = Browser(BrowseRows(rows))
    assert [n_frames_of(rows[i]) for i in range(6)] == [0, 0, 0, 3, 0, 0]
    assert browser.page(0, RowFilters(min_frames=1)).positions == [3]


def test_a_large_video_is_decoded_as_small_as_it_is_shown(tmp_path, monkeypatch):
    make_clip(tmp_path / "large.mp4", seconds=1, size=(1280, 720))
    said = messages([("user", "Why?"), ("assistant", "So.")], n_frames=1)
    value = video_value(str(tmp_path / "large.mp4"), SampleSpec())
    rows = Dataset.from_list([{"id": "a", "source": "clips", "images": value, "messages": said}])
    sizes, decode = [], Frames.decode_example

    def spied(self, value, *args, **kwargs):
        frames = decode(self, value, *args, **kwargs)
        sizes.extend(frame.size for frame in frames)
        return frames

    monkeypatch.setattr(Frames, "decode_example", spied)
    report(rows, out=tmp_path / "page.html")
    assert sizes and set(sizes) == {(448, 252)}


def test_pictures_and_several_media_are_shown_and_no_words_are_drawn_of_them(tmp_path):
    Image.new("RGB", (1, 1), "red").save(tmp_path / "dot.png")
    make_clip(tmp_path / "clip.mp4", seconds=1)
    lines = [
        {"images": ["dot.png"], "source": "dots", "text": "<image>"},
        {"images": ["dot.png"], "videos": ["clip.mp4"], "source": "both", "text": "<image><video>"},
    ]
    rows = [
        {"id": f"{n}", "source": line["source"]}
        | {"messages": [{"role": "user", "content": f"{line['text']}What is {n}?"}]}
        | {name: line[name] for name in ("images", "videos") if name in line}
        for n, line in enumerate(lines)
    ]
    for row in rows:
        row["messages"].append({"role": "assistant", "content": "A thing."})
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    written = report(str(tmp_path / "rows.jsonl"), data=tmp_path, out=tmp_path / "page.html")
    html = written.page.read_text(encoding="utf-8")
    assert "dots: pictures" in html and "both: several media" in html
    assert html.count('alt="Picture from') >= 3 and "words drawn" not in html
    assert not written.findings.rows.is_text.any()


def test_a_row_whose_frames_cannot_be_made_is_said_and_old_pictures_go(tmp_path):
    make_clip(tmp_path / "clip.mp4", seconds=1)
    said = messages([("user", "Why?"), ("assistant", "So.")], n_frames=1)
    value = video_value(str(tmp_path / "clip.mp4"), SampleSpec())
    rows = Dataset.from_list([{"id": "a", "source": "clips", "images": value, "messages": said}])
    found = report(rows, out=tmp_path / "page.html").findings
    assert (tmp_path / "page" / "durations.png").is_file()
    (tmp_path / "clip.mp4").unlink()
    html = written_of(found, "page")
    assert "a: its frames could not be made." in html and "clip.mp4" in html
    report(rows_of([("rows", "Why?", "So.")]), out=tmp_path / "page.html")
    left = {path.name for path in (tmp_path / "page").iterdir()}
    assert left == {"figures.json", "text-tokens.png", "text-tokens.svg"}


# Pictures.


def width_of(png: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(png)) as picture:
        return picture.size


@pytest.mark.parametrize(
    "prompt", ["$x^{$", "_hidden", "عربي", "<script>", "a name " * 40, "two\nlines", ""]
)
def test_a_sweep_of_any_prompt_is_drawn(tmp_path, prompt):
    points = [Point(n, 50, 40, 60, 10, prompt=p) for p in (prompt, "plain") for n in (1, 4)]
    write_sweep(tmp_path, prompt or "m", points, {prompt: 2}, "as asked")
    assert (tmp_path / "sweep.svg").stat().st_size > 1000


def test_a_long_legend_stays_within_its_picture():
    def dark(names: list[str]) -> int:
        """Columns of the legend's right end that hold ink."""
        series = {name: [Point(1, 50, 40, 60, 10), Point(2, 50, 40, 60, 10)] for name in names}
        with Image.open(io.BytesIO(draw(series, {}))) as picture:
            top = np.asarray(picture.convert("L"))[: picture.height // 4, -6:]
        return int((top < 128).sum())

    assert dark([f"a name of forty characters, or nearly {n}" for n in range(5)]) == 0


def test_prompts_at_one_number_of_frames_are_bars_with_their_intervals(tmp_path):
    points = [
        Point(8, 30 + n, 20, 50, 50, prompt=f"A long prompt that asks for number {n}")
        for n in range(3)
    ]
    write_sweep(tmp_path, "m", points, {}, "as asked")
    page = (tmp_path / "sweep.html").read_text(encoding="utf-8")
    assert page.count('class="whisker"') == 3 and "accuracy over prompt" in page
    assert "tokens a question" not in page  # no point has any
    svg = (tmp_path / "sweep.svg").read_text(encoding="utf-8")
    assert svg.count("patch_") >= 3 and "LineCollection" in svg


def test_long_names_of_bars_stand_above_them_and_every_arm_is_in_the_legend():
    names = [f"arm {n}" for n in range(8)]
    bars = {arm: Bar(0.5, 0.4, 0.6) for arm in names}
    short, long = (
        bar_chart({group: bars}, x="share") for group in ("kind", "a kind of a long name")
    )
    assert 'text-anchor="end"' in short and 'text-anchor="end"' not in long
    assert all(f"</i>{arm}</span>" in long for arm in names)

"""Pages that follow each other as frames do: overlap, scrolling, columns, headers, newline marks."""

from __future__ import annotations

import dataclasses
import itertools
import pickle

import numpy as np
import pytest
from datasets import Dataset, Features, Sequence, load_from_disk
from datasets import Image as DatasetsImage
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from t2vid.errors import InputError
from t2vid.frames.cropped import whole_page
from t2vid.frames.feature import Frames
from t2vid.frames.render import count_frames, fit, render_text
from t2vid.frames.render_spec import RenderSpec
from t2vid.frames.text import area_of, iter_sheets, paginate

FULL = RenderSpec(words_per_frame=None, on_missing="escape")
SMALL = dataclasses.replace(FULL, width=160, height=130, margin_px=8, font_px=15)
TEXTS = st.text(
    "ab \n\u05d0\u05d1 \u0645.\t\u4e2d\u0301x12" + "word " * 6, min_size=1, max_size=400
).filter(lambda text: bool(text.strip("\u0301 \n\t")))
LINES = "\n".join(f"line {n} of the text" for n in range(200))


def lines_of(text: str, spec: RenderSpec) -> list[list[int]]:
    """Where each line of each frame begins in the source."""
    return [
        [line.start for page in sheet.pages for line in page.lines]
        for sheet in iter_sheets(text, spec)
    ]


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.sampled_from(["plain", "markdown"]), st.integers(1, 4), st.booleans())
def test_new_parts_rebuild_the_text_and_the_others_were_there_before(
    text: str, markup: str, n: int, scrolling: bool
) -> None:
    field = "scroll_lines" if scrolling else "overlap_lines"
    spec = dataclasses.replace(SMALL, markup=markup, **{field: n})
    spans = paginate(text, spec)
    assert spans[0][0] == 0 and spans[-1][1] == len(text)
    for one, two in itertools.pairwise(spans):
        assert one[0] <= two[0] <= one[1] < two[1], "each frame goes on, and leaves nothing out"


def test_overlapping_frames_repeat_lines_and_scrolling_ones_move_by_them() -> None:
    for k in (1, 3):
        pages = lines_of(LINES, dataclasses.replace(FULL, overlap_lines=k))
        assert all(one[-k:] == two[:k] for one, two in itertools.pairwise(pages))
    for n in (1, 5):
        spec = dataclasses.replace(FULL, scroll_lines=n)
        pages = lines_of(LINES, spec)
        assert all(one[n:] == two[: len(one) - n] for one, two in itertools.pairwise(pages))
        per_page = len(pages[0])
        assert len(pages) == 1 + -(-(200 - per_page) // n) == count_frames(LINES, spec)
    first, second = render_text(LINES, dataclasses.replace(FULL, scroll_lines=1), max_frames=2)
    line_px = area_of(FULL).tall_px // per_page
    assert (np.asarray(first)[20 + line_px :][:300] == np.asarray(second)[20:][:300]).mean() > 0.97


@pytest.mark.parametrize("markup", ["plain", "markdown"])
def test_columns_hold_what_frames_of_their_width_hold(markup: str) -> None:
    spec = dataclasses.replace(FULL, columns=2, font_px=14, markup=markup)
    text = "Some words of a text that goes on. " * 300
    narrow = dataclasses.replace(
        spec, columns=1, width=area_of(spec).room_px + 2 * spec.margin_px, whitespace="keep"
    )
    pages, sheets = lines_of(text, narrow), lines_of(text, spec)
    assert [
        a + b for a, b in itertools.zip_longest(pages[::2], pages[1::2], fillvalue=[])
    ] == sheets
    frame = 255 - np.asarray(render_text(text, spec)[0])
    middle = frame[:, 224 - 5 : 224 + 5]
    assert not middle.any() and frame[:, :219].any() and frame[:, 229:].any()
    assert fit(text, spec, max_frames=count_frames(text, spec)) == spec


def test_columns_share_the_words_of_a_frame() -> None:
    spec, text = RenderSpec(columns=3, font_px=10, words_per_frame=9), "a b " * 40
    assert all(len(text[s:e].split()) <= 9 for s, e in paginate(text, spec))


def test_headers_and_footers_count_frames_and_seconds() -> None:
    spec = dataclasses.replace(FULL, header="{time}", footer="{page}/{pages}")
    frames = render_text(LINES, spec)
    assert len(frames) > 9
    tops = [np.asarray(frame)[20:40].tobytes() for frame in frames]
    feet = [np.asarray(frame)[-42:-20].tobytes() for frame in frames]
    assert len(set(tops)) == len(set(feet)) == len(frames)
    assert lines_of(LINES, spec) != lines_of(LINES, FULL), "they take room from the text"
    assert feet[0] == np.asarray(render_text(LINES, spec, max_frames=1)[0])[-42:-20].tobytes()
    for frame in frames:
        ink = np.argwhere(np.asarray(frame) < 255)
        assert ink.min() >= 20 and ink.max() < 428


def test_a_header_in_any_script_is_drawn() -> None:
    plain = render_text("Words.", RenderSpec(header="x"))[0].tobytes()
    for header in ("\u05e9\u05dc\u05d5\u05dd {page}", "\u0645\u0631\u062d\u0628\u0627", "Ωμέγα"):
        assert render_text("Words.", RenderSpec(header=header))[0].tobytes() != plain


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"overlap_lines": 2},
            r"overlap_lines \(2\) counts the lines.*words_per_frame=None \(115\)",
        ),
        ({"overlap_lines": 2, "scroll_lines": 1, "words_per_frame": None}, "give one of them"),
        ({"scroll_lines": 0}, r"scroll_lines \(0\)"),
        ({"scroll_lines": 1, "words_per_frame": None, "columns": 2}, r"columns=1 \(2\)"),
        ({"columns": 0}, r"columns \(0\)"),
        ({"columns": 9}, r"columns \(9\) of \d+ px have no room"),
        ({"header": "{page:>{pages}}"}, r"header \('\{page:>\{pages\}\}'\) must be one line"),
        ({"footer": "{frame}"}, r"footer \('\{frame\}'\)"),
        ({"footer": "a\nb"}, r"footer \('a\\nb'\)"),
        ({"header": None}, r"header \(None\)"),
        ({"wear": 1.5}, r"wear \(1.5\) must be a number from 0 to 1"),
        ({"wear": float("nan")}, r"wear \(nan\)"),
        ({"newline_marks": "yes"}, r"newline_marks \('yes'\)"),
        ({"newline_marks": True, "markup": "markdown"}, "newline_marks needs markup 'plain'"),
        (
            {"layout": "paper", "markup": "markdown"},
            r"the paper's layout has no markup \('markdown'\)",
        ),
        ({"layout": "paper", "footer": "{page}"}, "the paper's layout has no footer"),
    ],
)
def test_fields_that_make_no_sense_are_refused(fields: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        RenderSpec(**fields)


def test_a_header_wider_than_a_frame_is_refused() -> None:
    with pytest.raises(InputError, match=r"header \('x x.*wider than a frame"):
        render_text("Words.", RenderSpec(header="x " * 200))


@pytest.mark.parametrize("text", ["one\ntwo\r\nthree", "\u05d0\u05d1\n\u05d2\nab\r\n\u05d3"])
@pytest.mark.parametrize("whitespace", ["keep", "flow"])
def test_each_newline_has_one_mark(text: str, whitespace: str) -> None:
    spec = dataclasses.replace(FULL, whitespace=whitespace)
    marked = dataclasses.replace(spec, newline_marks=True)
    written = text.replace("\r\n", "\u21b5\r\n").replace("\u2028", "\n")
    written = written.replace("\n", "\u21b5\n").replace("\u21b5\r\u21b5", "\u21b5\r")
    assert written.count("\u21b5") == len(text.splitlines()) - 1
    assert render_text(text, marked)[0].tobytes() == render_text(written, spec)[0].tobytes(), (
        "as if they were written"
    )
    assert paginate(text, marked)[-1][1] == len(text)


def test_marks_take_the_place_of_newlines_in_flowing_text() -> None:
    spec = dataclasses.replace(FULL, whitespace="flow", newline_marks=True)
    (page,) = lines_of("one\n\ntwo\nthree", spec)
    assert len(page) == 1


@settings(max_examples=100, deadline=None)
@given(TEXTS, st.sampled_from(["keep", "flow"]))
def test_marked_newlines_change_no_span_rule(text: str, whitespace: str) -> None:
    spec = dataclasses.replace(SMALL, whitespace=whitespace, newline_marks=True)
    spans = paginate(text, spec)
    assert spans[0][0] == 0 and spans[-1][1] == len(text)
    assert all(one[1] == two[0] for one, two in itertools.pairwise(spans))


@pytest.mark.parametrize("markup", ["plain", "markdown"])
def test_the_last_frame_is_cropped_to_its_text(markup: str) -> None:
    spec = dataclasses.replace(FULL, markup=markup, footer="{page}")
    whole = render_text(LINES, spec)
    cropped = render_text(LINES, dataclasses.replace(spec, crop_last=True))
    assert [f.tobytes() for f in whole[:-1]] == [f.tobytes() for f in cropped[:-1]]
    last = cropped[-1]
    assert last.width == 448 and last.height < 448
    n_text = area_of(spec).tall_px - (448 - last.height)
    assert (np.asarray(last)[: 20 + n_text] == np.asarray(whole[-1])[: 20 + n_text]).all()
    assert (np.asarray(last)[-50:] == np.asarray(whole[-1])[-50:]).all(), "the footer moves up"
    assert spec.crop_last is False


@pytest.mark.parametrize("kind", ["png", "webp", "jpeg"])
@pytest.mark.parametrize("colors", [None, ("#10182b", "#fff8e7")])
def test_a_cropped_page_is_whole_again_out_of_its_file(kind, colors, tmp_path) -> None:
    spec = RenderSpec(crop_last=True, colors=colors, paper_gray=240)
    page = render_text("A few words.", spec)[0]
    page.save(tmp_path / f"page.{kind}")
    with Image.open(tmp_path / f"page.{kind}") as read:
        for seen in (read, read.convert("RGB"), pickle.loads(pickle.dumps(read))):
            assert seen.height == page.height < 448
            whole = whole_page(seen)
            assert whole.size == (448, 448)
            below, above = np.asarray(whole.convert("RGB"), int)[[440, 3], 3]
            assert abs(below - above).max() <= 3  # JPEG and WebP lose a little
    plain = render_text("A few words.", dataclasses.replace(spec, crop_last=False))[0]
    plain.save(tmp_path / f"plain.{kind}")
    with Image.open(tmp_path / f"plain.{kind}") as read:
        assert whole_page(read) is read


def test_a_cropped_page_is_whole_again_out_of_a_dataset(tmp_path) -> None:
    value = {"text": LINES, "spec": RenderSpec(crop_last=True).stored()}
    rows = Dataset.from_list([{"images": value}], features=Features({"images": Frames()}))
    wanted = len(render_text(LINES))
    pictures = Features({"seen": Sequence(DatasetsImage())})
    mapped = rows.map(
        lambda row: {"seen": list(row["images"])}, remove_columns="images", features=pictures
    )
    mapped.save_to_disk(tmp_path)
    for rows in (mapped, load_from_disk(tmp_path)):
        seen = rows[0]["seen"]
        assert len(seen) == wanted and seen[-1].height < 448
        assert all(whole_page(each).size == (448, 448) for each in seen)


def test_a_cropped_page_equals_its_pixels() -> None:
    page = render_text("A few words.", RenderSpec(crop_last=True))[0]
    same = Image.frombytes(page.mode, page.size, page.tobytes())
    assert page == same and same == page and page.copy() == page and page != same.point(lambda v: 9)

"""Marked-up text: every letter of it drawn, every page's span in its source, every style seen."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t2vid.errors import InputError
from t2vid.frames.fonts import BUNDLED, STYLED, stack
from t2vid.frames.highlighting import highlighted
from t2vid.frames.markup import markdown_blocks
from t2vid.frames.render import count_frames, iter_frames, render_text
from t2vid.frames.render_spec import RenderSpec
from t2vid.frames.text import paginate
from t2vid.frames.typeface import INVISIBLE

MARKDOWN = RenderSpec(markup="markdown", words_per_frame=None, on_missing="escape")
CODE = dataclasses.replace(MARKDOWN, markup="code")
SMALL = {"width": 150, "height": 110, "margin_px": 5, "font_px": 14}
SPECS = [
    MARKDOWN,
    CODE,
    dataclasses.replace(MARKDOWN, **SMALL),
    dataclasses.replace(MARKDOWN, words_per_frame=3),
    dataclasses.replace(MARKDOWN, columns=2, align="center", font="serif"),
    dataclasses.replace(CODE, **SMALL),
]
DOCUMENT = """# A *title*

Some **bold**, *italic*, ~~struck~~ and `code span` text; a [link](http://x.y "t") and a&amp;b \\*.

> quoted
> > twice

- one
  1. two
- [ ] three

```python
def f(x):  # why
\treturn "text"
```

| name | value |
|:-----|------:|
| a    | **2** |

---
<b>html</b> ![alt text](picture.png)
"""
# what Markdown is made of, so that chance meets its rules
PIECES = st.sampled_from(
    ["*", "**", "_", "`", "```", "~~", "#", "> ", "- ", "1. ", "\n", "\n\n", "    ", "| a | b |\n|-|-|\n",
     "[x](y)", "[x]: y\n", "![i](j)", "<b>", "&amp;", "\\", "\r\n", "\t", "word", "longer words ", "a", " ",
     "\u05d0\u05d1 ", "\u0645\u0631", "\u4e2d", "\U0001f600", "\x00", "\u2028", "---\n", "```py\n", "|", "\x0b"]
)  # fmt: skip


def visible(text: str) -> str:
    return "".join(c for c in text if not c.isspace() and c not in INVISIBLE)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see\n      # not a heading\n      - nor a list\n2. nor this\nend", "# not a heading"),
        ("> see\n>     1. one\n> 2. two\nend", "2. two"),
        ("- see\n      # more\n      3. three # more", "3. three # more"),
        ("# | name\n--|--\n- | b\n", "#"),
        ("an <http://example.com/%CE%B1> and\nmore", "more"),
        ("| a |\n|---|\n| b\\|c |\n", "b|c"),
    ],
)
def test_text_that_looks_like_markup_keeps_its_place(text: str, shown: str) -> None:
    parts = [
        part
        for block in markdown_blocks(text)
        for cell in (block.cells or [block.parts])
        for part in cell
    ]
    (found,) = [part for part in parts if part.text == shown]
    assert text[found.start : found.end].replace("\\", "") == shown
    assert all(part.start < part.end for part in parts)
    assert [part.start for part in parts] == sorted(part.start for part in parts)


@settings(max_examples=400, deadline=None)
@given(
    st.one_of(st.lists(PIECES, min_size=1, max_size=40).map("".join), st.text(max_size=120)).filter(
        lambda text: bool(visible(text.replace("\u2800", "")))
    ),
    st.sampled_from(SPECS),
)
def test_spans_rebuild_any_marked_up_text(text: str, spec: RenderSpec) -> None:
    spans = paginate(text, spec)
    assert spans[0][0] == 0 and spans[-1][1] == len(text)
    assert all(a[1] == b[0] for a, b in itertools.pairwise(spans))
    assert all(start < end for start, end in spans)
    if spec.words_per_frame:
        assert len(spans) >= 1


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, min_size=1, max_size=40).map("".join).filter(visible))
def test_every_part_knows_its_place_in_the_source(text: str) -> None:
    for block in markdown_blocks(text):
        for part in itertools.chain(block.parts, *block.cells):
            assert 0 <= part.start <= part.end <= len(text)
            if part.text.strip() and part.end - part.start == len(part.text) > 1:
                source = text[part.start : part.end].replace("\0", "\ufffd")
                assert source == part.text.replace("\0", "\ufffd")


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["**bold**", "*it*", "word", "`code`", "[l](u)", "~~s~~", "a\\*b", "x&lt;y"]
        ),
        min_size=1,
        max_size=30,
    ),
    st.sampled_from([" ", "\n", "\n\n", "\n> ", "\n- ", "\n\n1. "]),
)
def test_every_word_is_shown_once(words: list[str], between: str) -> None:
    shown = {"**bold**": "bold", "*it*": "it", "`code`": "code", "[l](u)": "l", "~~s~~": "s"}
    wanted = [{**shown, "a\\*b": "a*b", "x&lt;y": "x<y"}.get(word, word) for word in words]
    parts = [
        "".join(part.text for part in block.parts) for block in markdown_blocks(between.join(words))
    ]
    assert " ".join(parts).replace("\n", " ").split() == wanted


def test_code_is_kept_to_the_letter() -> None:
    code = "def f(x):\r\n\tif x:\n        return 'a'  # why\n\n\nprint(f(1))\n"
    parts = highlighted(code.replace("\r\n", "\n"), "python")
    assert "".join(part.text for part in parts) == code.replace("\r\n", "\n")
    kinds = {part.text: part.kind for part in parts}
    assert kinds["def"] == "keyword" and kinds["# why"] == "comment" and kinds["1"] == "number"
    assert any(part.kind for part in highlighted(code.replace("\r", "") * 3, None)), (
        "the language is guessed"
    )
    assert not any(part.kind for part in highlighted("It was a dark night in the harbour.", None))


@pytest.mark.parametrize("name", ["code_language", "markup"])
def test_an_unknown_language_or_markup_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=rf"{name} \('klingon'\)"):
        RenderSpec(**{"markup": "code", name: "klingon"})
    with pytest.raises(InputError, match="is for markup 'code', not 'markdown'"):
        RenderSpec(markup="markdown", code_language="python")


def ink(text: str, **fields: object) -> np.ndarray:
    spec = dataclasses.replace(MARKDOWN, **fields)
    return 255 - np.asarray(render_text(text, spec)[0].convert("L")).astype(int)


def test_each_style_changes_what_is_seen() -> None:
    plain = ink("word and more")
    forms = ["**word** and more", "*word* and more", "`word` and more", "~~word~~ and more",
             "[word](u) and more", "# word and more", "> word and more", "- word and more"]  # fmt: skip
    drawn = [ink(form) for form in forms]
    for one, two in itertools.combinations([plain, *drawn], 2):
        assert (one != two).any()
    assert drawn[0].sum() > 1.1 * plain[:, :60].sum(), "bold is darker"
    rows = np.flatnonzero(drawn[5].any(axis=1))
    assert rows[-1] - rows[0] > 1.3 * np.ptp(np.flatnonzero(plain.any(axis=1))), (
        "headings are larger"
    )
    left = [np.flatnonzero((form > 128).any(axis=0))[0] for form in (plain, *drawn[6:])]
    assert left[0] < left[2] and (drawn[6][:, :40] > 0).any()


@pytest.mark.parametrize(
    "script", ["\u0645\u0631\u062d\u0628\u0627", "\u05e9\u05dc\u05d5\u05dd", "\u0e2a\u0e27"]
)
def test_a_script_without_a_bold_face_is_drawn_bolder(script: str) -> None:
    assert ink(f"**{script}**").sum() > 1.05 * ink(script).sum()
    assert (ink(f"*{script}*") != ink(script)).any()


@pytest.mark.parametrize("family", ["sans", "serif", "mono"])
def test_bold_and_italic_faces_have_the_letters_of_europe(family: str) -> None:
    for (name, style), file in STYLED.items():
        if name == family:
            assert (BUNDLED / file).stat().st_size < 200_000
            for char in "gÆβжő—€":
                assert stack(family, "", style).find(char).path.name == file


@pytest.mark.parametrize("spec", SPECS)
def test_marked_up_pages_keep_their_ink_inside_the_margins(spec: RenderSpec) -> None:
    text = DOCUMENT * 3
    frames = render_text(text, spec)
    assert len(frames) == count_frames(text, spec) > 1
    for frame in frames:
        found = np.argwhere(np.asarray(frame) < 255)
        low, high = found.min(axis=0), found.max(axis=0)
        assert (low >= spec.margin_px).all()
        assert high[0] < spec.height - spec.margin_px and high[1] < spec.width - spec.margin_px
    spans, again = zip(*iter_frames(text, spec), strict=True)
    assert list(spans) == frames.spans
    assert [frame.tobytes() for frame in again] == [frame.tobytes() for frame in frames]


def test_coloured_pages_have_coloured_code_and_links_that_can_be_read() -> None:
    from t2vid.frames.contrast import contrast_ratio
    from t2vid.frames.styles import color_of

    spec = dataclasses.replace(MARKDOWN, colors=("#222222", "#ffffff"))
    (frame,) = render_text("[link](u) and\n\n```python\ndef f():\n    return 1\n```", spec)
    colors = {color for _, color in frame.getcolors(100_000)}
    assert any(max(c) - min(c) > 60 for c in colors), "more than shades of gray"
    for ink_color, paper in (
        ("#222222", "#ffffff"),
        ("#f0f0f0", "#101010"),
        ("#7a1020", "#f0fff4"),
    ):
        for kind in ("link", "keyword", "string", "comment", "number"):
            assert contrast_ratio(color_of(kind, ink_color, paper), paper) >= 4.5


def test_no_page_of_marked_up_text_has_more_words_than_allowed() -> None:
    spec = dataclasses.replace(MARKDOWN, words_per_frame=4)
    text = "one two three four five six\n\n- seven eight\n- nine\n\n| a b c | d e f |\n|-|-|\n| g | h |\n"
    for start, end in paginate(text, spec):
        shown = text[start:end].replace("|", " ").replace("-", " ")
        assert len(shown.split()) <= 4


@pytest.mark.parametrize(
    "text",
    [
        "[a]: b",
        "> " * 200 + "deep",
        "- " * 100 + "deep",
        "\n".join("  " * n + "- x" for n in range(90)),
    ],
)
def test_what_markdown_would_hide_is_drawn_as_written(text: str) -> None:
    blocks = markdown_blocks(text)
    shown = "".join(part.text for block in blocks for part in block.parts)
    assert shown.count("x") == text.count("x") and ("deep" in shown) == ("deep" in text)
    assert any(block.parts for block in blocks)
    assert render_text(text, MARKDOWN)


def test_a_table_too_wide_for_its_frame_loses_no_cell() -> None:
    cells = [f"cell{n}" for n in range(30)]
    text = "|".join(cells) + "\n" + "|".join("-" * 30) + "\n" + "|".join(cells) + "\n"
    frames = render_text(text, MARKDOWN)
    words = [word.text for page in frames.words for word in page if word.text != "|"]
    assert words == cells * 2


@pytest.mark.parametrize("spec", [CODE, MARKDOWN])
def test_blank_lines_between_pages_make_no_frames(spec: RenderSpec) -> None:
    text = "x = 1\n" + "\n" * 500 + "y = 2\n" + "\n" * 500
    spans = paginate(text, spec)
    assert (
        spans[0][0] == 0 and spans[-1][1] == len(text) and len(spans) == (2 if spec is CODE else 1)
    )
    shown = [[word.text for word in page] for page in render_text(text, spec).words]
    assert sum(shown, []) == ["x", "=", "1", "y", "=", "2"]


def test_marked_up_text_of_absurd_length_is_refused() -> None:
    with pytest.raises(InputError, match="6,000,000 characters, more than 5,000,000"):
        paginate("word " * 1_200_000, MARKDOWN)


def _places(text: str, spec: RenderSpec = MARKDOWN) -> dict[str, tuple[int, int, int, int]]:
    return {word.text: word.box for page in render_text(text, spec).words for word in page}


@pytest.mark.parametrize("words", [("שם", "גיל", "דנה"), ("اسم", "عمر", "دانة")])
def test_columns_of_a_table_run_from_where_its_language_begins(words: tuple[str, str, str]) -> None:
    first, second, name = words
    at = _places(f"| {first} | {second} |\n|---|---|\n| {name} | 7 |\n| Tern | 12345 |\n")
    right = 448 - 20
    assert right - 4 < at[first][2] <= right and at[second][2] < at[first][0]
    for below, above in ((name, first), ("Tern", first), ("7", second), ("12345", second)):
        assert abs(at[below][2] - at[above][2]) < 5, below
    latin = _places("| name | age |\n|---|---|\n| Tern | 7 |\n")
    assert latin["name"][2] < latin["age"][0] and abs(latin["Tern"][0] - latin["name"][0]) < 5


def test_an_item_in_another_language_stands_in_its_list() -> None:
    at = _places("- עברית\n- English\n  - nested\n\nText")
    assert all(at[word][0] > 300 for word in ("עברית", "English", "nested")) and at["Text"][0] < 30
    at = _places("- English\n- more\n")
    assert all(at[word][0] < 60 for word in ("English", "more"))


def test_code_begins_at_the_left_whatever_its_comments_are_written_in() -> None:
    for text, spec in (("```\n# הערה\n```", MARKDOWN), ("# הערה\nx = 1\n", CODE)):
        assert _places(text, spec)["#"][0] < 40


def test_cells_of_a_row_share_their_baseline() -> None:
    at = _places("| a | b |\n|--|--|\n| `x` | x2 |\n| x3 | `y` |\n")
    assert abs(at["x"][3] - at["x2"][3]) <= 1


@pytest.mark.parametrize("text", ["- אב\n- Latin גד הו\n", "| אב |\n|--|\n| Latin גד הו |\n"])
def test_an_item_or_cell_that_begins_with_a_foreign_word_reads_as_the_others(text: str) -> None:
    at = _places(text)
    assert at["Latin"][0] > at["גד"][0] > at["הו"][0]

"""Word boxes: their text is the source's, and they are as tight as the ink."""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from t2vid.errors import InputError
from t2vid.frames.framelist import FrameList
from t2vid.frames.render import render_text
from t2vid.frames.render_spec import RenderSpec
from t2vid.frames.typeface import INVISIBLE
from t2vid.frames.words import words_of

FULL = RenderSpec(words_per_frame=None)
SPECS = [
    RenderSpec(),
    RenderSpec(words_per_frame=3, align="center", width=200, height=120, font="mono"),
    dataclasses.replace(FULL, whitespace="flow", font="serif", header="{page}/{pages}", columns=2, font_px=14),
    dataclasses.replace(FULL, width=120, height=90, margin_px=5, font_px=16, overlap_lines=1),
    dataclasses.replace(FULL, markup="markdown"),
    dataclasses.replace(FULL, markup="code", width=200, height=150),
]  # fmt: skip
WORDS = [
    "word", "a", "well-known", "(2024)", "12:30", "\u05e9\u05dc\u05d5\u05dd", "\u0645\u0631\u062d\u0628\u0627",
    "iPhone-15", "\u0928\u092e\u0938\u094d\u0924\u0947", "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35", "e\u0301\u0302",
    "\u00ab", "\u00bb", "http://x.y/z", "Ωμέγα", "f(x)", "sesquipedalianism" * 3,
]  # fmt: skip
BLANKS = [" ", "  ", "\n", "\t", "\u00a0", "\u3000", "\n\n"]
TEXTS = st.lists(
    st.tuples(st.sampled_from(WORDS), st.sampled_from(BLANKS)), min_size=1, max_size=40
)
# paragraphs of one script and several lines, which the layout fills by a way of its own
SCRIPTS = {
    "Latin": "the red boat leaves harbour",
    "Hebrew": "\u05e1\u05e4\u05d9\u05e0\u05d4 \u05d0\u05d3\u05d5\u05de\u05d4 \u05e8\u05e9\u05ea\u05d5\u05ea",
    "Arabic": "\u0633\u0627\u062f \u0627\u0644\u0647\u062f\u0648\u0621 \u0643\u0627\u0633\u0627 \u0648\u0644\u0627",
    "Cyrillic": "\u0441\u0442\u0430\u0440\u0430\u044f \u0433\u0430\u0432\u0430\u043d\u044c \u0431\u044b\u043b\u0430",
}  # fmt: skip
PARAGRAPHS = st.sampled_from(list(SCRIPTS.values())).flatmap(
    lambda words: st.lists(st.sampled_from(words.split()), min_size=12, max_size=60).map(" ".join)
)


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(TEXTS.map(lambda pairs: "".join(word + blank for word, blank in pairs)), PARAGRAPHS),
    st.sampled_from(SPECS),
)
def test_boxes_hold_the_words_of_the_source_and_lie_on_ink(text: str, spec: RenderSpec) -> None:
    frames = render_text(text, spec)
    words = frames.words
    assert len(words) == len(frames)
    seen = {}
    for frame, (start, end), page in zip(frames, frames.spans, words, strict=True):
        ink = np.asarray(frame) < 255
        for word in page:
            assert text[slice(*word.span)] == word.text and not word.text.isspace()
            assert start <= word.span[0] < word.span[1] <= end
            left, top, right, bottom = word.box
            box = ink[top:bottom, left:right]
            assert box.shape == (bottom - top, right - left)
            assert box[0].any() and box[-1].any() and box[:, 0].any() and box[:, -1].any()
            seen[word.span] = word.text
    shown = "".join(seen[span] for span in sorted(seen))
    assert shown == "".join(text.split()), "every word, once, in order"


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("font", ["sans", "serif", "mono"])
def test_each_line_begins_where_its_script_does(script: str, font: str) -> None:
    text = " ".join([SCRIPTS[script]] * 12)
    (frame,) = frames = render_text(text, dataclasses.replace(FULL, font=font))
    ink = np.asarray(frame) < 255
    boxes = [word.box for word in frames.words[0]]
    ends = [0, *(n for n in range(1, len(boxes)) if abs(boxes[n][0] - boxes[n - 1][0]) > 200)]
    assert len(ends) > 3
    backward = script in ("Hebrew", "Arabic")
    edges = {boxes[n][2 if backward else 0] for n in ends}
    assert max(edges) - min(edges) <= 6, "lines begin at one margin"
    for left, top, right, bottom in boxes:
        box = ink[top:bottom, left:right]
        assert box[:, 0].any() and box[:, -1].any(), "and words are drawn where they are said to be"


def test_words_of_markdown_are_without_markup() -> None:
    text = "# A **b**old\n\n- [link](http://x.y), x &lt; y and un**der**ground\n\n|a|`b`|\n|-|-|\n|c d|e|\n"
    (page,) = render_text(text, SPECS[4]).words
    shown = ["A", "bold", "link,", "x", "<", "y", "and", "underground", "a", "b", "c", "d", "e"]
    assert [word.text for word in page] == shown
    assert text[slice(*page[7].span)] == "un**der**ground"
    assert text[slice(*page[4].span)] == "&lt;"


def test_a_word_over_two_lines_has_a_box_on_each() -> None:
    words = render_text("x" * 60, RenderSpec()).words[0]
    assert len(words) == 2 and "".join(word.text for word in words) == "x" * 60
    assert words[0].box[3] <= words[1].box[1]


@pytest.mark.parametrize("seed", range(4))
def test_boxes_follow_a_page_that_is_skewed(seed: int) -> None:
    text = "Some words of a page that somebody photographed. " * 6
    spec = RenderSpec(wear=0.9, wear_seed=seed)
    for frame, page in zip(render_text(text, spec), render_text(text, spec).words, strict=True):
        gray = np.asarray(frame.convert("L"), float)
        outside = np.ones(gray.shape, bool)
        for word in page:
            left, top, right, bottom = word.box
            outside[top - 2 : bottom + 2, left - 2 : right + 2] = False
            assert gray[top:bottom, left:right].min() < 120
        assert np.percentile(gray[outside], 0.5) > 120, "no letters beside the boxes"


def test_words_are_known_of_rows_and_of_the_leading_frames() -> None:
    frames = pickle.loads(
        pickle.dumps(render_text("one two three", RenderSpec(words_per_frame=1), max_frames=2))
    )
    assert [[word.text for word in page] for page in frames.words] == [["one"], ["two"]]
    assert [(n, word.text) for n, word in words_of(frames.words, (5, 9))] == [(1, "two")]
    with pytest.raises(InputError, match="of frames that a text was drawn on"):
        _ = FrameList([Image.new("L", (8, 8))]).words
    with pytest.raises(InputError, match="the paper's layout draws word tokens"):
        _ = render_text("Words.", RenderSpec.paper()).words


def test_what_has_no_ink_has_no_box() -> None:
    (page,) = render_text("a \u200b b\u200bc", RenderSpec()).words
    assert [word.text for word in page] == ["a", "b\u200bc"] and "\u200b" in INVISIBLE

"""Pages cut a text without losing or doubling anything, in every script."""

from __future__ import annotations

import dataclasses
import itertools
import math
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t2vid.errors import InputError, MissingGlyphs
from t2vid.frames.render import count_frames, fit, iter_frames, render_text
from t2vid.frames.render_spec import RenderSpec
from t2vid.frames.segmentation import graphemes
from t2vid.frames.text import iter_pages, paginate
from t2vid.frames.typeface import INVISIBLE


def is_visible(text: str) -> bool:
    return any(not c.isspace() and c not in INVISIBLE and c != "\u2800" for c in text)


# both directions, their controls, brackets, every newline, tabs, marks, emoji, no blank for a while
BOTH_WAYS = (
    "\u05d0\u05d1\u0645\u0631\u064bab12 (())\n\r\u2028\t"
    "\u200f\u202e\u2067\u2069\u202c\u0301\U0001f600\u4e2d\u3002"
)
VISIBLE = st.one_of(
    st.text(min_size=1, max_size=300), st.text(BOTH_WAYS, min_size=1, max_size=200)
).filter(is_visible)
SPECS = [
    RenderSpec(words_per_frame=3, on_missing="escape"),
    RenderSpec(width=96, height=96, margin_px=8, font_px=16, on_missing="escape"),
    RenderSpec(whitespace="flow", font="mono", on_missing="escape"),
    RenderSpec(whitespace="flow", width=99, height=99, margin_px=6, on_missing="escape"),
    RenderSpec.paper(),
]
SCRIPTS = {
    "latin": "The quick brown fox — “jumps” over naïve façades; don't! ",
    "greek": "Η γρήγορη καφέ αλεπού, Ὀδυσσεύς πολύτροπος. ",
    "cyrillic": "Съешь же ещё этих мягких французских булок. ",
    "arabic": "الثعلب البني السريع يقفز في 2024 (15) و iPhone واحد. ",
    "hebrew": "השועל החום המהיר קופץ בשנת 2024 (15) ו-iPhone אחד. ",
    "devanagari": "तेज़ भूरी लोमड़ी क्षत्रिय विद्यार्थी श्रृंखला। ",
    "thai": "สุนัขจิ้งจอกสีน้ำตาลกระโดดข้ามสุนัขขี้เกียจ ",
    "math": "∑ x² ≤ ∞, arrows → ⇒ ✓ ★ √2 ≠ ∫ ",
    "marks": "e\u0301 a\u0308\u0304 o\u0302\u0301\u0323 ",
}


def assert_rebuilds(text: str, spans: list[tuple[int, int]]) -> None:
    assert spans[0][0] == 0 and spans[-1][1] == len(text)
    assert all(a[1] == b[0] for a, b in itertools.pairwise(spans))
    assert all(start < end for start, end in spans)


@settings(max_examples=300, deadline=None)
@given(VISIBLE, st.sampled_from(SPECS))
def test_pages_rebuild_any_text(text: str, spec: RenderSpec) -> None:
    assert_rebuilds(text, paginate(text, spec))


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.parametrize("spec", [RenderSpec(words_per_frame=5), RenderSpec(width=128, height=128)])
def test_pages_rebuild_every_script_and_no_grapheme_is_split(name: str, spec: RenderSpec) -> None:
    text = (SCRIPTS[name] * 6 + "\n\n") * 3 + "mixed with English: " + SCRIPTS[name]
    spans = paginate(text, spec)
    assert_rebuilds(text, spans)
    edges = set(itertools.accumulate((len(cluster) for cluster in graphemes(text)), initial=0))
    assert {start for start, _ in spans} <= edges


@given(st.lists(st.sampled_from("ab c\n"), min_size=1, max_size=120).map("".join))
def test_no_page_has_more_words_than_allowed(text: str) -> None:
    if not text.strip():
        return
    for start, end in paginate(text, RenderSpec(words_per_frame=4)):
        assert len(text[start:end].split()) <= 4


def test_a_page_spills_when_its_lines_are_full() -> None:
    text = "line\n" * 100
    spec = RenderSpec()
    assert all(text[a:b].count("\n") <= 448 // 20 for a, b in paginate(text, spec))
    assert len(paginate(text, spec)) > 4


def test_flow_fills_lines_and_an_empty_line_ends_a_paragraph() -> None:
    text = "one\ntwo\nthree\n\nfour"
    keep, flow = (
        sum(len(page.lines) for page in iter_pages(text, RenderSpec(whitespace=mode)))
        for mode in ("keep", "flow")
    )
    assert (keep, flow) == (5, 2)


@pytest.mark.parametrize(
    "text",
    ["", " ", "\n\t \u2003\r\n", "\u200b", "\ufeff \n\u2060", "\ufe0f", "\u3164", "\U000e0041"],
)
@pytest.mark.parametrize("spec", [RenderSpec(), RenderSpec.paper()])
def test_a_blank_text_is_refused(text: str, spec: RenderSpec) -> None:
    with pytest.raises(InputError, match="blank"):
        paginate(text, spec)


@pytest.mark.parametrize(
    ("char", "words"),
    [
        ("\x00", "U\\+0000 is a control character"),
        ("\ud800", "lone surrogate"),
        ("\ue000", "private-use"),
        ("\u0378", "U\\+0378 is no assigned character"),
    ],
)
def test_a_character_without_a_font_is_named_with_the_next_move(char: str, words: str) -> None:
    with pytest.raises(MissingGlyphs, match=words) as caught:
        paginate(f"fine {char} fine", RenderSpec())
    assert 'on_missing="escape"' in str(caught.value)
    escaped = RenderSpec(on_missing="escape")
    assert_rebuilds(f"fine {char} fine", paginate(f"fine {char} fine", escaped))


@pytest.mark.parametrize("text", ["a\x1d", "a\x1c b", "a\x1f\nb"])
def test_no_separator_vanishes_from_flowing_text(text: str) -> None:
    with pytest.raises(MissingGlyphs, match="is a control character"):
        paginate(text, RenderSpec(whitespace="flow"))


def test_a_mark_on_a_letter_of_another_font_is_drawn() -> None:
    plain, marked = (render_text(text)[0].tobytes() for text in ("a x", "a\u0902 x"))
    assert plain != marked  # Devanagari's dot above a Latin letter: no font has both
    assert not render_text("a\u0902", RenderSpec(on_missing="escape")).missing


def test_more_than_fifty_million_characters_are_refused() -> None:
    with pytest.raises(InputError, match="50,000,001"):
        paginate("x" * 50_000_001, RenderSpec())


def test_a_word_of_a_hundred_thousand_characters_is_cut() -> None:
    text = "x" * 100_000
    assert_rebuilds(text, paginate(text, RenderSpec()))


def test_memory_does_not_grow_with_the_text() -> None:
    def peak(n: int) -> int:
        tracemalloc.start()
        for _ in iter_frames("A sentence of seven words is here. " * n):
            pass
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    peak(50)  # fills the caches
    assert peak(4000) < peak(200) + 3_000_000


def test_fit_gives_the_largest_font_that_fits_or_says_what_would() -> None:
    text = "word " * 1500
    spec = fit(text, max_frames=8)
    assert len(paginate(text, spec)) <= 8
    larger = dataclasses.replace(spec, font_px=spec.font_px + 1)
    assert spec.font_px < 20 and len(paginate(text, larger)) > 8
    with pytest.raises(InputError, match=r"max_frames \(2\); allow 4, or make the frames larger"):
        fit(text, max_frames=2)
    assert count_frames(text, fit(text, max_frames=4)) == 4


@settings(max_examples=40)
@given(
    st.lists(st.sampled_from(["word ", "a ", "longer, ", "end.\n", "sesquipedalian "]), min_size=1)
    .map("".join)
    .flatmap(lambda text: st.tuples(st.just(text * 9), st.integers(1, 12), st.integers(1, 90)))
)
def test_what_fit_gives_fits_and_what_it_refuses_does_not(case: tuple[str, int, int]) -> None:
    text, max_frames, words = case
    small = RenderSpec(width=200, height=200, margin_px=10, font_px=16)
    try:
        spec = fit(text, small, max_frames=max_frames)
    except InputError:
        least = dataclasses.replace(small, font_px=12, words_per_frame=None)
        assert count_frames(text, least) > max_frames
    else:
        assert count_frames(text, spec) <= max_frames and 12 <= spec.font_px <= 16
        assert dataclasses.replace(spec, font_px=16, words_per_frame=115) == small
    try:
        spans = paginate(text, fit(text, small, words_per_frame=words))
    except InputError as error:
        assert f"words_per_frame ({words}) lets it have; ask for" in str(error)
    else:
        assert all(len(text[start:end].split()) <= words for start, end in spans)
        assert len(spans) <= max(1, math.ceil(len(text.split()) / words * 1.1))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "max_frames or words_per_frame, and not both"),
        ({"max_frames": 1, "words_per_frame": 1}, "and not both"),
        ({"max_frames": 0}, r"max_frames \(0\)"),
        ({"words_per_frame": -1}, r"words_per_frame \(-1\)"),
        ({"max_frames": 8, "spec": RenderSpec.paper()}, "layout 't2vid'"),
        ({"max_frames": 8, "min_font_px": 21}, "min_font_px"),
    ],
)
def test_fit_refuses_what_makes_no_sense(arguments, words) -> None:
    with pytest.raises(InputError, match=words):
        fit("word " * 100, **arguments)


def test_a_text_of_one_word_in_megabytes_is_cut_without_drawing_it_whole() -> None:
    text = "x1" * 1_000_000
    tracemalloc.start()
    shown = sum(1 for _ in itertools.islice(iter_pages(text, RenderSpec()), 40))
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert shown == 40 and used < 30_000_000
    assert_rebuilds(text[:50_000], paginate(text[:50_000], RenderSpec()))


@pytest.mark.parametrize("blanks", [" ", "\t", "\u3000"])
def test_a_million_blanks_take_no_more_room_than_a_line(blanks: str) -> None:
    text = "one" + blanks * 1_000_000 + "two"
    tracemalloc.start()
    (page,) = iter_pages(text, RenderSpec())
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (page.start, page.end, len(page.lines)) == (0, len(text), 2)
    assert used < 20_000_000


def test_a_word_behind_an_overlong_one_and_a_tab_keeps_its_distance() -> None:
    (page,) = iter_pages("x" * 100 + "\tnext", RenderSpec())
    strips = page.lines[-1].strips
    assert len(strips) == 3 and strips[1].full_px > 0 and not strips[1].fit_px


def test_a_paragraph_of_many_pages_is_ordered_in_portions() -> None:
    text = "ab " + "\u05e9\u05dc\u05d5\u05dd " * 12_000
    spans = paginate(text, RenderSpec())
    assert_rebuilds(text, spans)
    for page in itertools.islice(iter_pages(text, RenderSpec()), 60):
        assert all(
            line.x_px == 0 for line in page.lines
        )  # all of it reads as its first letter does


def test_flowing_text_is_ordered_as_kept_text_is() -> None:
    # one line holds it, so that the line break is the only difference
    kept, flowed = (
        render_text(text, RenderSpec(whitespace=mode))[0].tobytes()
        for text, mode in (
            ("\u05e9\u05dc \u05d5\u05dd ab", "keep"),
            ("\u05e9\u05dc \n\u05d5\u05dd\r\nab", "flow"),
        )
    )
    assert kept == flowed
    lines = [
        len(page.lines)
        for page in iter_pages(
            "\u05e9\n\u05dc\n \n\u05d5\r\nab\n\nab", RenderSpec(whitespace="flow")
        )
    ]
    assert lines == [3]


def test_tabs_keep_their_width_in_lines_that_read_both_ways() -> None:
    def width(text: str) -> int:
        (page,) = iter_pages(text, RenderSpec())
        return sum(strip.full_px for strip in page.lines[0].strips)

    assert width("ab\t\u05d0") >= width("ab\u05d0") + 10


def test_blank_lines_between_pages_make_no_frames() -> None:
    text = "one" + "\n" * 500 + "two" + " \n" * 500
    spans = paginate(text, RenderSpec())
    assert_rebuilds(text, spans)
    assert len(spans) == 2
    assert len(paginate("\n" * 500 + "one", RenderSpec())) == 2  # one blank frame says so


def test_an_error_names_what_is_missing_in_the_whole_text_at_once() -> None:
    text = "\ue000 first\n" + "word " * 400 + "\x1b[0m \U0010fffd\x07 end"
    with pytest.raises(MissingGlyphs) as caught:
        paginate(text, RenderSpec())
    said = str(caught.value)
    assert "U+E000 and 1 more is a private-use" in said and "U+001B and 1 more is a control" in said

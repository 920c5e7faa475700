"""Pages cut a text without losing or doubling anything, in every script."""

from __future__ import annotations

import itertools
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t2vid.errors import InputError, MissingGlyphs
from t2vid.frames.fonts import INVISIBLE
from t2vid.frames.render import count_frames, fit, iter_frames, render_text
from t2vid.frames.shaping import graphemes
from t2vid.frames.spec import RenderSpec
from t2vid.frames.text import iter_pages, paginate



def is_visible(text: str) -> bool:
    return any(not c.isspace() and c not in INVISIBLE and c != "\u2800" for c in text)


VISIBLE = st.text(min_size=1, max_size=300).filter(is_visible)
SPECS = [
    RenderSpec(words_per_frame=3, on_missing="escape"),
    RenderSpec(width=96, height=96, margin_px=8, font_px=16, on_missing="escape"),
    RenderSpec(whitespace="flow", font="mono", on_missing="escape"),
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


@settings(max_examples=200, deadline=None)
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
    with pytest.raises(InputError, match="default layout"):
        fit(text, max_frames=8, spec=RenderSpec.paper())
    with pytest.raises(InputError, match="allow [0-9]+ frames"):
        fit(text, max_frames=2)


def test_blank_lines_between_pages_make_no_frames() -> None:
    text = "one" + "\n" * 500 + "two" + " \n" * 500
    spans = paginate(text, RenderSpec())
    assert_rebuilds(text, spans)
    assert len(spans) == 2
    assert len(paginate("\n" * 500 + "one", RenderSpec())) == 2  # one blank frame says so

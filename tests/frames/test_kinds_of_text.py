"""Kinds of text that once came out wrong: tabs, controls in both directions, marks, grids, languages."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t2vid.errors import MissingGlyphs
from t2vid.frames.coverage import covering
from t2vid.frames.direction import is_backward, reads_rtl, visual_order
from t2vid.frames.font_advice import describe_missing, font_coverage
from t2vid.frames.font_folders import font_folders, system_fonts
from t2vid.frames.fonts import guess_lang, stack
from t2vid.frames.grid import arms
from t2vid.frames.render import render_text
from t2vid.frames.render_spec import RenderSpec
from t2vid.frames.segmentation import line_pieces
from t2vid.frames.text import iter_pages, paginate

ESCAPE = RenderSpec(on_missing="escape")


def ink(text: str, spec: RenderSpec = ESCAPE) -> np.ndarray:
    return np.argwhere(np.asarray(render_text(text, spec)[0].convert("L")) < 160)


def left_px(text: str, spec: RenderSpec = ESCAPE) -> int:
    return int(ink(text, spec)[:, 1].min())


@pytest.mark.parametrize("char", list("})]\"/.-,:;!?%x*'") + ["»", "…", "ー"])
@pytest.mark.parametrize("font", ["sans", "mono"])
def test_a_tab_is_a_tab_before_any_character(char: str, font: str) -> None:
    spec = RenderSpec(font=font, on_missing="escape")
    bare = left_px(char, spec)
    stops = [left_px("\t" * n + char, spec) - bare for n in (1, 2, 3)]
    assert stops == [left_px("\t" * n + "x", spec) - left_px("x", spec) for n in (1, 2, 3)]
    assert left_px("  \t" + char, spec) - bare == stops[0]


def test_cells_of_a_table_stand_at_tab_stops() -> None:
    (page,) = iter_pages("a\tb\t/c\t)d\t-e\nil\tb\t/c\t)d\t-e", RenderSpec())
    ends = [
        list(itertools.accumulate(strip.full_px for strip in line.strips)) for line in page.lines
    ]
    assert ends[0][1::2] == ends[1][1::2]


SEPARATORS = "\x1c\x1d\x1e\x1f\x00\x07\x7f\x84\x9f"
CONTROLS = "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@pytest.mark.parametrize("char", [*SEPARATORS, *CONTROLS, "\u2029", "\x85", "\x0b", "\x0c", "\r"])
def test_controls_of_every_class_are_drawn_in_both_directions(char: str) -> None:
    for before, after in itertools.product(("\u05d0", "\u0627", "a", "1", " "), repeat=2):
        text = f"{before}{char}{after}\u05d1{char}{char}x\u0628"
        spans = paginate(text, ESCAPE)
        assert spans[0][0] == 0 and spans[-1][1] == len(text)
        assert sorted(visual_order(text).line(0, len(text))) == list(range(len(text)))


@pytest.mark.parametrize("char", SEPARATORS)
def test_what_is_drawn_as_its_number_is_counted(char: str) -> None:
    assert render_text(f"a{char}b{char}", ESCAPE).missing == {char: 2}
    assert font_coverage(f"a{char}b").missing == {char: 1}


def test_an_escape_reads_from_left_to_right_in_hebrew() -> None:
    hebrew = render_text("\u05d0\x1c", ESCAPE)[0]
    alone = ink("U+001C")
    found = np.asarray(hebrew)[:, : ink("\u05d0\x1c")[:, 1].max()] < 160
    width = alone[:, 1].max() - alone[:, 1].min() + 1
    left = np.argwhere(found)[:, 1].min()
    drawn = found[:, left : left + width]
    wanted = np.asarray(render_text("U+001C", ESCAPE)[0])[:, alone[:, 1].min() :][:, :width] < 160
    assert (drawn == wanted).all()


@pytest.mark.parametrize("font", ["sans", "serif", "mono"])
@pytest.mark.parametrize(
    "cluster",
    ["\u0430\u0301", "w\u0325", "x\u0301", "q\u0303", "\u03bb\u0302", "1\u0301", "\u0436\u0308"],
)
def test_a_mark_stands_at_its_letter_in_every_family(font: str, cluster: str) -> None:
    spec = RenderSpec(font=font, font_px=40)
    letter, both = ink(cluster[0], spec), ink(cluster, spec)
    face = stack(font).find(cluster)
    if face is stack(font).primary:  # the letter itself is the same
        assert both[:, 1].max() <= letter[:, 1].max() + 4
    rows = np.unique(both[:, 0])
    gaps = np.flatnonzero(np.diff(rows) > 1)
    assert len(gaps), "the mark stands clear of its letter, above or below"
    upper = both[both[:, 0] <= rows[gaps[0]]]
    lower = both[both[:, 0] > rows[gaps[0]]]
    middles = [(part[:, 1].min() + part[:, 1].max()) / 2 for part in (upper, lower)]
    assert abs(middles[0] - middles[1]) <= 5


def test_a_full_page_takes_no_part_of_a_piece_with_tabs() -> None:
    text = "one two\n\t}\n\t} three\n"
    spans = paginate(text, RenderSpec(words_per_frame=2))
    assert [text[start:end] for start, end in spans] == ["one two\n", "\t}\n\t} ", "three\n"]


@pytest.mark.parametrize(
    "text",
    [
        "\u05d0\u05d1 [1] (x) +966-11-555 12:30 a/b \u05d2\u05d3 v1.2-rc " * 9,
        "\u0645\u0631\u062d\u0628\u0627 [1] +966-11-555 (2024) 50% \u0648iPhone-15 " * 9,
    ],
)
@pytest.mark.parametrize("width", [150, 170, 200])
def test_lines_in_both_directions_break_only_where_unicode_allows(text: str, width: int) -> None:
    spec = RenderSpec(width=width, height=60, margin_px=4, words_per_frame=None)
    allowed = set(itertools.accumulate(map(len, line_pieces(text)), initial=0))
    starts = {start for start, _ in paginate(text, spec)}
    assert len(starts) > 3 and starts <= allowed


def test_a_language_is_guessed_and_may_be_given() -> None:
    assert guess_lang("\u76f4\u3072") == "ja" and guess_lang("\u76f4\ud55c") == "ko"
    assert guess_lang("\u9019\u500b\u76f4") == "zh-hant" and guess_lang("\u8fd9\u4e2a") == "zh-hans"
    assert guess_lang("plain") == ""
    if "NotoSansCJK-Regular.ttc" not in system_fonts():
        pytest.skip("no Noto CJK here")
    forms = {
        lang: render_text("\u76f4\u9aa8\u4ee4", RenderSpec(lang=lang))[0].tobytes()
        for lang in ("ja", "ko", "zh-Hans", "zh-Hant", None)
    }
    assert forms["ja"] != forms["zh-Hans"] != forms["zh-Hant"]
    assert forms[None] == forms["zh-Hans"]
    kana = render_text("\u76f4\u3072")[0].tobytes()
    assert kana == render_text("\u76f4\u3072", RenderSpec(lang="ja"))[0].tobytes()


def test_a_variation_sequence_is_honoured() -> None:
    if "NotoSansCJK-Regular.ttc" not in system_fonts():
        pytest.skip("no Noto CJK here")
    plain, varied = (
        render_text(text, RenderSpec(lang="ja"))[0].tobytes()
        for text in ("\u845b", "\u845b\U000e0100")
    )
    other = render_text("\u845b\U000e0101", RenderSpec(lang="ja"))[0].tobytes()
    assert len({plain, varied, other}) == 2


MONO = RenderSpec(font="mono", on_missing="escape")


@pytest.mark.parametrize("char", list("┌━╋╔╬╭╯│█▓▌▁⠿→⇒✓éжλאß") + ["a\u0301", "\u0430\u0301"])
def test_every_narrow_character_takes_one_cell(char: str) -> None:
    plain = left_px("x" * 4 + "|", MONO)
    assert ink("x" * 3 + char + "|", MONO)[:, 1].max() - ink("xxxx|", MONO)[:, 1].max() == 0
    assert plain


@pytest.mark.parametrize("char", list("中한あＡ"))
def test_every_wide_character_takes_two_cells(char: str) -> None:
    if "NotoSansCJK-Regular.ttc" not in system_fonts():
        pytest.skip("no Noto CJK here")
    assert ink("x" + char + "|", MONO)[:, 1].max() == ink("xxx|", MONO)[:, 1].max()


def test_boxes_and_blocks_meet_above_and_beside() -> None:
    gray = np.asarray(render_text("██\n██\n┃\n┃\n━━━", MONO)[0])
    assert (gray[20:66, 20:44] == 0).all()
    assert (gray[66:112].min(axis=1) == 0).all()
    assert arms("VERTICAL DOUBLE AND RIGHT SINGLE") == {"U": "DOUBLE", "D": "DOUBLE", "R": "SINGLE"}


def test_advice_names_every_script_and_what_is_in_the_packages() -> None:
    told = describe_missing("\u07ca\u0f40\U00013000\x00")
    assert "apt-get install fonts-noto-core" in told
    for part in ("NotoSansNKo-Regular.ttf", "NotoSerifTibetan-Regular.ttf", "Hieroglyphs"):
        assert part in told
    assert "U+0000 is a control character" in told
    assert covering("a") is None and covering("\u4e2d").package == "fonts-noto-cjk"


@pytest.mark.parametrize(
    ("char", "script"), [("\U00011bc0", "Sunu"), ("\U00016d4c", "Krai"), ("\ua7cb", "Latn")]
)
def test_letters_newer_than_pythons_unicode_are_letters(char: str, script: str) -> None:
    advice = describe_missing(char)
    assert f"(script {script})" in advice and "clean" not in advice
    assert "no package of Debian 12" in advice and str(font_folders()[0]) in advice


def test_what_is_newer_than_pythons_unicode_has_its_package_and_its_direction() -> None:
    assert covering("\U00011f45") is not None and covering("\U0001fae8") is not None
    assert covering("\u0378") is None, "Unifont has a box for it, which is no help"
    assert reads_rtl("\U00010d50 a") and not reads_rtl("\U00016d4c \u05d0")


def test_font_folders_follow_links_and_fontconfig(tmp_path, monkeypatch) -> None:
    real = tmp_path / "elsewhere" / "deep"
    real.mkdir(parents=True)
    (real / "NotoSansNKo-Regular.ttf").write_bytes(b"")
    (real / "up").symlink_to(tmp_path / "elsewhere")  # a loop
    data = tmp_path / "data" / "fonts"
    data.mkdir(parents=True)
    (data / "linked").symlink_to(tmp_path / "elsewhere")
    conf = tmp_path / "fonts.conf"
    conf.write_text(
        '<fontconfig><dir prefix="xdg">more</dir><dir>/a/b</dir><dir>~/c</dir></fontconfig>'
    )
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("FONTCONFIG_FILE", str(conf))
    monkeypatch.setenv("HOME", str(tmp_path))
    system_fonts.cache_clear()
    folders = [str(path) for path in font_folders()]
    found = system_fonts()
    system_fonts.cache_clear()
    assert found["NotoSansNKo-Regular.ttf"].is_relative_to(data / "linked")
    for folder in (data, tmp_path / ".fonts", tmp_path / "data/more", "/a/b", tmp_path / "c"):
        assert str(folder) in folders


def test_a_script_without_a_font_is_refused_with_the_package() -> None:
    if stack("sans").find("\u07ca") is not None:
        pytest.skip("a font of the script is here")
    with pytest.raises(MissingGlyphs, match="apt-get install fonts-noto-core"):
        render_text("\u07ca")


def test_coverage_counts_every_visible_character_once(tmp_path) -> None:
    text = "ab \u05d0\u05d1\u05d2\n\u0628\U0010fffd\U0010fffd"
    (tmp_path / "one.txt").write_text(text, encoding="utf-8")
    for what in (text, tmp_path, str(tmp_path), tmp_path / "one.txt"):
        found = font_coverage(what)
        assert found.drawn == {
            "NotoSansHebrew-Regular.ttf": 3,
            "LiberationSans-Regular.ttf": 2,
            "NotoSansArabic-Regular.ttf": 1,
        }
        assert found.missing == {"\U0010fffd": 2} and "private-use" in found.advice


@pytest.mark.parametrize("text", ["\u212b\U000e0100", "\u2126\ufe00", "a\u030a\U000e0101x"])
def test_a_letter_that_the_font_has_composed_only_is_drawn_before_a_selector(text: str) -> None:
    assert ink(text, RenderSpec()).size


@pytest.mark.parametrize("font", ["sans", "mono"])
@pytest.mark.parametrize("inner", ["_| ]\\", "( ( a", "\u00ab b \u00bb"])
def test_a_blank_inside_a_piece_that_is_cut_leaves_no_line_too_wide(font: str, inner: str) -> None:
    spec = RenderSpec(font=font, width=160, height=120, margin_px=6, font_px=15)
    for n in range(6, 24):
        for page in iter_pages("x" * n + inner * 3, spec):
            assert all(line.width_px <= 148 for line in page.lines)
        assert render_text("\u05d0" * n + inner * 3, spec)


BACKWARD = [chr(code) for code in range(0x3000) if is_backward(chr(code))]


@settings(max_examples=500, deadline=None)
@given(st.text(st.sampled_from(BACKWARD), min_size=1, max_size=60), st.booleans())
def test_what_reads_backward_only_needs_no_algorithm(text: str, starts_strong: bool) -> None:
    text = "\u05d0" * starts_strong + text
    assert is_backward(text)
    if reads_rtl(text):
        visual = visual_order(text)
        assert visual.rtl.all() and visual.rank.tolist() == list(range(len(text) - 1, -1, -1))


@pytest.mark.parametrize(
    "text",
    ["\u05d0a", "\u05d01", "\u0661", "\u06f1", "\u05d0\u202e", "\u05d0\t", "\u05d0\u200f", ""],
)
def test_what_may_change_a_level_goes_the_whole_way(text: str) -> None:
    assert not is_backward(text)

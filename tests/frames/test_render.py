"""What a drawn text promises: ink in the margins, the same bytes always, images of one's own."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import subprocess
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import t2vid.frames.pen as pen
import t2vid.frames.shaping as shaping
from t2vid.errors import InputError, MissingGlyphs
from t2vid.frames.render import (
    compression_ratio,
    count_frames,
    iter_frames,
    render_text,
)
from t2vid.frames.render_spec import RenderSpec, contrast_ratio
from t2vid.frames.text import _VISIBLE

TEXT = 'He said "no"; she didn\'t.\n\n    Indented, and so on. ' * 40
MIXED = "Ærø שלום 2024 (x) مرحبا नमस्ते สวัสดี ∑ e\u0301\u0302\u0303 — done.\tTab.\n" * 12
SPECS = [
    RenderSpec(),
    RenderSpec.dense(),
    RenderSpec(font="mono", align="center", line_spacing=1.2),
    RenderSpec(width=336, height=252, font_px=31, margin_px=3),
    RenderSpec(align="right", whitespace="flow", font="serif"),
    *(RenderSpec.random(seed, colors=False) for seed in range(6)),
]
COLOURED = [
    RenderSpec(colors=("#7a1020", "#f0fff4")),
    *(RenderSpec.random(seed) for seed in range(9)),
]
# sha256 of all frames of MIXED, drawn with these versions and the bundled fonts
GOLDEN = {
    "versions": ("0.57.0", "1.2.0", "0.6.12"),
    "default": "3df7efe048b461bd",
    "dense": "023934f7de57b032",
    "paper": "096fd1c992e6e0b2",
}


def digest(text: str, spec: RenderSpec) -> str:
    data = b"".join(frame.mode.encode() + frame.tobytes() for frame in render_text(text, spec))
    return hashlib.sha256(data).hexdigest()[:16]


@pytest.mark.parametrize("spec", [*SPECS, RenderSpec.paper()])
@pytest.mark.parametrize("text", [TEXT, MIXED])
def test_frames_have_their_size_and_ink_inside_the_margins(spec: RenderSpec, text: str) -> None:
    if spec.layout == "paper" and text is MIXED:
        return  # the paper's layout lets tall scripts run over the edge
    frames = render_text(text, spec)
    assert len(frames) == count_frames(text, spec) == frames.n_total >= 1
    for frame in frames:
        assert frame.size == (spec.width, spec.height)
        ink = np.argwhere(np.asarray(frame.convert("L")) != spec.paper_gray)
        low, high = ink.min(axis=0), ink.max(axis=0)
        assert (low >= spec.margin_px).all()
        assert high[0] < spec.height - spec.margin_px and high[1] < spec.width - spec.margin_px


@settings(max_examples=150, deadline=None)
@given(st.text(min_size=1, max_size=120).filter(lambda text: bool(_VISIBLE.search(text))))
def test_any_text_is_drawn_inside_the_frame_or_refused(text: str) -> None:
    spec = RenderSpec(width=160, height=120, margin_px=6, font_px=15, on_missing="escape")
    for frame in render_text(text, spec):
        ink = np.argwhere(np.asarray(frame.convert("L")) < 255)
        if len(ink):
            assert ink.min() >= 6
            assert ink[:, 0].max() < 114 and ink[:, 1].max() < 154


def test_a_frame_budget_keeps_the_leading_frames() -> None:
    whole, cut = render_text(TEXT), render_text(TEXT, max_frames=2)
    assert len(cut) == 2 and cut.n_total == len(whole)
    assert [a.tobytes() for a in cut] == [b.tobytes() for b in whole[:2]]
    with pytest.raises(InputError, match="max_frames"):
        render_text(TEXT, max_frames=0)


def test_frame_by_frame_gives_what_all_at_once_gives() -> None:
    whole = render_text(TEXT)
    spans, frames = zip(*iter_frames(TEXT), strict=True)
    assert list(spans) == whole.spans
    assert [frame.tobytes() for frame in frames] == [frame.tobytes() for frame in whole]


def test_cold_warm_and_evicted_caches_give_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    shaping._shaper.cache_clear()
    cold = digest(MIXED, RenderSpec())
    warm = digest(MIXED, RenderSpec())
    monkeypatch.setattr(shaping, "CACHE_BYTES", 20_000)
    shaping._shaper.cache_clear()
    evicted = digest(MIXED, RenderSpec())
    shaping._shaper.cache_clear()
    assert cold == warm == evicted


def test_threads_give_the_same_bytes() -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(digest, [MIXED] * 12, [RenderSpec(), RenderSpec.dense()] * 6))
    assert set(found) == {digest(MIXED, RenderSpec()), digest(MIXED, RenderSpec.dense())}


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_give_the_same_bytes(method: str) -> None:
    with multiprocessing.get_context(method).Pool(2) as pool:
        found = pool.starmap(digest, [(MIXED, RenderSpec())] * 4)
    assert set(found) == {digest(MIXED, RenderSpec())}


def test_editing_a_frame_changes_no_other_frame() -> None:
    first = render_text(TEXT)
    before = [frame.tobytes() for frame in first]
    for frame in first:
        frame.paste(0, (0, 0, 448, 448))
        frame.putpixel((1, 1), 200)
    assert [frame.tobytes() for frame in render_text(TEXT)] == before


def test_a_frame_with_a_coloured_glyph_is_rgb_and_every_other_gray() -> None:
    from t2vid.frames.font_folders import system_fonts

    if "NotoColorEmoji.ttf" not in system_fonts():
        pytest.skip("no colour emoji font here")
    frames = render_text("first page\n" * 17 + "a rocket 🚀 flies")
    assert [frame.mode for frame in frames] == ["L", "RGB"]
    assert render_text("a tick ✓").pop().mode == "L"


def test_escaped_characters_are_counted() -> None:
    frames = render_text("a\x00b\x00 \ue000", RenderSpec(on_missing="escape"))
    assert frames.missing == {"\x00": 2, "\ue000": 1}
    assert render_text("plain", RenderSpec(on_missing="escape")).missing == {}


def test_the_golden_frames() -> None:
    here = tuple(version(name) for name in ("uharfbuzz", "icu4py", "python-bidi"))
    if here != GOLDEN["versions"]:
        pytest.skip(f"golden frames are those of {GOLDEN['versions']}, here is {here}")
    assert digest(MIXED, RenderSpec()) == GOLDEN["default"]
    assert digest(MIXED, RenderSpec.dense()) == GOLDEN["dense"]
    assert digest(TEXT, RenderSpec.paper()) == GOLDEN["paper"]


@pytest.mark.skipif(sys.platform != "linux", reason="hides a library by LD_LIBRARY_PATH")
def test_frames_are_the_same_without_the_systems_fribidi(tmp_path: Path) -> None:
    # Pillow opens FriBiDi by name on import; a file of that name that is no library stops it
    for name in ("libfribidi.so.0", "libfribidi.so"):
        (tmp_path / name).touch()
    code = (
        "import sys, json, hashlib; from PIL import features\n"
        "from t2vid.frames.render import render_text; from t2vid.frames.render_spec import RenderSpec\n"
        "found = [features.check('fribidi')]\n"
        "for text, spec in json.load(sys.stdin):\n"
        "    frames = render_text(text, RenderSpec(**spec))\n"
        "    data = b''.join(frame.mode.encode() + frame.tobytes() for frame in frames)\n"
        "    found.append(hashlib.sha256(data).hexdigest()[:16])\n"
        "print(json.dumps(found))\n"
    )
    cases = [(MIXED, RenderSpec()), (MIXED, RenderSpec.dense()), (TEXT, RenderSpec.paper())]
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "LD_LIBRARY_PATH": str(tmp_path)},
        input=json.dumps([(text, spec.to_dict()) for text, spec in cases]),
        capture_output=True,
        text=True,
        check=True,
    )
    hidden, *found = json.loads(done.stdout)
    assert hidden is False
    assert found == [digest(text, spec) for text, spec in cases]


def test_fifty_megabytes_are_drawn_page_by_page() -> None:
    text = "A sentence of seven words is here.\n" * 1_400_000
    pages = iter_frames(text)
    first = [next(pages) for _ in range(20)]
    assert [span for span, _ in first] == render_text(text[:20_000], max_frames=20).spans
    tracemalloc.start()
    for _ in range(200):
        next(pages)
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert used < 30_000_000


def test_a_font_whose_emoji_are_huge_pictures_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from t2vid.frames.font_folders import system_fonts

    if "NotoColorEmoji.ttf" not in system_fonts():
        pytest.skip("no colour emoji font here")
    monkeypatch.setattr(pen, "MAX_STRIKE_PX", 100)
    shaping._shaper.cache_clear()
    with pytest.raises(InputError, match=r"picture of \d+x\d+ pixels, more than 100"):
        render_text("🦊")


def test_presets_differ_as_they_say() -> None:
    text = "plain words of common length " * 300
    default, dense = count_frames(text), count_frames(text, RenderSpec.dense())
    assert dense * 2 <= default + 1
    assert RenderSpec.preset("dense") == RenderSpec.dense()
    with pytest.raises(InputError, match="preset"):
        RenderSpec.preset("tiny")


def test_the_size_of_a_family_needs_no_resize() -> None:
    assert render_text("x", RenderSpec().for_family("idefics3"))[0].size == (364, 364)
    with pytest.raises(InputError, match="family"):
        RenderSpec().for_family("gpt")


def test_varied_layouts_are_reproducible_and_different() -> None:
    specs = [RenderSpec.random(seed) for seed in range(200)]
    assert specs == [RenderSpec.random(seed) for seed in range(200)]
    assert len({spec.to_json() for spec in specs}) == 200
    for name, least in (
        ("font", 3),
        ("font_px", 8),
        ("margin_px", 15),
        ("align", 3),
        ("colors", 60),
    ):
        assert len({getattr(spec, name) for spec in specs}) >= least
    assert all(RenderSpec.random(seed, colors=False).colors is None for seed in range(50))


def test_varied_layouts_have_a_contrast_of_seven_to_one() -> None:
    for seed in range(2000):
        spec = RenderSpec.random(seed)
        grays = (f"#{level:02x}{level:02x}{level:02x}" for level in (spec.ink, spec.paper_gray))
        assert contrast_ratio(*(spec.colors or grays)) >= 7
        assert 16 <= spec.font_px <= 24


def test_colours_are_those_asked_for_and_gray_frames_stay_gray() -> None:
    spec = RenderSpec(colors=("#7a1020", "#f0fff4"))
    (frame,) = render_text("ink", spec)
    shades = {color for _, color in frame.getcolors()}
    assert frame.mode == "RGB" and {(0x7A, 0x10, 0x20), (0xF0, 0xFF, 0xF4)} <= shades
    plain = render_text("ink")[0]
    assert plain.mode == "L"
    # as the gray frame, with other ends
    red = np.linspace(0x7A, 0xF0, 256).round().astype(np.uint8)[np.asarray(plain)]
    assert (np.asarray(frame)[:, :, 0] == red).all()


def test_compression_is_text_tokens_over_visual_tokens() -> None:
    ratio = compression_ratio("x " * 100, family="idefics3", n_text_tokens=338)
    assert ratio == 2
    with pytest.raises(InputError, match="family"):
        compression_ratio("x", family="gpt", n_text_tokens=1)


def test_the_papers_layout_draws_no_tofu() -> None:
    with pytest.raises(MissingGlyphs, match="U\\+4E2D"):
        render_text("one 中 two", RenderSpec.paper())
    escaped = render_text("one 中 two", RenderSpec(layout="paper", on_missing="escape"))
    assert escaped[0].tobytes() == render_text("one U+4E2D two", RenderSpec.paper())[0].tobytes()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"width": 0}, r"width \(0\) must be a whole number from 16 to 8,192"),
        ({"width": "448"}, r"width \('448'\) must be a whole number from 16"),
        ({"height": 100_000}, r"height \(100000\) must be a whole number from 16 to 8,192"),
        ({"height": None}, r"height \(None\)"),
        ({"margin_px": 250}, r"margin_px \(250\) leaves -52 px of 448x448"),
        ({"margin_px": -1}, r"margin_px \(-1\)"),
        ({"font_px": 0}, r"font_px \(0\) must be a whole number from 4 to 512"),
        ({"font_px": 100_000}, r"font_px \(100000\)"),
        ({"font_px": 20.5}, r"font_px \(20.5\)"),
        ({"font": Path("x.ttf")}, r"font \(.*x.ttf.*\) must be 'sans', 'serif', 'mono'"),
        ({"font": "a\0b"}, r"font \('a\\x00b'\)"),
        ({"words_per_frame": 0}, r"words_per_frame \(0\).*, or None"),
        ({"words_per_frame": True}, r"words_per_frame \(True\)"),
        ({"layout": "paper", "words_per_frame": None}, r"words_per_frame \(None\).*paper's is 115"),
        ({"layout": "other"}, r"layout \('other'\) must be one of"),
        ({"whitespace": "drop"}, r"whitespace \('drop'\)"),
        ({"align": ["left"]}, r"align \(\['left'\]\)"),
        ({"ink": 200}, "nobody could read"),
        ({"ink": -1}, r"ink \(-1\) must be a whole number from 0 to 255"),
        ({"line_spacing": 0.1}, r"line_spacing \(0.1\) must be a number from 0.8 to 4"),
        ({"line_spacing": float("nan")}, r"line_spacing \(nan\)"),
        (
            {"colors": ("red", "white")},
            r"colors \('red', 'white'\) have a contrast of 4.0 to 1",
        ),
        ({"colors": ("rouge", "white")}, r"colors \(\('rouge', 'white'\)\) must be None, or"),
        ({"colors": "#000000"}, r"colors \('#000000'\)"),
        ({"colors": ("#777777", "#999999")}, "contrast of 1.6 to 1, less than 4.5"),
    ],
)
def test_a_layout_out_of_range_names_value_and_limit(arguments, words) -> None:
    with pytest.raises(InputError, match=words):
        RenderSpec(**arguments)


def test_a_spec_survives_json_and_yaml_and_its_hash_covers_every_field() -> None:
    for spec in SPECS + COLOURED:
        assert RenderSpec.from_json(spec.to_json()) == RenderSpec.from_yaml(spec.to_yaml()) == spec
    assert len({spec.hash for spec in SPECS}) == len(SPECS)
    assert RenderSpec.from_dict({"font_px": 24}) == RenderSpec(font_px=24)


def test_the_hash_covers_library_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    from t2vid.frames import fonts

    before = RenderSpec().hash
    fonts.drawn_with.cache_clear()
    monkeypatch.setattr(fonts, "version", lambda name: "0.0.0")
    assert RenderSpec().hash != before
    fonts.drawn_with.cache_clear()


def test_no_text_finds_the_strip_of_another_direction_in_the_cache() -> None:
    spec, text = RenderSpec(on_missing="escape"), "\x00rab"
    shaping._shaper.cache_clear()
    fresh = digest(text, spec)
    shaping._shaper.cache_clear()
    render_text("\u202ex ab y", spec)  # the same letters from right to left
    assert digest(text, spec) == fresh


@pytest.mark.parametrize("value", [0, -1, 1.5, "3"])
def test_a_number_of_frames_that_is_none_is_refused(value: object) -> None:
    with pytest.raises(InputError, match=r"max_frames \(.*\) must be a whole number > 0, or None"):
        render_text("Words.", max_frames=value)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", [-1, 1.5, "a"])
def test_a_seed_that_is_none_is_refused(seed: object) -> None:
    with pytest.raises(InputError, match=r"seed \(.*\) must be a whole number >= 0"):
        RenderSpec.random(seed)  # type: ignore[arg-type]

"""Worn pages and random layouts: the same bytes everywhere, each level other than the one below."""

from __future__ import annotations

import hashlib
import multiprocessing
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from t2vid.errors import InputError
from t2vid.frames.fonts import BUNDLED
from t2vid.frames.render import count_frames, render_text
from t2vid.frames.render_spec import RenderSpec, contrast_ratio
from t2vid.frames.wear import warp, wear_of, worn

TEXT = "The boats went out before light, and came back with the tide. " * 12


def digest(spec: RenderSpec) -> str:
    data = b"".join(frame.tobytes() for frame in render_text(TEXT, spec))
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_worn_pages_are_the_same_in_every_worker(method: str) -> None:
    specs = [RenderSpec.random(seed, level=3) for seed in (1, 2)]
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(digest, specs * 2) == [digest(spec) for spec in specs] * 2


def test_wear_changes_pixels_only() -> None:
    clean, spec = RenderSpec(), RenderSpec(wear=0.7, wear_seed=5)
    frames = render_text(TEXT, spec)
    assert frames.spans == render_text(TEXT, clean).spans and count_frames(TEXT, spec) == len(
        frames
    )
    assert {frame.mode for frame in frames} == {"L"} and {frame.size for frame in frames} == {
        (448, 448)
    }
    paper = render_text(TEXT, RenderSpec(layout="paper", wear=0.7, wear_seed=5))
    assert paper[0].tobytes() != render_text(TEXT, RenderSpec.paper())[0].tobytes()
    colored = RenderSpec(colors=("#102030", "#fff8e7"), wear=0.7, wear_seed=5)
    assert {frame.mode for frame in render_text(TEXT, colored)} == {"RGB"}
    assert type(frames[0]) is Image.Image


def test_pages_differ_in_grain_and_documents_in_everything() -> None:
    text = "same\n" * 19 + "\n" * 3 + "same\n" * 19
    spec = RenderSpec(wear=1.0, wear_seed=1, words_per_frame=19)
    one, two = (np.asarray(frame, int) for frame in render_text(text, spec)[:2])
    assert (one != two).mean() > 0.2
    kinds = [wear_of(1.0, seed) for seed in range(300)]
    for name in ("grain", "shadow", "turn", "blur_px", "noise"):
        values = [abs(getattr(kind, name)) for kind in kinds]
        assert 0.05 < np.mean([value == 0 for value in values]) < 0.5 and len(set(values)) > 100
    assert len({kind.quality for kind in kinds}) > 20
    assert max(abs(kind.turn) for kind in kinds) < 0.031


def test_a_warped_page_stays_inside_its_frame() -> None:
    ends = np.array([(x, y, 1) for x in (0, 448) for y in (0, 300)], float)
    for seed in range(200):
        moved = ends @ warp((448, 300), 1.0, seed).T
        moved = moved[:, :2] / moved[:, 2:]
        assert moved.min() > -0.01 and moved[:, 0].max() < 448.01 and moved[:, 1].max() < 300.01
        assert np.abs(moved - ends[:, :2]).max() < 40


def test_wear_of_nothing_is_a_clean_page() -> None:
    page = Image.new("L", (40, 40), 200)
    assert np.ptp(np.asarray(worn(page, 1e-9, 3, 1))) <= 1


def test_levels_add_to_each_other() -> None:
    levels = [[RenderSpec.random(seed, level=level) for seed in range(120)] for level in range(4)]
    assert levels[0] == [RenderSpec.random(seed) for seed in range(120)]
    assert not any(spec.wear or spec.header or spec.columns > 1 for spec in levels[0])
    assert {spec.columns for spec in levels[1]} == {1, 2} and {
        spec.header for spec in levels[1]
    } > {""}
    assert len({spec.font_px for spec in levels[1]}) > 10
    assert all(0.1 <= spec.wear <= 0.45 for spec in levels[2])
    assert (
        all(0.45 <= spec.wear <= 1 for spec in levels[3]) and len({s.wear for s in levels[3]}) > 60
    )
    for spec in sum(levels, []):
        grays = (f"#{level:02x}{level:02x}{level:02x}" for level in (spec.ink, spec.paper_gray))
        assert contrast_ratio(*(spec.colors or grays)) >= 7
        assert RenderSpec.from_json(spec.to_json()) == spec
    for spec in sum(levels, [])[::17]:
        assert render_text(TEXT, spec)


@pytest.mark.parametrize(
    "like",
    [
        RenderSpec(markup="markdown", width=364, height=364, lang="ja"),
        RenderSpec(scroll_lines=2, words_per_frame=None, on_missing="escape"),
        RenderSpec(width=120, height=90, whitespace="flow", margin_px=2, font_px=10),
        RenderSpec.paper(),
        RenderSpec(colors=("#102030", "#fff8e7"), crop_last=True),
    ],
)
def test_what_is_not_drawn_by_lot_comes_from_a_layout(like: RenderSpec) -> None:
    kept = (
        "width",
        "height",
        "markup",
        "lang",
        "scroll_lines",
        "on_missing",
        "whitespace",
        "crop_last",
    )
    for seed in [*range(40), 2**80]:
        spec = RenderSpec.random(seed, like=like, level=seed % 4)
        assert all(getattr(spec, name) == getattr(like, name) for name in kept)
        assert spec.layout == "t2vid" and spec.words_per_frame is None


@pytest.mark.parametrize("level", [-1, 4, 1.5, True, "2"])
def test_a_level_that_is_none_is_refused(level: object) -> None:
    with pytest.raises(InputError, match=r"level \(.*\) must be a whole number from 0 to 3"):
        RenderSpec.random(1, level=level)  # type: ignore[arg-type]


def test_fonts_come_from_a_folder_too(tmp_path: Path) -> None:
    for name in ("LiberationSerif-Regular.ttf", "T2vidMono-Bold.ttf", "NotoSansThai-Regular.ttf"):
        shutil.copy(BUNDLED / name, tmp_path / name)
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    fonts = {RenderSpec.random(seed, fonts=tmp_path).font for seed in range(60)}
    own = {str(tmp_path / "LiberationSerif-Regular.ttf"), str(tmp_path / "T2vidMono-Bold.ttf")}
    assert own | {"sans", "serif", "mono"} >= fonts > own
    assert RenderSpec.random(3, fonts=tmp_path) == RenderSpec.random(3, fonts=str(tmp_path))
    (empty := tmp_path / "empty").mkdir()
    with pytest.raises(
        InputError, match="has 0 font files, none of them with the letters of English"
    ):
        RenderSpec.random(1, fonts=empty)


@pytest.mark.slow
@pytest.mark.parametrize("level", range(4))
def test_tesseract_reads_every_level(level: int) -> None:
    if shutil.which("tesseract") is None:
        pytest.skip("tesseract is not installed: apt-get install tesseract-ocr")
    from benchmarks.legibility import ocr, random_error_rate

    from t2vid import samples

    text = next(row["context"] for row in samples.texts() if row["id"] == "night_train")
    rates = [
        random_error_rate(text, seed, level, 448, lambda image: ocr(image, "eng"))
        for seed in range(40, 44)
    ]
    assert max(rates) <= 5

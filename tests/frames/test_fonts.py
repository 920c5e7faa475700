"""Fonts: found in a fixed order, refused with a reason, small enough for the wheel."""

from __future__ import annotations

from pathlib import Path

import pytest

from t2vid.errors import InputError, MissingFile
from t2vid.frames.fonts import BUNDLED, FAMILIES, SCRIPT_FONTS, drawn_with, stack
from t2vid.frames.render import render_text
from t2vid.frames.render_spec import RenderSpec


def test_bundled_fonts_are_there_with_their_licences_and_small() -> None:
    for name in (*FAMILIES.values(), *SCRIPT_FONTS):
        assert (BUNDLED / name).is_file()
    assert sum(path.stat().st_size for path in BUNDLED.iterdir()) < 5_000_000
    assert {path.name for path in BUNDLED.glob("OFL*")} == {"OFL-Liberation.txt", "OFL-Noto.txt"}


@pytest.mark.parametrize(
    ("char", "file"),
    [
        ("g", "LiberationSans-Regular.ttf"),
        ("Ω", "LiberationSans-Regular.ttf"),
        ("ж", "LiberationSans-Regular.ttf"),
        ("م", "NotoSansArabic-Regular.ttf"),
        ("ש", "NotoSansHebrew-Regular.ttf"),
        ("ज", "NotoSansDevanagari-Regular.ttf"),
        ("ส", "NotoSansThai-Regular.ttf"),
        ("e\u0301", "LiberationSans-Regular.ttf"),
        ("e\u0301\u0302\u0303", "NotoSans-Regular.ttf"),
    ],
)
def test_a_character_goes_to_its_bundled_font(char: str, file: str) -> None:
    assert stack("sans").find(char).path.name == file


def test_a_path_is_a_font_too() -> None:
    path = str(BUNDLED / "LiberationSerif-Regular.ttf")
    drawn = render_text("same", RenderSpec(font=path))[0].tobytes()
    assert drawn == render_text("same", RenderSpec(font="serif"))[0].tobytes()


@pytest.mark.parametrize(
    "content", [b"", b"not a font", b"\x00\x01\x00\x00" + bytes(200), b"wOFF" + bytes(100)]
)
def test_a_file_that_is_no_font_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.ttf"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"odd\.ttf"):
        render_text("x", RenderSpec(font=str(path)))


@pytest.mark.parametrize("name", ["LiberationSans-Regular.ttf", "NotoSansThai-Regular.ttf"])
@pytest.mark.parametrize("share", [0.001, 0.3, 0.9, 0.999])
def test_a_font_file_that_is_cut_off_is_refused(tmp_path: Path, name: str, share: float) -> None:
    whole = (BUNDLED / name).read_bytes()
    path = tmp_path / "half.ttf"
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(InputError, match=r"half\.ttf.*its tables end at .*cut off"):
        render_text("x", RenderSpec(font=str(path)))
    with pytest.raises(InputError, match=r"half\.ttf.*its tables end at .*cut off"):
        render_text("x", RenderSpec(layout="paper", font=str(path)))


def test_a_collection_of_a_cut_off_face_is_refused(tmp_path: Path) -> None:
    whole = (BUNDLED / "NotoSansThai-Regular.ttf").read_bytes()
    path = tmp_path / "many.ttc"
    path.write_bytes(b"ttcf\0\1\0\0" + (2**32 - 1).to_bytes(4, "big") + whole[:20])
    with pytest.raises(InputError, match=r"many\.ttc.*cut off or damaged"):
        render_text("x", RenderSpec(font=str(path)))


def test_the_hash_covers_every_byte_of_a_font(tmp_path: Path) -> None:
    content = bytearray((BUNDLED / "LiberationMono-Regular.ttf").read_bytes())
    hashes = set()
    for change in (0, 1, 2):
        path = tmp_path / str(change) / "same.ttf"
        path.parent.mkdir()
        content[len(content) // 2] ^= change
        path.write_bytes(content)
        hashes.add(drawn_with(str(path)))
    assert len(hashes) == 3


def test_a_font_file_of_absurd_size_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "bomb.ttf"
    with path.open("wb") as file:
        file.truncate(300 * 2**20)
    with pytest.raises(InputError, match="314,572,800 bytes"):
        render_text("x", RenderSpec(font=str(path)))


def with_head(tag: bytes, at: int, value: bytes) -> bytes:
    """Change a table of a font."""
    data = bytearray((BUNDLED / "LiberationSans-Regular.ttf").read_bytes())
    entry = data.index(tag, 12)
    start = int.from_bytes(data[entry + 8 : entry + 12], "big") + at
    data[start : start + len(value)] = value
    return bytes(data)


def test_a_font_whose_lines_are_higher_than_a_frame_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tower.ttf"
    path.write_bytes(with_head(b"hhea", 4, b"\x7f\xff\x80\x00"))
    with pytest.raises(InputError, match=r"tower.ttf' at font_px \(20\) is \d+ px high, more than"):
        render_text("x", RenderSpec(font=str(path)))
    path.write_bytes(with_head(b"head", 18, b"\x00\x10"))  # sixteen units an em
    with pytest.raises(InputError, match=r"tower.ttf' cannot be drawn"):
        render_text("Words.", RenderSpec(font=str(path), layout="paper"))


def test_a_font_name_longer_than_any_files_is_refused() -> None:
    with pytest.raises(MissingFile, match="nor a font file") as caught:
        render_text("x", RenderSpec(font="x" * 100_000))
    assert len(str(caught.value)) < 500


def test_a_missing_font_names_the_families() -> None:
    with pytest.raises(MissingFile, match="'mono', 'sans', 'serif'"):
        render_text("x", RenderSpec(font="Comic Sans"))

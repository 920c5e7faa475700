"""The paper's layout is the paper's, pixel by pixel, damage included."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from t2vid import samples
from t2vid.frames import paper
from t2vid.frames.fonts import load_font
from t2vid.frames.render import render_text
from t2vid.frames.render_spec import RenderSpec

SPEC = RenderSpec.paper()


def test_what_the_papers_font_lacks_is_counted() -> None:
    frames = render_text("a \u4e2d\u4e2d b \u0915", RenderSpec(layout="paper", on_missing="escape"))
    assert frames.missing == {"\u4e2d": 2, "\u0915": 1}


def pillow(tokens: str) -> Image.Image:
    """Draw one frame as the paper's script does: line by line, by Pillow."""
    font = load_font("sans", 20)
    lines, line, used = [], "", 0
    for word in tokens.split(" "):
        width = font.getbbox(word + " ")[2]
        if used + width <= 448 - 40:
            line, used = line + word + " ", used + width
        else:
            lines.append(line)
            line, used = word + " ", width
    lines.append(line)
    image = Image.new("L", (448, 448), 255)
    draw = ImageDraw.Draw(image)
    steps = [font.getbbox(line)[3] for line in lines]
    y = (448 - sum(steps)) // 2
    for line, step in zip(lines, steps, strict=True):
        draw.text((20, y), line, font=font, fill=0)
        y += step
    return image


def test_two_hundred_english_frames_equal_pillow() -> None:
    compared = 0
    for row in samples.texts():
        frames = render_text(row["context"], SPEC)
        pages = paper.pages(row["context"], 115)
        assert len(frames) == len(pages)
        for frame, (_, _, tokens) in zip(frames, pages, strict=True):
            assert frame.tobytes() == pillow(tokens).tobytes()
            compared += 1
    assert compared >= 200


def test_over_wide_and_overfull_frames_equal_pillow() -> None:
    for text in ("W" * 80, "a " + "M" * 60 + " b", "tall " * 400, "AVAVA To. WA, 'Ty' f) (j"):
        for frame, (_, _, tokens) in zip(
            render_text(text, SPEC), paper.pages(text, 115), strict=True
        ):
            assert frame.tobytes() == pillow(tokens).tobytes()


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("don't stop", "do n't stop"),
        ('He said "no".', "He said `` no '' ."),
        ("It cost $5, not 5%.", "It cost $ 5 , not 5 % ."),
        ("Dr. Ames left. So did I.", "Dr. Ames left . So did I ."),
        ("cannot (really) wait...", "can not ( really ) wait ..."),
        ("they'll've gone; I'm in", "they'll 've gone ; I 'm in"),
    ],
)
def test_tokens_are_those_of_the_penn_treebank_rules(text: str, tokens: str) -> None:
    assert " ".join(paper.word_tokens(text)) == tokens


def test_a_frame_has_115_tokens() -> None:
    pages = paper.pages("word, " * 500, 115)
    assert [len(tokens.split(" ")) for _, _, tokens in pages] == [115] * 8 + [80]


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="aA't.,:;\"$%-()[]!? dnsmlvre1é“”’\n", max_size=60))
def test_tokens_by_chunk_are_tokens_by_sentence(text: str) -> None:
    whole = [token for part in paper.sentences(text) for token in paper._treebank(part)]
    assert paper.word_tokens(text) == whole
